"""The IVR's questions, the caller's answers, and the caller's place that follows from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.calls.timeline import EventName
from ari_app.views.explain.facts import Sees
from ari_app.views.explain.place import place_text
from ari_app.views.sections import Section
from ari_app.views.words import sentence

_ENTERED: Mapping[str, str] = {
    EventName.ENTERED: "the caller entered {}",
    EventName.ENTERED_WRONGLY: "the caller entered {}, which is no valid answer",
    EventName.ENTERED_NOTHING: "the caller pressed nothing",
}


def section(record: CallRecord, sees: Sees) -> Section:
    """What the caller was asked and answered, and where the caller is."""
    return Section("What the caller told us", list(_answers(record)) if sees("answers") else [])


@dataclass(frozen=True, slots=True)
class Question:
    """One question of the IVR and its result."""

    what: str
    text: str


def questions(record: CallRecord) -> Iterator[Question]:
    """The questions in the order in which they were asked, with repetitions."""
    node = ""
    for event in record.events:
        if event.what == EventName.ASKED:
            node = event.detail
        elif event.what in _ENTERED:
            yield Question(event.what, f'asked "{node}", {_ENTERED[event.what].format(event.detail)}')


def _answers(record: CallRecord) -> Iterator[str]:
    if record.disposition in ("blocked", "closed", "unknown_number"):
        return
    for question, times in groupby(questions(record)):
        count = len(list(times))
        yield f"- {sentence(question.text + (f' ({count} times)' if count > 1 else ''))}"
    if record.answers:
        answers = ", ".join(f"{name} = {value}" for name, value in record.answers.items())
        yield f"- So the answers are: {answers}."
    else:
        yield "- The caller answered no questions."
    if record.disposition == "abandoned_ivr" and record.place.from_ == "unknown":
        return
    yield f"- {place_text(record.place, record.ani)}"
