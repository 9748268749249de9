"""Recording a conversation in two tracks, the caller's and the agent's, from the moment both are connected.

In a state where all parties must consent, the caller is told before any phone is rung, so no agent waits for the
announcement. A caller who stays on the line consents. A caller who may be anywhere is told, too: the place is unknown,
or was only taken from the number that was called. Agents know by contract.

The timeline of the call says what was announced, started, not started and deleted.
"""

from __future__ import annotations

from typing import NamedTuple

from ari_app.domain.calls.geo import Place
from ari_app.domain.calls.record import CallRecord, TimelineEvent
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.market.campaigns import Consent


class NotRecorded(Exception):
    """The call is not recorded; the message says why."""


class Recording(NamedTuple):
    """A recording: of which call, until when it is kept, and when it was deleted. Times in ms."""

    call_id: str
    campaign: str | None
    started_at: int
    keep_until: int
    deleted_at: int | None


def why_announced(consent: Consent, place: Place) -> str | None:
    """Why a caller at this place must be told of the recording; None: the caller need not be told."""
    if consent.everywhere:
        return "every caller is told"
    if place.state is None or place.from_ == "did":
        return "where the caller is, is not known"
    return f"{place.state} asks for it" if place.state in consent.states else None


def may_have_begun(record: CallRecord) -> bool:
    """Whether a call may have been recorded although its record has no recording, because the switch died."""
    if record.connected_at is None or record.recording is not None:
        return False
    told = {event.what for event in record.events}
    return (
        bool(told & {EventName.RECORDING_ANNOUNCED, EventName.RECORDING_NOT_ANNOUNCED})
        and EventName.NOT_RECORDED not in told
    )


def delete(record: CallRecord, why: str, now: int) -> None:
    """Notes in the record that the recording, if there is one, was deleted. Doing it again is harmless."""
    if record.recording is not None and record.recording.deleted_at is None:
        record.recording.deleted_at = now
        record.events.append(TimelineEvent(now, EventName.RECORDING_DELETED, why))
