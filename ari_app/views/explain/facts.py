"""What several sections read from a record."""

from __future__ import annotations

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.calls.timeline import EventName
from ari_app.views.words import duration


def detail_of(record: CallRecord, what: EventName) -> str:
    """The detail of the last such event in the timeline; if there is none, a text that says so."""
    details = [event.detail for event in record.events if event.what == what and event.detail]
    return details[-1] if details else "no reason was recorded"


def into(record: CallRecord, at: int) -> str:
    """How long after the beginning of the call a time (ms) is."""
    return duration(at - record.started_at)
