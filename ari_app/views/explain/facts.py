"""What several sections read of a record."""

from __future__ import annotations

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.calls.timeline import EventName
from ari_app.views.words import duration


def detail_of(record: CallRecord, what: EventName) -> str:
    """What the timeline says of such an event, the last one; no reason where it has none."""
    details = [event.detail for event in record.events if event.what == what and event.detail]
    return details[-1] if details else "no reason was recorded"


def into(record: CallRecord, at: int) -> str:
    """How long after the call began a moment (ms) is."""
    return duration(at - record.started_at)
