"""The conversation: how long it was, what went wrong, and who hung up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ari_app.domain.calls.record import CallRecord, LineRecord, TransferRecord, lines_of, talkers_of
from ari_app.domain.calls.rtp import RtpStatistics
from ari_app.domain.calls.timeline import EventName
from ari_app.views.explain.facts import detail_of, into
from ari_app.views.sections import Section
from ari_app.views.words import duration

_MISHAPS: Mapping[str, str] = {
    EventName.RESTARTED: "The switch was started anew: the caller went on where they were",
    EventName.RESUMED: "The switch was started anew, while they went on talking",
    EventName.CALLER_WAS_GONE: "The caller left while no switch ran; that was found",
    EventName.AGENT_WAS_GONE: "The agent left while no switch ran; that was found",
    EventName.ASTERISK_RESTARTED: "Asterisk died and ended the call; that was found",
}
_TRANSFER_ENDED = {
    "refused": "That was refused",
    "declined": "It was rung, and would not take the caller",
    "busy": "It was rung, and was busy",
    "no_answer": "It was rung, and did not answer",
    "failed": "It could not be reached",
    "cancelled": "It was rung, and the call ended before it answered",
}
_ENDED_BY = {
    "caller": "The caller hung up",
    "agent": "The agent hung up",
    "system": "Callrace ended the call",
    None: "One of them ended the call",
}


def section(record: CallRecord) -> Section:
    """How long caller and agent talked, and who ended the call."""
    return Section("How it ended", list(_ending(record)))


def _ending(record: CallRecord) -> Iterator[str]:
    if record.connected_at is not None:
        yield (
            f"- {record.winner} and the caller were connected {into(record, record.connected_at)} into the "
            f"call and talked for {duration(record.durations_ms.connected)}."
        )
    yield from (f"- {_transfer(record, transfer)}" for transfer in record.transfers)
    if record.durations_ms.first is not None:
        yield f"- What counts for the terms: {detail_of(record, EventName.COUNTED)}."
    for whose, rtp in lines_of(record):
        yield f"- {_sound(whose, rtp)}"
    for whose, line in talkers_of(record).items():
        yield from _line(whose, line, record)
    if record.disposition == "no_route":
        yield "- No phone could be rung, so the caller heard the campaign's announcement."
    if record.disposition == "no_answer":
        yield f"- {_waited(record)}, so the caller heard the campaign's announcement."
    for event in record.events:
        if event.what in _MISHAPS:
            yield f"- {_MISHAPS[event.what]}, {into(record, event.at)} into the call."
    if record.ended_at is not None:
        yield f"- {_ended_by(record)}, {into(record, record.ended_at)} after it began."


def _transfer(record: CallRecord, transfer: TransferRecord) -> str:
    """What an agent asked for, and what came of it."""
    asked = f"The agent asked for a transfer to {transfer.to or transfer.asked}, {into(record, transfer.asked_at)} into"
    by = f" by trunk {transfer.trunk}" if transfer.trunk is not None else ""
    why = f": {transfer.why}" if transfer.why is not None else ""
    if transfer.outcome != "connected" or transfer.answered_at is None:
        came = _TRANSFER_ENDED.get(transfer.outcome or "", "It was rung")
        return f"{asked} the call. {came}{'' if transfer.outcome == 'refused' else by}{why}."
    ended_at = transfer.ended_at or record.ended_at or transfer.answered_at
    waited, talked = transfer.answered_at - transfer.asked_at, ended_at - transfer.answered_at
    return (
        f"{asked} the call. It was rung{by}, took the caller after {duration(waited)}, and they talked for "
        f"{duration(talked)}."
    )


def _sound(whose: str | None, rtp: RtpStatistics) -> str:
    """The estimated quality with which one party heard the other."""
    name = whose or "the caller"
    if rtp.mos is None:
        return f"Not one packet of sound came from {name}."
    lost = f"{100 * rtp.lost_share:.1f} % of {rtp.received + rtp.received_lost} packets were lost"
    return f"Sound from {name}: estimated MOS {rtp.mos:.1f} of 4.4; {lost}, jitter {rtp.jitter_ms} ms."


def _ended_by(record: CallRecord) -> str:
    if record.end_source == "agent" and record.transferee is not None:
        return "Whoever the agent transferred the caller to hung up"
    whose = record.winner if record.end_source == "agent" else None
    line = talkers_of(record).get(whose) if record.end_source in ("caller", "agent") else None
    if line is not None and line.died_at is not None:
        return f"The line of {whose} was found dead" if whose else "The caller's line died"
    return _ENDED_BY[record.end_source]


def _line(whose: str | None, line: LineRecord, record: CallRecord) -> Iterator[str]:
    name, other = (whose, "the caller") if whose else ("The caller", record.winner or "the agent")
    if line.held_ms:
        yield f"- {name} had {other} on hold for {duration(line.held_ms)}."
    if line.died_at is not None:
        lived = duration(line.died_at - (record.connected_at or record.started_at))
        yield (
            f"- The last sign of life from the line of {whose or 'the caller'} came {lived} after they were connected; "
            "then nothing came, and nothing was answered. They talked until then."
        )


def _waited(record: CallRecord) -> str:
    gave_up_at = next((event.at for event in record.events if event.what == EventName.FALLBACK), None)
    if gave_up_at is None or record.offered_at is None:
        return "Nobody took the call"
    return f"Nobody took the call within {duration(gave_up_at - record.offered_at)}"
