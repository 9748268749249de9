"""Rollups made anew from the calls, a day at a time: for calls that were saved before there were rollups."""

from __future__ import annotations

from sqlalchemy import Engine, func, select

from ari_app.domain.rollups import HOUR_MS
from ari_app.store import calls, rollups
from ari_app.store.engine import reading, writing
from ari_app.store.tables import calls as calls_table

DAY_MS = 24 * HOUR_MS


def rebuild(engine: Engine) -> int:
    """Counts every call anew and returns how many there are.

    Each day is a transaction of its own, in which no other call is counted: a running switch's calls wait
    to be saved for no longer than a day's take to be counted. Stopped half-way, it may be begun again.
    """
    counted = 0
    for day_at in _days(engine):
        with writing(engine) as connection:
            rollups.clear(connection, day_at, day_at + DAY_MS)
            for page in calls.between(connection, day_at, day_at + DAY_MS):
                rollups.add(connection, page)
                counted += len(page)
    return counted


def _days(engine: Engine) -> range:
    """The UTC days that calls or counters are of."""
    bounds = [select(func.min(calls_table.c.started_at), func.max(calls_table.c.started_at))]
    bounds += [select(func.min(table.c.hour_at), func.max(table.c.hour_at)) for table in rollups.TABLES]
    with reading(engine) as connection:
        found = [at for query in bounds for at in connection.execute(query).one() if at is not None]
    if not found:
        return range(0)
    return range(min(found) // DAY_MS * DAY_MS, max(found) + 1, DAY_MS)
