"""What growth costs one build, in a process of its own that imports that build: `python -P FILE PROBE ARGUMENT ...`.

It runs on this build and on the one before, so it uses what both have. Prints its figures as JSON.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from sqlalchemy import text

from agi.outcomes import Outcomes
from ari_app.switch.app import Switch
from tests.bench.market import Shape, document
from tests.samples import BEGAN, make_call, settlement


def _module(*names: str) -> Any:
    """The module by the first of its names that this build has: rooms move from one build to the next."""
    for name in names:
        with suppress(ModuleNotFoundError):
            return import_module(name)
    raise ModuleNotFoundError(f"this build has none of {', '.join(names)}")


_module("ari_app.wiring.switch", "ari_app.cli.switch")  # what the switch's process has in memory
calls = _module("ari_app.store.calls.calls", "ari_app.store.calls")
corrections = _module("ari_app.store.money.corrections", "ari_app.store.corrections")
counters = _module("ari_app.domain.caps.counters", "ari_app.domain.caps")
documents = _module("ari_app.domain.document.reading", "ari_app.domain.document")
engines = _module("ari_app.store.db.engine", "ari_app.store.engine")
errors = _module("ari_app.store.db.errors", "ari_app.store.errors")
geography = _module("ari_app.store.geography")
journals = _module("ari_app.store.calls.journal", "ari_app.store.journal")
market = _module("ari_app.domain.market.marketplace", "ari_app.domain.marketplace")
marketplaces = _module("ari_app.store.market.marketplaces", "ari_app.store.marketplaces")
numbers = _module("ari_app.store.market.numbers", "ari_app.store.numbers")
pauses = _module("ari_app.store.market.pauses", "ari_app.store.pauses")
periods = _module("ari_app.domain.basics.periods", "ari_app.domain.periods")
rebuild = _module("ari_app.store.calls.rebuild", "ari_app.store.rebuild")
recovery = _module("ari_app.domain.routing.recovery", "ari_app.domain.leftover")
revision = _module("ari_app.store.db.revision", "ari_app.store.revision")
schema = _module("ari_app.store.db.schema", "ari_app.store.schema")
spending = _module("ari_app.store.limits.spending", "ari_app.store.spending")
spools = _module("ari_app.store.calls.spool", "ari_app.store.spool")
writers = _module("ari_app.store.calls.writer", "ari_app.store.writer")
serving_caps = _module("ari_app.serving.caps", "ari_app.switch.caps")

SHAPE = Shape(500, 20)
DAY_MS = 86_400_000
LATE_S = 0.05  # of an answer about caps
SWITCH_INTERVAL_S = 0.0005  # as the switch has it: its threads share one interpreter
CALLS_EVERY_S = 0.05  # one ends meanwhile
CALLS_UNDER_WAY = 2_000
AGENTS = [f"agent-{n}" for n in range(20)]
PATIENCE_S = 120.0
COUNTED_ANEW = BEGAN + 10_000_000  # ms: the day whose reports are rebuilt

Figures = dict[str, float]


def now_ms() -> int:
    return int(time.time() * 1000)


def resident_mb() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


# What is to be there


def make(database: str, count: str) -> Figures:
    """A marketplace of 10,000 destinations and 50,000 numbers, and `count` calls of the month before now."""
    engine = engines.open_engine(f"sqlite:///{database}")
    schema.upgrade(engine)
    marketplaces.apply(engine, documents.from_document(document(SHAPE)), now_ms())
    columns = {
        "id": "printf('%013x%010x', at, i)",
        "did": "'+18002000000'",
        "ani": "'+1212' || (20000000 + i)",
        "started_at": "at",
        "campaign": "'campaign-' || (i % 500)",
        "advertiser": "'advertiser-' || (i % 50)",
        "winner": "'agent-' || (i % 20)",
        "connected_at": "at + 5000",
        "ended_at": "at + 65000",
        "place_from": "'ani'",
        "total_ms": "65000",
        "ivr_ms": "0",
        "wait_ms": "5000",
        "connected_ms": "60000",
        "qualified": "1",
        "answers_json": "'{}'",
        "excluded_json": "'[]'",
        "events_json": "'[]'",
        "clauses_json": "'[]'",
    }
    first = now_ms() - 28 * DAY_MS
    numbered = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :count), "
    numbered += f"c AS (SELECT i, {first} + i * {27 * DAY_MS} / :count AS at FROM n) "
    said = {
        "calls": f"INSERT INTO calls ({', '.join(columns)}) {numbered} SELECT {', '.join(columns.values())} FROM c",
        "legs": "INSERT INTO legs (call_id, n, destination, wave, offered_at, answered_at, ended_at) "
        "SELECT id, 0, winner, 1, started_at, connected_at, ended_at FROM calls",
    }
    with engines.writing(engine) as connection:
        connection.execute(text(said["calls"]), {"count": int(count)})
        connection.execute(text(said["legs"]))
    return {}


def upgrade(database: str) -> Figures:
    schema.upgrade(engines.open_engine(f"sqlite:///{database}"))
    return {}


# The event loop


class Gaps:
    """The longest time for which the event loop had nothing of its own done, in ms."""

    def __init__(self) -> None:
        self._longest_s = 0.0

    async def watch(self) -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(0.001)
            now = time.monotonic()
            self._longest_s = max(self._longest_s, now - last - 0.001)
            last = now

    def take(self) -> float:
        longest, self._longest_s = self._longest_s, 0.0
        return longest * 1000


def serve(database: str, began: str) -> Figures:
    """A start, and then steps of the marketplace, while calls end."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    return asyncio.run(_serve(Path(database), float(began)))


async def _serve(database: Path, began: float) -> Figures:
    home = database.parent
    engine = engines.open_engine(f"sqlite:///{database}")
    journal = journals.Journal(home / "journal")
    writer = _writer(engine, home / "spool", journal)
    switch = Switch(engine, writer, journal, geography.load(home))
    switch.load()
    found = {"start_s": time.monotonic() - began}
    journal.start()
    gaps = Gaps()
    chores = [
        asyncio.create_task(work) for work in (gaps.watch(), switch.keep_up_to_date(), _calls(switch, writer))
    ]
    await asyncio.sleep(0.5)
    await _until(lambda: _is_recalled(switch))
    found["start_gap_ms"] = gaps.take()
    found["start_resident_mb"] = resident_mb()
    for step, wanted in STEPS.items():
        measured = []
        for n in range(TIMES[step]):
            there = switch.market.snapshot
            gaps.take()
            acted = await asyncio.to_thread(_elsewhere, "act", str(database), step, str(n))
            assert acted == 0
            await _until(lambda there=there: switch.market.snapshot is not there)  # type: ignore[misc]
            await asyncio.sleep(wanted)
            await _until(lambda: _is_recalled(switch))
            measured.append(gaps.take())
        found[f"{step}_gap_ms"] = median(measured)
    found["resident_mb"] = resident_mb()
    if hasattr(switch, "leave"):  # it does so while calls go on
        await asyncio.to_thread(writer.flush, 0.5)
    found["hand_over_ms"] = _hand_over(switch, journal)
    for chore in chores:
        chore.cancel()
    await asyncio.gather(*chores, return_exceptions=True)
    return found


STEPS = {"pause": 1.0, "number": 1.0, "apply": 1.0, "window": 2.0}
"""What is done elsewhere, and for how long it is watched after it is taken over."""
TIMES = {"pause": 3, "number": 3, "apply": 1, "window": 1}


def act(database: str, step: str, n: str) -> Figures:
    """A step of the marketplace, in a process of its own."""
    engine = engines.open_engine(f"sqlite:///{database}")
    if step == "pause":
        pauses.pause(engine, pauses.Pause(f"agent-{n}", now_ms(), "lunch", "operator"))
        return {}
    if step == "number":
        with engines.writing(engine) as connection:  # what `numbers assign` comes to
            number = market.Number(f"campaign-{n}", "publisher-1", None)
            numbers.begin(connection, {f"+1800999999{n}": number}, now_ms(), "desk")
            revision.rise(connection)
        return {}
    changed = document(SHAPE)
    changed["destinations"]["agent-5"]["capacity"] = 7 + int(n)
    changed["campaigns"]["campaign-7"]["price"] = f"{7 + int(n)}.00"
    if step == "window":
        changed["campaigns"]["campaign-7"]["qualify"][2]["no_repeat_within"] = "60d"
    marketplaces.apply(engine, documents.from_document(changed), now_ms())
    return {}


def _elsewhere(*words: str) -> int:
    return subprocess.run(
        (sys.executable, "-S", "-P", __file__, *words), stdout=subprocess.DEVNULL
    ).returncode


async def _calls(switch: Switch, writer: writers.Writer) -> None:
    """Calls end, are judged by their caller's earlier calls, and are saved."""
    n = 0
    while True:
        n += 1
        record = make_call(n, id=f"{now_ms():013x}{n:010x}", started_at=now_ms(), campaign="campaign-1")
        _remember(switch)("connected", record, record.started_at)
        writer.submit(settlement(record))
        await asyncio.sleep(CALLS_EVERY_S)


def _is_recalled(switch: Switch) -> bool:
    known = getattr(_callers(switch), "_is_known", None)
    return known is None or known.is_set()


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():
            await asyncio.sleep(0.005)


def _callers(switch: Any) -> Any:
    """The callers that a build remembers."""
    return switch.shared.callers if hasattr(switch, "shared") else switch._callers


def _remember(switch: Any) -> Callable[..., Any]:
    """How a build is told that a call met a repeat rule."""
    callers = _callers(switch)
    return callers.remember if hasattr(callers, "remember") else callers.note


def _under_way(record: Any, channel_id: str) -> Any:
    """A call, as the build that is measured writes it down."""
    by_role: Any = {"caller": channel_id}
    return recovery.UnderWay(record, by_role if "parties" in recovery.UnderWay.__slots__ else channel_id, 1)


def _hand_over(switch: Switch, journal: journals.Journal) -> float:
    """How long it takes to leave CALLS_UNDER_WAY calls to the next switch."""
    sessions = switch._in_hand.sessions if hasattr(switch, "_in_hand") else switch._sessions  # type: ignore[attr-defined]
    for n in range(CALLS_UNDER_WAY):
        left = _under_way(make_call(n), f"channel-{n}")
        call = SimpleNamespace(keep=lambda left=left: journal.keep(left))
        sessions[object()] = SimpleNamespace(call=call, record=left.record)  # type: ignore[index, assignment]
    began = time.monotonic()
    assert switch.hand_over()
    return (time.monotonic() - began) * 1000


# What people and the AGI server ask


def ask(database: str, _count: str) -> Figures:
    """What one look-up takes, in ms: the median of five."""
    engine = engines.open_engine(f"sqlite:///{database}")
    call = make_call(1)
    calls.save(engine, [settlement(call)])
    with engines.reading(engine) as connection:
        some = connection.execute(text("SELECT id, ani, started_at FROM calls LIMIT 1 OFFSET 5000")).one()
    month = now_ms() - 28 * DAY_MS
    later = make_call(2, ani=some.ani, started_at=now_ms(), campaign="campaign-0")
    home = Path(database).parent
    told = home / "told.csv"

    async def nobody() -> set[str]:
        return set()

    outcomes = Outcomes(engine, geography.load(home), [told], nobody)

    def line(n: int) -> None:
        fields = [
            str(now_ms()),
            f"1700000000.{n}",
            "+18002000000",
            some.ani,
            "",
            "",
            "NOANSWER",
            "",
            "0",
            str(now_ms()),
        ]
        told.with_suffix(".aside").write_text(",".join(fields) + "\n")
        outcomes._save_aside(told)

    line(-1)  # what is read once is read
    asked: dict[str, Callable[[int], object]] = {
        "get": lambda _: calls.get(engine, some.id[:-1]),
        "adjust": lambda n: corrections.adjust(engine, call.id, f"case-{n}", 1, 0, now_ms(), "bad line"),
        "spend": lambda _: spending.talked_ms(engine, {"main": AGENTS}, {"main": month - month % DAY_MS}),
        "earlier": lambda _: calls.earlier_call(engine, later, "connected", "campaign"),
        "outcome": line,
    }
    return {f"{what}_ms": median(_ms(work, n) for n in range(5)) for what, work in asked.items()}


def _ms(work: Callable[[int], object], n: int) -> float:
    began = time.perf_counter()
    work(n)
    return (time.perf_counter() - began) * 1000


# An outage


def outage(folder: str, count: str) -> Figures:
    """Calls that end while the database is away, and then its return."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    journals.FILE_LIMIT //= 8  # what an hour comes to, in a minute
    home, engine = Path(folder), engines.open_engine(f"sqlite:///{folder}/outage.db")
    schema.upgrade(engine)
    journal = journals.Journal(home / "journal")
    journal.start()
    writer = _writer(engine, home / "spool", journal)
    ended, each = int(count), 2_000
    per_call_us = []
    with _away():
        for first in range(0, ended, each):
            cpu = time.process_time()
            for n in range(first, first + each):
                one = settlement(make_call(n))
                journal.keep(_under_way(one.record, f"channel-{n}"))
                writer.submit(one)
                time.sleep(0.0002)
            _wait(lambda first=first: len(writer._spool) >= first + each)  # type: ignore[misc]
            per_call_us.append((time.process_time() - cpu) / each * 1e6)
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    _wait(lambda: len(writer._spool) < ended)  # the database is asked again within a second
    began, there = time.monotonic(), len(writer._spool)
    _wait(lambda: not len(writer._spool) or time.monotonic() - began > 20)
    drained = (there - len(writer._spool)) / (time.monotonic() - began)
    writer.close(0.1)
    return {
        "first_us": per_call_us[0],
        "last_us": per_call_us[-1],
        "peak_mb": peak_mb,
        "drained_a_second": drained,
    }


@contextmanager
def _away() -> Iterator[None]:
    save = calls.save

    def nowhere(*_: object, **__: object) -> None:
        raise errors.DatabaseUnavailable("the database is away")

    calls.save = nowhere  # type: ignore[assignment]
    try:
        yield
    finally:
        calls.save = save


def _wait(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not is_so() and time.monotonic() < until:
        time.sleep(0.01)


def _writer(engine: Any, spool: Path, journal: journals.Journal) -> Any:
    """The journal forgets what is saved; where it can, what is in the spool."""
    forgets = "on_safe" if "on_safe" in inspect.signature(writers.Writer).parameters else "on_saved"
    return writers.Writer(engine, spools.Spool(spool), **{forgets: journal.settled})


# Caps under load


def capped(url: str, seconds: str) -> Figures:
    """Of a thousand calls those that get no answer in time: 50 a second, which are saved, while reports are rebuilt."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    engine = engines.open_engine(url)
    schema.upgrade(engine)
    with TemporaryDirectory() as folder:
        writer = _writer(engine, Path(folder), SimpleNamespace(settled=lambda _: None))  # type: ignore[arg-type]
        for first in range(10_000, 14_000, 500):
            calls.save(engine, [settlement(make_call(n)) for n in range(first, first + 500)])
        caps = serving_caps.Caps(engine)
        rebuilding = subprocess.Popen((sys.executable, "-S", "-P", __file__, "rebuild_reports", url))
        time.sleep(
            2
        )  # until its lanes are connected, as a switch's are before its first call, and that is at work
        try:
            return asyncio.run(_capped(caps, writer, float(seconds)))
        finally:
            rebuilding.terminate()
            rebuilding.wait()


async def _capped(caps: serving_caps.Caps, writer: writers.Writer, seconds: float) -> Figures:
    answers = []

    async def one(n: int) -> None:
        record = make_call(n)
        claim = counters.Claim("campaign:plumbing:qualified:day", periods.Period(0, None), 1, 10**6, "full")
        wish = counters.Wanted(record.id, (claim,), None, {"agent-1": ()}, now_ms(), now_ms() + DAY_MS)
        asked = time.perf_counter()
        answer = await caps.reserve(wish)
        is_late = time.perf_counter() - asked > LATE_S
        answers.append(is_late or bool(answer.left_out) or answer.capped is not None)
        writer.submit(settlement(record))

    calls_made = []
    for n in range(int(50 * seconds)):
        calls_made.append(asyncio.create_task(one(n)))
        await asyncio.sleep(0.02)
    await asyncio.gather(*calls_made)
    await asyncio.to_thread(writer.close, 20.0)
    return {"late_thousandths": 1000 * sum(answers) / len(answers)}


def rebuild_reports(url: str) -> Figures:
    """`reports rebuild`, over and over until it is ended, in a process of its own as an operator's."""
    engine = engines.open_engine(url)
    while True:
        rebuild.rebuild_day(engine, COUNTED_ANEW - COUNTED_ANEW % DAY_MS)
        time.sleep(0.2)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    probes = (make, upgrade, serve, act, ask, outage, capped, rebuild_reports)
    probe = {p.__name__: p for p in probes}[sys.argv[1]]
    print(json.dumps(probe(*sys.argv[2:])))
