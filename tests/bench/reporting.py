"""What a month's report takes over ten million calls.

Fills a PostgreSQL of its own, thrown away at the end, with a month of calls and their rollups, and times
reports: the query and the lines made of it, and the whole command in a process of its own. Ten million
calls take seven minutes and 20 GB in the temporary folder.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial
from itertools import accumulate
from random import Random
from statistics import median
from typing import Any, NamedTuple

from sqlalchemy import Engine, Table, func, select, text

from ari_app.domain.basics.states import STATE_NAMES
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.reports import reporting, rollups
from ari_app.domain.reports.forensics import by_party
from ari_app.domain.reports.rollups import HOUR_MS, CallKey, Cells, EndingKey, OfferKey
from ari_app.settings import REPOSITORY
from ari_app.store.calls.callrows import call_row
from ari_app.store.db import schema
from ari_app.store.db.engine import open_engine, reading
from ari_app.store.db.tables import calls, rollup_endings, rollup_offers
from ari_app.store.reports import rollups as stored
from tests.store.postgres import running_cluster
from tests.varied import varied_calls

CALLS = 10_000_000
MONTH_AT = 1_793_491_200_000  # 2026-11-01, UTC
HOURS = 30 * 24
CAMPAIGNS, PUBLISHERS, PUBLISHERS_A_CAMPAIGN, SOURCES, STATES = 40, 200, 10, 2, 50
PROTOTYPES = 400  # different courses that a call takes
PAYABLE_MS = 90_000
REPEATS = 5
TARGET_S = 1.0
LIMIT_S = 120
# Calls by the hour of the day, UTC: the United States' working hours weigh most.
BY_HOUR = (9, 7, 5, 4, 3, 2, 1, 1, 1, 1, 2, 4, 8, 12, 15, 16, 16, 16, 16, 16, 15, 14, 13, 11)

_MOVED = ("id", "campaign", "advertiser", "publisher", "source", "place_state")
_TIMES = ("started_at", "answered_at", "offered_at", "connected_at", "ended_at")
_NULL = r"\N"


class Party(NamedTuple):
    """Whose a call is, and where its caller was."""

    campaign: str
    advertiser: str
    publisher: str
    source: str
    state: str


@dataclass(frozen=True, slots=True)
class Prototype:
    """A course that a call takes: its line of COPY with what is moved left open, and the times' offsets."""

    record: CallRecord
    line: str
    offsets: tuple[int, ...]


@cache
def parties() -> tuple[list[Party], list[float]]:
    """All that there are, and how many calls each has to the others, added up: the first have the most."""
    found, weights = [], []
    for c in range(CAMPAIGNS):
        for p in range(PUBLISHERS_A_CAMPAIGN):
            publisher = f"publisher-{(c * 7 + p * 13) % PUBLISHERS}"
            for s in range(SOURCES):
                for n, state in enumerate(sorted(STATE_NAMES)[:STATES]):
                    found.append(
                        Party(f"campaign-{c}", f"advertiser-{c % 15}", publisher, f"source-{s}", state)
                    )
                    weights.append(1 / ((c + 1) * (p + 1) * (s + 1) * (n + 1)) ** 0.7)
    return found, list(accumulate(weights))


@cache
def prototypes() -> list[Prototype]:
    """Of every kind but those whose number was nobody's."""
    found = []
    for record in varied_calls(PROTOTYPES):
        if record.campaign is None:
            continue
        row = call_row(record)
        cells = [
            "%s" if name in _MOVED or (name in _TIMES and row[name]) else _copied(row[name])
            for name in _COLUMNS
        ]
        offsets = tuple(row[name] - record.started_at for name in _TIMES if row[name] is not None)
        found.append(Prototype(record, "\t".join(cells), offsets))
    return found


# The calls' columns, those that are moved first and the times next, as `Prototype.line` is filled in.
_COLUMNS = (*_MOVED, *_TIMES, *(c.name for c in calls.columns if c.name not in (*_MOVED, *_TIMES)))


def _copied(value: Any) -> str:
    """A cell of PostgreSQL's COPY, in a line that Python's % fills in."""
    if value is None:
        return _NULL
    escaped = str(value).replace("\\", r"\\").replace("\t", r"\t").replace("\n", r"\n")
    return escaped.replace("%", "%%")


# Filling the database


def fill(engine: Engine, url: str, count: int) -> None:
    """A month of calls with their rollups, an hour at a time, on every processor; their indexes are made last."""
    for index in calls.indexes:
        index.drop(engine)
    engine.dispose()  # or the other processes would inherit its connections
    shares = [0, *accumulate(BY_HOUR[hour % 24] for hour in range(HOURS))]
    firsts = [count * share // shares[-1] for share in shares]
    with ProcessPoolExecutor() as pool:
        hours = pool.map(partial(_fill_hour, url), range(HOURS), firsts, firsts[1:])
        for hour, done in enumerate(hours):
            if hour % 24 == 23:
                print(f"\r{done:,} calls", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    for index in calls.indexes:
        index.create(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _fill_hour(url: str, hour: int, first: int, end: int) -> int:
    """The calls from the `first` until before the `end`, all in one hour of the month; the `end`."""
    (known, weights), courses, random = parties(), prototypes(), Random(hour)
    drawn = list(
        zip(
            random.choices(known, cum_weights=weights, k=end - first),
            random.choices(range(len(courses)), k=end - first),
            strict=True,
        )
    )
    at = MONTH_AT + hour * HOUR_MS
    engine = open_engine(url)
    lines = (_line(at, first + n, party, courses[course]) for n, (party, course) in enumerate(drawn))
    _copy(engine, calls, _COLUMNS, lines)
    _copy_rollups(engine, _cells(at, Counter(drawn), courses))
    engine.dispose()
    return end


def _line(hour_at: int, n: int, party: Party, course: Prototype) -> str:
    began = hour_at + n * 7_919 % HOUR_MS
    times = [began + offset for offset in course.offsets]
    return course.line % (f"{began:013x}{n:010x}", *party, *times)


def _cells(hour_at: int, drawn: Mapping[tuple[Party, int], int], courses: Sequence[Prototype]) -> Cells:
    """What `rollups.count` gives for the calls, counting alike ones once; all money in the hour of its call."""
    cells = Cells()
    counts = [rollups.call_counts(course.record) for course in courses]
    for (party, n), times in drawn.items():
        record = courses[n].record
        key = CallKey(hour_at, *party[:4], "USD", party.state)
        cell = cells.calls[key]
        for name, value in counts[n].items():
            cell[name] += value * times
        if record.money is not None:
            cell["revenue"] += record.money.charged * times
            cell["payout"] += record.money.paid * times
        for leg in record.legs:
            offers = cells.offers[OfferKey(hour_at, *party[:2], f"{party.campaign}-{leg.destination}")]
            for name, value in rollups.offer_counts(leg).items():
                offers[name] += value * times
        if record.winner is not None:
            second = rollups.ending_second(record.durations_ms.connected, PAYABLE_MS)
            agent = f"{party.campaign}-{record.winner}"
            ending = EndingKey(hour_at, party.campaign, party.publisher, agent, PAYABLE_MS, second)
            cells.endings[ending]["connections"] += times
    return cells


def _copy_rollups(engine: Engine, cells: Cells) -> None:
    by_table: list[tuple[Table, Mapping[Any, Counter[str]]]] = [
        *((table, stored.projected(cells.calls, table)) for table in stored.CALL_TABLES),
        (rollup_offers, cells.offers),
        (rollup_endings, cells.endings),
    ]
    for table, rows in by_table:
        names = [column.name for column in table.columns]
        counters = [column.name for column in table.columns if not column.primary_key]
        lines = (
            "\t".join(map(str, (*key, *(counts[name] for name in counters)))) for key, counts in rows.items()
        )
        _copy(engine, table, names, lines)


def _copy(engine: Engine, table: Table, columns: Sequence[str], lines: Iterable[str]) -> None:
    connection = engine.raw_connection()
    try:
        with closing(connection.cursor()) as cursor:
            quoted = ", ".join(f'"{name}"' for name in columns)
            content = io.StringIO("".join(f"{line}\n" for line in lines))
            cursor.copy_expert(f"COPY {table.name} ({quoted}) FROM STDIN", content)
        connection.commit()
    finally:
        connection.close()


# Measuring


def measure(engine: Engine, url: str) -> Iterator[tuple[str, int, float, float, float]]:
    """Of each report: its name, lines, median and worst time, and the whole command's, in s."""
    until = MONTH_AT + HOURS * HOUR_MS
    period = ("--since", "2026-11-01", "--until", "2026-12-01", "--tz", "UTC")

    def by(column: str, **only: str) -> int:
        groups = stored.calls_by(engine, column, MONTH_AT, until, only)
        return len(reporting.lines(groups, lambda key: str(key), Fraction(0)))

    def offers() -> int:
        groups = stored.offers_by_destination(engine, MONTH_AT, until, {})
        return len(reporting.lines(groups, lambda key: str(key), Fraction(0)))

    def endings() -> int:
        found = (stored.endings(engine, party, MONTH_AT, until, {}) for party in ("destination", "publisher"))
        return sum(len(by_party(theirs)) for theirs in found)

    reports = {
        "by campaign": lambda: by("campaign"),
        "by hour": lambda: by("hour_at"),
        "by publisher": lambda: by("publisher"),
        "by source": lambda: by("source"),
        "by state": lambda: by("state"),
        "by state --publisher publisher-0": lambda: by("state", publisher="publisher-0"),
        "by destination": offers,
        "forensics": endings,
    }
    for name, report in reports.items():
        times = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            lines = report()
            times.append(time.perf_counter() - began)
        command = (sys.executable, "-m", "ari_app.cli.main", "reports", *name.split(), *period, "--json")
        began = time.perf_counter()
        subprocess.run(
            command,
            env={**os.environ, "CALLRACE_DATABASE_URL": url},
            cwd=REPOSITORY,
            stdout=subprocess.DEVNULL,
            timeout=LIMIT_S,
            check=True,
        )
        yield name, lines, median(times), max(times), time.perf_counter() - began


def _sizes(engine: Engine) -> Iterator[str]:
    with reading(engine) as connection:
        for table in (calls, *stored.TABLES):
            rows = connection.execute(select(func.count()).select_from(table)).scalar_one()
            size = connection.execute(select(func.pg_total_relation_size(table.name))).scalar_one()
            yield f"| {table.name} | {rows:,} | {size / 1024**2:,.0f} |"


def report() -> str:
    """The section of RESULTS.md."""
    with running_cluster() as url:
        engine = open_engine(url)
        schema.upgrade(engine)
        began = time.perf_counter()
        fill(engine, url, CALLS)
        took_s = time.perf_counter() - began
        sizes, reports = list(_sizes(engine)), list(measure(engine, url))
        engine.dispose()
    lines = [
        "## A month's reports",
        "",
        f"{CALLS:,} calls of one month on PostgreSQL, copied in within {took_s:.0f} s, their rollups with them.",
        "Median and worst of the query and the lines made of it; once the whole command, a new process.",
        f"To reach: under {TARGET_S:g} s.",
        "",
        "| report | lines | median s | worst s | command s | met |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for name, count, middle, worst, command in reports:
        is_met = "yes" if middle < TARGET_S else "**no**"
        lines.append(f"| {name} | {count:,} | {middle:.3f} | {worst:.3f} | {command:.2f} | {is_met} |")
    return "\n".join([*lines, "", "| table | rows | MB with indexes |", "|---|---:|---:|", *sizes, ""])
