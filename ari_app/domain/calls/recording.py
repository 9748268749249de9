"""Recording a conversation: in two tracks, the caller's and the agent's, from when both are connected.

Where all parties must consent, the caller is told before any phone is rung, so that nobody who has taken the call
waits for it; who stays consents. So is a caller who may be anywhere: one whose place is unknown, or only guessed
from the number that was called. Agents know by contract.

What is announced, begun, not begun and deleted is in the call's timeline.
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
    """A recording: whose, how long it is kept, and when it was deleted. Times in ms."""

    call_id: str
    campaign: str | None
    started_at: int
    keep_until: int
    deleted_at: int | None


def why_announced(consent: Consent, place: Place) -> str | None:
    """Why a caller who is there has to be told of the recording; None: it need not be said."""
    if consent.everywhere:
        return "every caller is told"
    if place.state is None or place.from_ == "did":
        return "where the caller is, is not known"
    return f"{place.state} asks for it" if place.state in consent.states else None


def may_have_begun(record: CallRecord) -> bool:
    """Whether a call of which no recording is on record, as the switch died, may be recorded all the same."""
    if record.connected_at is None or record.recording is not None:
        return False
    told = {event.what for event in record.events}
    return (
        bool(told & {EventName.RECORDING_ANNOUNCED, EventName.RECORDING_NOT_ANNOUNCED})
        and EventName.NOT_RECORDED not in told
    )


def delete(record: CallRecord, why: str, now: int) -> None:
    """Writes down that the recording, if there is one, is gone. Doing it again is harmless."""
    if record.recording is not None and record.recording.deleted_at is None:
        record.recording.deleted_at = now
        record.events.append(TimelineEvent(now, EventName.RECORDING_DELETED, why))
