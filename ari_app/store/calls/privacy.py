"""Erasing callers from saved records and from records in the spool. Their recordings are deleted first.

Transfers name no caller, and are never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import ColumnElement, Engine, select

from ari_app.domain.basics.audit import Entry
from ari_app.domain.calls.privacy import erase
from ari_app.domain.calls.record import CallRecord
from ari_app.store.calls.calls import locked, rewrite
from ari_app.store.calls.recordings import remove_files
from ari_app.store.calls.spool import Spool
from ari_app.store.db import auditlog
from ari_app.store.db.engine import reading, retried, writing
from ari_app.store.db.tables import calls

_AT_ONCE = 500  # calls in one transaction


def erase_caller(
    engine: Engine, spool: Spool, folder: Path, ani: str, now: int, entry: Entry | None = None
) -> int:
    """Erases a caller from every call; returns how many calls. `now` in ms; `folder` is that of the recordings.

    `entry`: the audit log's line for each saved call, without its subject. Calls under way are not changed. Raises
    StoreError; an error of the spool only after the saved calls are done.
    """
    try:
        count = _erase_spooled(spool, folder, lambda record: record.ani == ani, now)
    finally:
        saved = _erase_saved(engine, folder, calls.c.ani == ani, now, entry)
    return count + saved


def erase_before(
    engine: Engine, spool: Spool, folder: Path, before: int, now: int, entry: Entry | None = None
) -> int:
    """Erases the callers from calls that began before a moment (ms); returns how many calls. Raises StoreError.

    `entry` as in `erase_caller`.
    """
    is_old = calls.c.ani.is_not(None) & (calls.c.started_at < before)
    count = _erase_spooled(
        spool, folder, lambda record: record.ani is not None and record.started_at < before, now
    )
    return count + _erase_saved(engine, folder, is_old, now, entry)


def callers_before(engine: Engine, before: int) -> set[str]:
    """The numbers (E.164) of callers who called before a moment (ms), and not since."""
    old = select(calls.c.ani).where(calls.c.ani.is_not(None), calls.c.started_at < before).distinct()
    since = select(calls.c.ani).where(calls.c.ani.is_not(None), calls.c.started_at >= before)
    with reading(engine, is_much=True) as connection:
        return set(connection.execute(old.except_(since)).scalars())


def _erase_spooled(spool: Spool, folder: Path, is_wanted: Callable[[CallRecord], bool], now: int) -> int:
    """The spool comes before the saved calls: a switch may save at any moment what it has read from the spool."""

    def change(record: CallRecord) -> None:
        _erase(record, folder, now)

    return spool.amend(is_wanted, change)


def _erase_saved(
    engine: Engine, folder: Path, which: ColumnElement[bool], now: int, entry: Entry | None
) -> int:
    """Ends, because each round finds fewer calls: an erased call has no number."""
    count = 0
    while True:
        with reading(engine) as connection:
            found = select(calls.c.id).where(which).order_by(calls.c.id).limit(_AT_ONCE)
            ids = connection.execute(found).scalars().all()
        for call_id in ids:
            remove_files(folder, call_id)
        _erase_some(engine, ids, now, entry)
        count += len(ids)
        if len(ids) < _AT_ONCE:
            return count


@retried
def _erase_some(engine: Engine, ids: Sequence[str], now: int, entry: Entry | None) -> None:
    with writing(engine) as connection:  # other changes made meanwhile stay
        named = [record for record in locked(connection, ids).values() if record.ani is not None]
        for record in named:
            erase(record, now)
            rewrite(connection, record)
        auditlog.note_each(connection, entry, [record.id for record in named])


def _erase(record: CallRecord, folder: Path, now: int) -> None:
    remove_files(folder, record.id)
    erase(record, now)
