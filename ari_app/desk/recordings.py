"""Recordings of calls: listed and deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ari_app.access.actor import Actor
from ari_app.desk import checked
from ari_app.desk.calls import record_of
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.domain.basics.audit import Entry
from ari_app.domain.calls.record import CallRecord, track_files
from ari_app.domain.calls.recording import Recording
from ari_app.store.calls import recordings

State = Literal["kept", "missing", "deleted"]
"""`missing`: the files do not exist or are empty, as the disk was full or somebody has moved them."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A recording, its state, and the paths of its files (also of deleted ones)."""

    recording: Recording
    state: State
    files: Sequence[Path]


def latest(site: Site, limit: int) -> list[Listed]:
    """The newest recordings, newest first, including deleted ones. Raises OSError."""
    folder = site.settings.recordings
    return [
        Listed(one, _state(one, folder), recordings.paths(folder, one.call_id))
        for one in recordings.latest(site.engine, checked.limit(limit))
    ]


def track(site: Site, record: CallRecord, side: Literal["caller", "agent"]) -> Path:
    """The file of one side of a call's recording. Raises Refused when it has none, or none any more; OSError."""
    folder = site.settings.recordings
    tracks = record.recording
    if tracks is None or tracks.deleted_at is not None or not recordings.is_there(folder, record.id):
        raise Refused(Code.NO_RECORDING, call=record.id)
    return folder / track_files(record.id)[side]


def delete(site: Site, actor: Actor, call_id: str, reason: str) -> str:
    """Deletes a call's recording, and returns the call's full id. The call's record says who deleted it, when and why.

    Raises Refused, StoreError.
    """
    record, why = record_of(site, call_id), checked.line(reason, "reason")
    entry = Entry(site.now(), str(actor), "recordings.delete", record.id, {"reason": why})
    is_deleted = recordings.delete(
        site.engine, site.settings.recordings, record.id, f"by {actor}: {why}", entry.at, entry
    )
    if not is_deleted:
        raise Refused(Code.NO_RECORDING, call=record.id)
    return record.id


def expire(site: Site, actor: Actor) -> int:
    """Deletes the recordings whose retention time is over; returns how many. Raises StoreError."""
    entry = Entry(site.now(), str(actor), "recordings.expire", "")
    return recordings.expire(site.engine, site.settings.recordings, entry.at, entry)


def _state(recording: Recording, folder: Path) -> State:
    if recording.deleted_at is not None:
        return "deleted"
    return "kept" if recordings.is_there(folder, recording.call_id) else "missing"
