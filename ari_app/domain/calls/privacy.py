"""Erasing a caller: the call record keeps what the call cost and why; who called is removed."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ari_app.domain.calls import recording
from ari_app.domain.calls.record import CallRecord, ClauseResult, TimelineEvent
from ari_app.domain.calls.timeline import EventName

ERASED = "[erased]"
_KEYED = (EventName.ENTERED, EventName.ENTERED_WRONGLY)  # events that quote what the caller pressed


def erase(record: CallRecord, now: int) -> None:
    """Takes the person out of a record: the number, what was keyed in, the ZIP code, who
    diverted the call. Doing it again is harmless.

    The files of the recording must be deleted before. These stay in the record: times, legs, money, the verdict, the
    state, and answers whose words are the flow's own (`service: repair`).
    """
    personal = {record.ani, record.place.zip, *filter(str.isdigit, record.answers.values())} - {None}
    record.ani = record.place.zip = None
    record.diversion, record.history_info = [], []
    record.answers = {name: value for name, value in record.answers.items() if not value.isdigit()}
    hidden = sorted((text for text in personal if text), key=len, reverse=True)
    for event in record.events:
        event.detail = ERASED if event.what in _KEYED else _scrubbed(event.detail, hidden)
    for exclusion in record.excluded:
        exclusion.reason = _scrubbed(exclusion.reason, hidden)
    for clause in _clauses(record):
        clause.detail = _scrubbed(clause.detail, hidden)
    if record.conversion is not None:
        record.conversion.ref = None
    recording.delete(record, "the caller is erased", now)
    record.events.append(
        TimelineEvent(now, EventName.ERASED, "the caller's number and entries, on request or by age")
    )


def _clauses(record: CallRecord) -> Iterator[ClauseResult]:
    if record.qualification is not None:
        yield from record.qualification.clauses
        for part in record.qualification.parts:
            yield from part.clauses


def _scrubbed(text: str, personal: Collection[str]) -> str:
    for word in personal:
        text = text.replace(word, ERASED)
    return text
