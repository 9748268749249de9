"""Whether the conversation was recorded, and what happened to the recording."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ari_app.domain.calls.record import CallRecord, track_files
from ari_app.domain.calls.timeline import EventName
from ari_app.views.explain.facts import detail_of, into
from ari_app.views.sections import Section
from ari_app.views.words import moment

_RECORDING: Mapping[str, str] = {
    EventName.RECORDING_ANNOUNCED: "The caller was told that the call may be recorded",
    EventName.RECORDING_NOT_ANNOUNCED: "The caller was not told that the call may be recorded",
    EventName.RECORDING_STARTED: "The recording began",
    EventName.RECORDING_ASSUMED: "The recording may have begun",
    EventName.NOT_RECORDED: "It was not recorded",
}


def section(record: CallRecord) -> Section:
    """What was announced, recorded, kept and deleted."""
    return Section("Was it recorded?", list(_recorded(record)))


def _recorded(record: CallRecord) -> Iterator[str]:
    for event in record.events:
        if event.what in _RECORDING:
            detail = f": {event.detail}" if event.detail else ""
            yield f"- {_RECORDING[event.what]}{detail}, {into(record, event.at)} into the call."
    tracks = record.recording
    if tracks is None:
        return
    if tracks.deleted_at is not None:
        reason = detail_of(record, EventName.RECORDING_DELETED)
        yield f"- It was deleted on {moment(tracks.deleted_at)}: {reason}."
    else:
        files = " and ".join(track_files(record.id).values())
        yield f"- {files} are kept until {moment(tracks.keep_until)}."
