"""What a decision and a settlement cost, in a fresh process that loads the marketplace as the switch does.

`measure` applies a marketplace and runs `python -m tests.bench.decisions FILE`, which prints figures as JSON.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import yaml

import ari_app.wiring.switch  # noqa: F401  what the switch's process has in memory
from ari_app.domain.calls.geo import locate
from ari_app.domain.document.reading import parse
from ari_app.domain.ledger.calls import settle
from ari_app.domain.routing.intake import UNCOUNTED, Arrival, Attributed, Ended, Intake, Offered, Pinned
from ari_app.domain.routing.snapshot import Snapshot
from ari_app.domain.terms.qualification import Facts, judge
from ari_app.serving.callers import InMemoryCallers
from ari_app.serving.clock import CallClock
from ari_app.settings import REPOSITORY
from ari_app.store import geography
from ari_app.store.calls.calls import save
from ari_app.store.calls.journal import Journal
from ari_app.store.calls.spool import Spool
from ari_app.store.calls.writer import BATCH, Writer
from ari_app.store.db import schema
from ari_app.store.db.engine import open_engine
from ari_app.store.market import marketplaces
from ari_app.switch.app import Switch
from tests.bench.cpu import peak_resident_mb, resident_mb
from tests.bench.market import NUMBERS, Shape, caller, document, number
from tests.bench.step import percentile
from tests.samples import make_call, settlement

DECISIONS = 20_000
SETTLEMENTS = 5_000
SAVED = 2_000
HOME = REPOSITORY / "var" / "bench"
LIMIT_S = 300
BEGAN = 1_795_453_200_000  # a Monday, noon in New York: most destinations are open, whenever this runs


@dataclass(frozen=True, slots=True)
class Cost:
    """Times of one decision and one settlement in us, of saving one call in us of CPU; memory in MB."""

    decision_p50_us: float
    decision_p99_us: float
    decisions_a_second: float
    eligible: float  # destinations offered a call, on average
    settle_p50_us: float
    settle_p99_us: float
    save_us: float
    load_s: float
    resident_mb: float
    peak_mb: float


def measure(shape: Shape) -> Cost:
    """The costs with a marketplace of this shape in force."""
    with tempfile.TemporaryDirectory(prefix="callrace-bench-") as folder:
        database = Path(folder) / "callrace.db"
        apply(shape, database)
        command = (sys.executable, "-m", "tests.bench.decisions", str(database))
        said = subprocess.run(
            command, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True, timeout=LIMIT_S
        ).stdout
    return Cost(**json.loads(said))


def apply(shape: Shape, database: Path) -> None:
    """Puts a marketplace of this shape in force in a new SQLite database."""
    marketplace = parse(yaml.dump(document(shape), Dumper=yaml.CSafeDumper), "bench.yaml")
    engine = open_engine(f"sqlite:///{database}")
    schema.upgrade(engine)
    marketplaces.apply(engine, marketplace, CallClock().now())
    engine.dispose()


def _cost(database: Path) -> Cost:
    engine = open_engine(f"sqlite:///{database}")
    writer = Writer(engine, Spool(database.parent / "spool"))
    started = time.perf_counter()
    switch = Switch(engine, writer, Journal(database.parent / "journal"), geography.load(HOME))
    switch.load()
    load_s = time.perf_counter() - started
    gc.collect()
    resident, peak = resident_mb(), peak_resident_mb()
    snapshot = switch.market.snapshot
    assert snapshot is not None, f"{database} holds no marketplace"
    decisions, eligible = _decide(snapshot)
    settlements = _settle(snapshot)
    writer.close(1.0)
    return Cost(
        decision_p50_us=percentile(decisions, 50),
        decision_p99_us=percentile(decisions, 99),
        decisions_a_second=1e6 * len(decisions) / sum(decisions),
        eligible=eligible,
        settle_p50_us=percentile(settlements, 50),
        settle_p99_us=percentile(settlements, 99),
        save_us=_save_us(database),
        load_s=load_s,
        resident_mb=resident,
        peak_mb=peak,
    )


def _decide(snapshot: Snapshot) -> tuple[list[float], float]:
    """The time of each decision, us, and how many destinations one offers on average."""
    random, callers = Random(2), InMemoryCallers()
    times, offered = [], 0
    for n in range(DECISIONS):
        did, ani = number(random.randrange(NUMBERS)), caller(n)
        now, draw = BEGAN + 50 * n, Random(n)
        began = time.perf_counter_ns()
        intake = Intake(snapshot, Arrival(did, ani, now), draw)
        step = intake.start()
        while not isinstance(step, Ended):
            outcome = UNCOUNTED[type(step)]
            if isinstance(step, Attributed):
                outcome = Pinned(callers.dialled(did, ani, now))
            step = intake.handle(outcome, now)
        times.append((time.perf_counter_ns() - began) / 1000)
        assert isinstance(step, Offered), step
        offered += len(step.decision.rung)
    return times, offered / DECISIONS


def _settle(snapshot: Snapshot) -> list[float]:
    """The time of each verdict with its transfers, us."""
    campaign = snapshot.marketplace.campaigns["campaign-0"]
    times = []
    for n in range(SETTLEMENTS):
        record = make_call(n)
        place = locate(snapshot.geography, None, caller(n), record.did)
        began = time.perf_counter_ns()
        facts = Facts(record.started_at, 95_000, record.answers, place, record.ani, "America/New_York")
        record.qualification = judge(campaign.qualify, facts, snapshot.geography)
        settle(record, record.ended_at or record.started_at)
        times.append((time.perf_counter_ns() - began) / 1000)
    return times


def _save_us(database: Path) -> float:
    """Processor time of saving one call of four legs, in batches, to a database of its own."""
    engine = open_engine(f"sqlite:///{database.with_name('calls.db')}")
    schema.upgrade(engine)
    settlements = [settlement(make_call(n)) for n in range(SAVED)]
    save(engine, settlements[:BATCH])  # the first compiles the statements
    began = time.process_time()
    for start in range(BATCH, SAVED, BATCH):
        save(engine, settlements[start : start + BATCH])
    return (time.process_time() - began) * 1e6 / (SAVED - BATCH)


if __name__ == "__main__":
    print(json.dumps(asdict(_cost(Path(sys.argv[1])))))
