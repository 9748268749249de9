"""Recordings: which calls have one, and their files. Files are deleted first; then the call's timeline says so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import ColumnElement, Engine, select

from ari_app.domain.basics.audit import Entry
from ari_app.domain.calls import recording
from ari_app.domain.calls.record import track_files
from ari_app.domain.calls.recording import Recording
from ari_app.store.calls import calls
from ari_app.store.db import auditlog
from ari_app.store.db.engine import reading, retried, writing
from ari_app.store.db.errors import FilesStay
from ari_app.store.db.tables import calls as call_table
from ari_app.store.db.tables import recordings

_AT_ONCE = 500  # calls in one transaction
_WAV_HEADER = 44  # bytes


def latest(engine: Engine, limit: int) -> list[Recording]:
    """The newest recordings, newest first; deleted ones too."""
    columns = (recordings.c.call_id, call_table.c.campaign, *list(recordings.c)[1:])
    query = select(*columns).join(call_table).order_by(recordings.c.started_at.desc()).limit(limit)
    with reading(engine) as connection:
        return [Recording(*row) for row in connection.execute(query)]


def delete(
    engine: Engine, folder: Path, call_id: str, why: str, now: int, entry: Entry | None = None
) -> bool:
    """Deletes a call's recording; False when it has none, or none any more. `now` in ms; `entry`: the audit log's line.

    Raises StoreError.
    """
    return _delete(engine, folder, recordings.c.call_id == call_id, why, now, entry) == 1


def expire(engine: Engine, folder: Path, now: int, entry: Entry | None = None) -> int:
    """Deletes the recordings whose time is over; returns how many. Raises StoreError.

    `entry`: the audit log's line for each, without its subject.
    """
    why = "it was kept for as long as agreed"
    return _delete(engine, folder, recordings.c.keep_until <= now, why, now, entry)


def _delete(
    engine: Engine, folder: Path, which: ColumnElement[bool], why: str, now: int, entry: Entry | None
) -> int:
    """Ends, because each round finds fewer recordings: deleted ones, and those that cannot be deleted, are left out.

    Raises FilesStay at the end, when all others are deleted.
    """
    query = select(recordings.c.call_id).where(which, recordings.c.deleted_at.is_(None))
    count, stuck = 0, dict[str, FilesStay]()
    while len(stuck) < _AT_ONCE:
        with reading(engine) as connection:
            found = query.where(recordings.c.call_id.not_in(stuck)).order_by(recordings.c.keep_until)
            ids = connection.execute(found.limit(_AT_ONCE)).scalars().all()
        for call_id in ids:
            try:
                remove_files(folder, call_id)
            except FilesStay as error:
                stuck[call_id] = error
        count += _note(engine, [one for one in ids if one not in stuck], why, now, entry)
        if len(ids) < _AT_ONCE:
            break
    if stuck:
        raise FilesStay(f"{count} recordings are deleted, {len(stuck)} are not: {next(iter(stuck.values()))}")
    return count


@retried
def _note(engine: Engine, ids: Sequence[str], why: str, now: int, entry: Entry | None) -> int:
    """Notes that the recordings of these calls were deleted; returns of how many calls."""
    with writing(engine) as connection:  # other changes made meanwhile stay
        records = calls.locked(connection, ids).values()
        for record in records:
            recording.delete(record, why, now)
            calls.rewrite(connection, record)
        auditlog.note_each(connection, entry, [record.id for record in records])
    return len(records)


def paths(folder: Path, call_id: str) -> list[Path]:
    """Where the tracks of a call are, if it has any."""
    return [folder / name for name in track_files(call_id).values()]


def is_there(folder: Path, call_id: str) -> bool:
    """Whether both tracks hold anything. Raises OSError when the folder may not be looked into."""
    return all(path.exists() and path.stat().st_size > _WAV_HEADER for path in paths(folder, call_id))


def remove_files(folder: Path, call_id: str) -> None:
    """Deletes the tracks of a call, also if no record mentions them. Raises FilesStay."""
    try:
        for path in paths(folder, call_id):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise FilesStay(
            f"{error.filename} cannot be deleted: {error.strerror}; its call stays as it was"
        ) from error
