"""What several sections read from a record."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.calls.timeline import EventName
from ari_app.views.words import duration

Sees = Callable[[str], bool]
"""Whether the reader may see a topic as it is: `price`, `payout`, `margin`, ... (docs/access.md)."""


def everything(_topic: str) -> bool:
    """The reader is the operator, and sees every topic."""
    return True


def joined(phrases: Iterable[str]) -> str:
    """Phrases as one sentence's: `a was charged 1.00 USD, and b was paid 0.50 USD`."""
    return ", and ".join(phrases)


def detail_of(record: CallRecord, what: EventName) -> str:
    """The detail of the last such event in the timeline; if there is none, a text that says so."""
    details = [event.detail for event in record.events if event.what == what and event.detail]
    return details[-1] if details else "no reason was recorded"


def into(record: CallRecord, at: int) -> str:
    """How long after the beginning of the call a time (ms) is."""
    return duration(at - record.started_at)
