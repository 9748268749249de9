"""Rebuilds rollups from calls and transfers, a day at a time: for calls that were saved before there were rollups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, select, text

from ari_app.domain.basics.audit import Entry
from ari_app.domain.reports.rollups import HOUR_MS, Counts
from ari_app.store.calls import calls
from ari_app.store.db import auditlog
from ari_app.store.db.atomic_files import locked
from ari_app.store.db.engine import reading, retried, writing
from ari_app.store.db.tables import calls as calls_table
from ari_app.store.db.tables import transfers
from ari_app.store.ledger import ledger
from ari_app.store.reports import rollups
from ari_app.store.reports.rollups import ByTable

DAY_MS = 24 * HOUR_MS
_REBUILD_LOCK = 0x434F554E  # "COUN": PostgreSQL's advisory lock of two rebuilds at once


def days(engine: Engine) -> range:
    """The UTC days that may have calls, transfers or counters, by their beginnings in ms."""
    bounds = [
        select(func.min(calls_table.c.started_at), func.max(calls_table.c.started_at)),
        select(func.min(transfers.c.at), func.max(transfers.c.at)).where(transfers.c.call_id.is_not(None)),
    ]
    bounds += [select(func.min(table.c.hour_at), func.max(table.c.hour_at)) for table in rollups.TABLES]
    with reading(engine) as connection:
        found = [at for query in bounds for at in connection.execute(query).one() if at is not None]
    if not found:
        return range(0)
    return range(min(found) // DAY_MS * DAY_MS, max(found) + 1, DAY_MS)


@retried
def rebuild_day(engine: Engine, day_at: int, entry: Entry | None = None) -> int:
    """Counts the calls and transfers of one of the `days` again, and returns how many calls there are.

    If counters were wrong, `entry` is added to the audit log.

    Calls and counters are read as of one moment, and only the difference is booked. A call that is
    saved after that moment changes both, so it is counted once, and nobody has to wait.
    """
    until = day_at + DAY_MS
    with _alone(engine):
        with reading(engine) as connection:
            right, counted = _right(connection, day_at, until)
            missing = _difference(right, rollups.there(connection, day_at, until))
        if any(missing.values()):
            with writing(engine) as connection:
                rollups.change(connection, missing)
                rollups.drop_empty(connection, day_at, until)
                auditlog.note(connection, entry)
    return counted


def _right(connection: Connection, since: int, until: int) -> tuple[ByTable, int]:
    """What the calls and transfers themselves count, and how many calls there are."""
    right: dict[Table, defaultdict[Any, Counts]] = {table: defaultdict(Counts) for table in rollups.TABLES}
    counted = 0
    for page in calls.pages_between(connection, since, until):
        _add_up(right, rollups.counted(connection, page))
        counted += len(page)
    for moved in ledger.pages_between(connection, since, until):
        _add_up(right, rollups.counted_money(connection, moved))
    return dict(right), counted


def _add_up(right: Mapping[Table, dict[Any, Counts]], page: ByTable) -> None:
    for table, cells in page.items():
        for key, counts in cells.items():
            right[table][tuple(key)].update(counts)


def _difference(right: ByTable, there: ByTable) -> ByTable:
    """What must be added to the counters: only cells that are wrong."""
    missing: ByTable = {}
    for table in rollups.TABLES:
        cells = {}
        for key in right[table].keys() | there[table].keys():
            counts = Counts(right[table].get(key, {}))
            counts.subtract(there[table].get(key, {}))
            if any(counts.values()):
                cells[key] = counts
        missing[table] = cells
    return missing


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """Keeps others from rebuilding at the same time: two would book the same difference."""
    if engine.dialect.name == "sqlite":
        with locked(Path(engine.url.database or "").parent):
            yield
        return
    with writing(engine) as guard:
        guard.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _REBUILD_LOCK})
        yield
