"""How many calls wait longer than 50 ms for an answer about caps and funds, while others are at work.

`measure` makes a PostgreSQL with history and asks for a call's reservation RATE times a second, as the switch does, and
saves each call a while later; meanwhile another process (`python -m tests.bench.contention JOB URL`) rebuilds reports,
imports conversions, issues an invoice, or pays publishers, again and again.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from sqlalchemy import Engine

from ari_app.domain.basics.periods import Period
from ari_app.domain.caps.counters import BUDGET_MS, Claim, Funds, Wanted
from ari_app.domain.ledger.bills import Party, period_of
from ari_app.domain.ledger.payouts import Run
from ari_app.domain.ledger.transfers import deposit
from ari_app.domain.terms.conversions import Told
from ari_app.serving.caps import Caps
from ari_app.store.calls import calls, rebuild
from ari_app.store.calls.calls import Settlement
from ari_app.store.calls.spool import Spool
from ari_app.store.calls.writer import Writer
from ari_app.store.db import schema
from ari_app.store.db.engine import open_engine
from ari_app.store.ledger import ledger
from ari_app.store.money import bills, conversions, payouts
from ari_app.wiring.process import SWITCH_INTERVAL_S
from tests.samples import BEGAN, make_call, settlement, waiting
from tests.store.postgres import running_cluster

RATE = 50  # calls a second
SECONDS = 10
HISTORY = 20_000
CONVERSIONS = 5_000
LATE_MS = 50.0
TARGET = 0.001  # late, of all
_TALKS_S = 3.0
_NOW = BEGAN + 30 * 86_400_000
_CAMPAIGNS = 4


@dataclass(frozen=True, slots=True)
class Phase:
    """What happened while something was at work: calls asked for, late answers, calls turned away, times taken."""

    work: str
    rounds: int
    asked: int
    late: int
    turned_away: int
    p50_ms: float
    p99_ms: float


def measure() -> Iterator[Phase]:
    """Each phase: at rest, and then with each of the jobs."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)  # as the switch does: lanes and writer share one interpreter
    with running_cluster() as url, tempfile.TemporaryDirectory(prefix="callrace-bench-") as folder:
        engine = open_engine(url, is_serving=True)
        schema.upgrade(engine)
        _prepare(engine)
        writer, caps = Writer(engine, Spool(Path(folder) / "spool")), Caps(engine)
        time.sleep(1)  # until the lanes are connected
        first = 10**6
        for job in ("nothing", *JOBS):
            yield asyncio.run(_phase(job, url, caps, writer, first))
            first += 10**5
        writer.close(60)
        engine.dispose()


def _prepare(engine: Engine) -> None:
    ledger.post(engine, deposit("d", "acme", 10**12, "USD", BEGAN))
    for start in range(0, HISTORY, 200):
        calls.save(engine, [settlement(make_call(n)) for n in range(start, start + 200)])
    for start in range(HISTORY, HISTORY + CONVERSIONS, 200):
        calls.save(engine, [settlement(waiting(n, days=60)) for n in range(start, start + 200)])


async def _phase(job: str, url: str, caps: Caps, writer: Writer, first: int) -> Phase:
    random, took_ms, away = Random(job), [], 0
    command = [sys.executable, "-m", "tests.bench.contention", job, url]
    at_work = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    loop, began = asyncio.get_running_loop(), time.monotonic()
    tasks = []

    async def one(n: int) -> None:
        nonlocal away
        campaign = f"campaign-{random.randrange(_CAMPAIGNS)}"
        record = replace(make_call(n), campaign=campaign)
        asked = time.perf_counter()
        answer = await caps.reserve(_wish(record.id, campaign))
        took_ms.append((time.perf_counter() - asked) * 1000)
        if answer.left_out or answer.capped:
            away += 1
            return
        caps.release_losers(record.id, "agent-1")
        await asyncio.sleep(random.uniform(0, _TALKS_S))
        writer.submit(Settlement(record, settlement(record).transfers))

    for n in range(RATE * SECONDS):
        tasks.append(loop.create_task(one(first + n)))
        await asyncio.sleep(max(0, began + n / RATE - time.monotonic()))
    await asyncio.gather(*tasks)
    with suppress(ProcessLookupError):  # who does nothing has ended
        at_work.terminate()
    rounds = len((await at_work.communicate())[0].splitlines())
    took_ms.sort()
    late = sum(one > LATE_MS for one in took_ms)
    median, p99 = took_ms[len(took_ms) // 2], took_ms[len(took_ms) * 99 // 100]
    return Phase(job, rounds, len(took_ms), late, away, median, p99)


def _wish(call_id: str, campaign: str) -> Wanted:
    """A campaign's, a publisher's and an advertiser's caps, one of a destination, and funds."""
    day = Period(0, None)
    keys = (
        f"campaign:{campaign}:qualified:day",
        "publisher:homefix:qualified:day",
        "advertiser:acme:amount:day:USD",
    )
    claims = tuple(Claim(key, day, 1, 10**9, "full") for key in keys)
    funds = Funds("advertiser:acme", "USD", 4200, 0, "no funds")
    agents = {"agent-1": (Claim("destination:agent-1:qualified:day", day, 1, 10**9, "full"),), "agent-2": ()}
    return Wanted(call_id, claims, funds, agents, BEGAN, BEGAN * 2)


# What is at work meanwhile, in a process of its own: a line a round


def _rebuild(engine: Engine) -> None:
    for day in rebuild.days(engine):
        rebuild.rebuild_day(engine, day)


def _import(engine: Engine) -> None:
    told = [Told(waiting(n).id, _NOW, f"order-{n}") for n in range(HISTORY, HISTORY + CONVERSIONS)]
    conversions.tell(engine, told, _NOW)


def _invoice(engine: Engine) -> None:
    party = Party("invoice", "acme", "Acme", "USD")
    bills.issue(engine, party, period_of("2025-11", "UTC"), _NOW * 2)


def _pay(engine: Engine) -> None:
    payouts.run(engine, Run("run", _NOW * 2, "USD", _NOW * 2, 0, 1))


JOBS: dict[str, Callable[[Engine], None]] = {
    "reports rebuild": _rebuild,
    f"conversions import, {CONVERSIONS:,}": _import,
    "invoices issue": _invoice,
    "payouts run": _pay,
}


def _work(job: str, url: str) -> None:
    engine = open_engine(url)
    while job in JOBS:
        JOBS[job](engine)
        print(job, flush=True)


def report() -> str:
    """The section of RESULTS.md."""
    lines = [
        "## Late answers about caps and funds while others are at work",
        "",
        f"PostgreSQL, {RATE} calls a second for {SECONDS} s each, every one with four caps and funds, {_CAMPAIGNS}",
        f"campaigns of one advertiser and publisher, {HISTORY:,} calls before. Late: no answer in {LATE_MS:g} ms;",
        f"turned away: none in {BUDGET_MS} ms.",
        "Another process does the work, again and again.",
        "",
        "| at work | rounds | calls | late | turned away | answer p50 ms | p99 ms | target, late | met |",
        "|---|---:|---:|---:|---:|---:|---:|---|---|",
    ]
    for phase in measure():
        target = f"{TARGET:.1%} at most" if phase.work == "nothing" else "none more"
        is_met = "yes" if phase.late <= TARGET * phase.asked else "**no**"
        lines.append(
            f"| {phase.work} | {phase.rounds} | {phase.asked:,} | {phase.late} | {phase.turned_away} "
            f"| {phase.p50_ms:.1f} | {phase.p99_ms:.1f} | {target} | {is_met} |"
        )
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    _work(*sys.argv[1:])
