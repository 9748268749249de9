"""A call's timeline as text for readers who have never seen the code. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ari_app.domain.calls.record import CallRecord, TimelineEvent
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.market.flows import Flow
from ari_app.views.callsheet import offset
from ari_app.views.explain import place_text

# The text for each event; {} is its detail.
_OF_THE_CALL: Mapping[str, str] = {
    EventName.RECEIVED: "{}",
    EventName.ATTRIBUTED: "this number belongs to: {}",
    EventName.CALL_ANSWERED: "Callrace answered",
    EventName.ENTERED: "the caller pressed {}",
    EventName.EXCLUDED: "left out: {}",
    EventName.NOBODY_ELIGIBLE: "nobody could take this call, so no phone was rung",
    EventName.NOBODY_LEFT: "nobody was left to ring",
    EventName.FALLBACK: "the caller heard the announcement {}",
    EventName.CALLER_HUNG_UP: "the caller hung up",
    EventName.AGENT_HUNG_UP: "the agent hung up",
    EventName.JUDGED: "the verdict: {}",
}
# The text for events of phones; events of several phones at the same time share a line. {} is the phones' names.
_OF_PHONES: Mapping[str, str] = {
    EventName.OFFERED: "dialled {}",
    EventName.RINGING: "ringing: {}",
    EventName.ANSWERED: "{} picked up",
    EventName.ACCEPTED: "first acceptance: {} gets the call",
    EventName.CONNECTED: "{} and the caller were connected",
}
_GONE = {
    "cause 0": "could not be reached: {}",
    "cause 17": "busy: {}",
    "cause 26": "let go as answered elsewhere (cause 26: no missed call is logged): {}",
}
# Left out in a demo, as other lines say enough; `callrace calls show` has every event.
_LEFT_OUT = (EventName.ENDED, EventName.REQUEST_FAILED)
TOGETHER_MS = 60


def timeline(record: CallRecord, flow: Flow | None) -> Iterator[str]:
    """One line for each event, with the seconds since the call began. `flow`: the flow that the caller went through."""
    lines: list[_Line] = []
    for event in record.events:
        if event.what in _LEFT_OUT:
            continue
        text, name = _text_of(event, record, flow)
        same = [line for line in lines if line.text == text and event.at - line.at <= TOGETHER_MS]
        if same:
            same[0].names.append(name)
        else:
            lines.append(_Line(event.at, text, [name]))
    for line in lines:
        yield f"{offset(line.at, record)}  {line.text.replace('{}', ', '.join(sorted(line.names)))}"


@dataclass(slots=True)
class _Line:
    """An event of one phone, or of several at the same time."""

    at: int
    text: str
    names: list[str]


def _text_of(event: TimelineEvent, record: CallRecord, flow: Flow | None) -> tuple[str, str]:
    """The text for an event, with {} for the phone's name; and that name, empty if no phone belongs to it."""
    name, _, rest = event.detail.partition(": ")
    if event.what in _OF_PHONES:
        return _OF_PHONES[event.what], name
    if event.what == EventName.GONE:
        return _GONE.get(rest, f"the line to {{}} was closed ({rest})"), name
    if event.what == EventName.PRESSED:
        return f"{{}} pressed {rest}{_too_late(name, record)}", name
    if event.what == EventName.ASKED and flow is not None:
        return f"the caller heard: {_prompt(event.detail, flow)}", ""
    if event.what == EventName.LOCATED:
        place = place_text(record.place, record.ani)
        return f"{place[:1].lower()}{place[1:].rstrip('.')}", ""
    if event.what in _OF_THE_CALL:
        return _OF_THE_CALL[event.what].replace("{}", event.detail), ""
    return f"{event.what} {event.detail}".rstrip(), ""


def _too_late(destination: str, record: CallRecord) -> str:
    for leg in record.legs:
        if leg.destination == destination and leg.lost_by_ms is not None:
            return f", too late by {leg.lost_by_ms} ms: it was told that the call is taken"
    return ""


def _prompt(node_name: str, flow: Flow) -> str:
    node = flow.nodes[node_name]
    asked = node.menu or node.collect
    prompt = asked.prompt if asked else node.play or node_name
    return f'"{prompt.removeprefix("tts:")}"'
