"""Rollups made anew from the calls, a day at a time: for calls that were saved before there were rollups."""

from __future__ import annotations

from sqlalchemy import Engine, func, select

from ari_app.domain.rollups import HOUR_MS
from ari_app.store import calls, rollups
from ari_app.store.engine import reading, writing
from ari_app.store.tables import calls as calls_table

DAY_MS = 24 * HOUR_MS


def days(engine: Engine) -> range:
    """The UTC days that there may be calls or counters of, by their beginnings in ms."""
    bounds = [select(func.min(calls_table.c.started_at), func.max(calls_table.c.started_at))]
    bounds += [select(func.min(table.c.hour_at), func.max(table.c.hour_at)) for table in rollups.TABLES]
    with reading(engine) as connection:
        found = [at for query in bounds for at in connection.execute(query).one() if at is not None]
    if not found:
        return range(0)
    return range(min(found) // DAY_MS * DAY_MS, max(found) + 1, DAY_MS)


def rebuild_day(engine: Engine, day_at: int) -> int:
    """Counts the calls of one of the `days` anew, in one transaction, and returns how many there are.

    No other call is counted meanwhile: a running switch's calls wait to be saved until it ends.
    """
    counted = 0
    with writing(engine) as connection:
        rollups.clear(connection, day_at, day_at + DAY_MS)
        for page in calls.pages_between(connection, day_at, day_at + DAY_MS):
            rollups.add(connection, page)
            counted += len(page)
    return counted
