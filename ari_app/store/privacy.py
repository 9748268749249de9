"""Forgetting callers in the records that are saved. Transfers name no caller, and are never touched."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Engine, select, update

from ari_app.domain.privacy import erase
from ari_app.store.calls import call_row, records
from ari_app.store.engine import writing
from ari_app.store.tables import calls

_AT_ONCE = 500  # calls in one transaction


def erase_caller(engine: Engine, ani: str, now: int) -> int:
    """Takes a caller out of every call; how many there were. `now` in ms."""
    return _erase(engine, calls.c.ani == ani, now)


def erase_before(engine: Engine, before: int, now: int) -> int:
    """Takes the callers out of the calls that began before a moment (ms); how many there were."""
    return _erase(engine, calls.c.ani.is_not(None) & (calls.c.started_at < before), now)


def _erase(engine: Engine, which: ColumnElement[bool], now: int) -> int:
    """Each round finds fewer: an erased call has no number any more."""
    count = 0
    while True:
        with writing(engine) as connection:
            rows = connection.execute(select(calls).where(which).order_by(calls.c.id).limit(_AT_ONCE)).all()
            for record in records(connection, rows):
                erase(record, now)
                connection.execute(update(calls).where(calls.c.id == record.id).values(call_row(record)))
        count += len(rows)
        if len(rows) < _AT_ONCE:
            return count
