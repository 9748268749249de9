"""How many settled calls a second the writer saves, each with four legs, its timeline and its transfers."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ari_app.store.calls.spool import Spool
from ari_app.store.calls.writer import Writer
from ari_app.store.db import schema
from ari_app.store.db.engine import open_engine
from tests.samples import make_call, settlement
from tests.store.postgres import running_cluster

CALLS = 5_000
LIMIT_S = 120.0
REPEATS = 3
TARGETS = {"SQLite": 500, "PostgreSQL": 1_000}  # a second


def measure() -> Iterator[tuple[str, list[float]]]:
    """Of each database, the calls a second of every repeat."""
    with tempfile.TemporaryDirectory(prefix="callrace-bench-") as folder:
        yield "SQLite", _rates(f"sqlite:///{folder}/callrace.db", Path(folder))
        with running_cluster() as url:
            yield "PostgreSQL", _rates(url, Path(folder))


def _rates(url: str, folder: Path) -> list[float]:
    engine = open_engine(url)
    schema.upgrade(engine)
    rates = [_rate(Writer(engine, Spool(folder / "spool")), run * CALLS) for run in range(REPEATS)]
    engine.dispose()
    return rates


def _rate(writer: Writer, first: int) -> float:
    settlements = [settlement(make_call(n)) for n in range(first, first + CALLS)]
    began = time.perf_counter()
    for one in settlements:
        writer.submit(one)
    if not writer.flush(LIMIT_S):
        raise TimeoutError(f"{CALLS} calls were not saved in {LIMIT_S:g} s")
    rate = CALLS / (time.perf_counter() - began)
    writer.close(LIMIT_S)
    return rate


def report() -> str:
    """The section of RESULTS.md."""
    lines = [
        "## Settlements a second",
        "",
        f"{CALLS:,} calls, {REPEATS} times, given to the writer at once; it saves them in its batches, each in a",
        "transaction with legs, transfers, rollups and what was reserved. Median and worst of the repeats.",
        "",
        "| database | calls a second | worst | target | met |",
        "|---|---:|---:|---:|---|",
    ]
    for database, rates in measure():
        middle, target = sorted(rates)[REPEATS // 2], TARGETS[database]
        is_met = "yes" if middle >= target else "**no**"
        lines.append(f"| {database} | {middle:,.0f} | {min(rates):,.0f} | at least {target:,} | {is_met} |")
    return "\n".join([*lines, ""])
