"""What happened to one leg: to a phone that was rung."""

from __future__ import annotations

from ari_app.domain.calls.record import CallRecord, LegRecord
from ari_app.domain.calls.timeline import EventName
from ari_app.views.words import duration

_AT_ONCE_MS = 100
_CAUSES = {
    1: "the number is not assigned",
    3: "no route to it",
    16: "normal hang-up",
    17: "busy",
    18: "no user responded",
    19: "no answer",
    20: "the phone is not registered",
    21: "rejected",
    22: "the number has changed",
    23: "its calls are taken elsewhere",
    26: "answered elsewhere",
    27: "out of order",
    28: "not a valid number",
    34: "no line is free",
    38: "the network is out of order",
    41: "a temporary failure",
    42: "congestion",
    58: "not available now",
    127: "no reason given",
}


def leg_text(leg: LegRecord, record: CallRecord) -> str:
    """The result of an offer to one destination, as the rest of a sentence that begins with the destination's name."""
    match leg.outcome:
        case "won":
            return _won(leg, record)
        case "lost":
            return _lost(leg, record)
        case "declined" if leg.answered_at is not None:
            return f"{_picked_up(leg)} and pressed 2 to decline."
        case "declined":
            return "refused the call on the phone."
        case "no_answer":
            return _no_answer(leg)
        case "busy":
            return "was busy."
        case "forwarded":
            return _forwarded(leg)
        case "failed" if leg.accepted_at is not None:
            return f"accepted the call first, but vanished before it could be connected{_cause(leg)}."
        case "failed" if leg.answered_at is not None and _is_soundless(leg, record):
            return (
                f"{_picked_up(leg)}, but no sound could go to it: that is no acceptance, and it was let go."
            )
        case "failed" if leg.ringing_at is not None and leg.failure is None and leg.hangup_cause == 0:
            return "rang, and its call ended before anybody picked up; no cause was given."
        case "failed":
            return f"could not be reached{_cause(leg)}."
        case "cancelled":
            if leg.answered_at is not None:
                return f"{_picked_up(leg)} and had not accepted when the caller hung up. It was let go."
            return f"{_rang(leg)} when the caller hung up. The ringing was stopped."
        case None:
            return "is being rung."


def _won(leg: LegRecord, record: CallRecord) -> str:
    if leg.accepted_at == leg.answered_at:
        how = f"{_picked_up(leg)}, which is accepting in this campaign"
    else:
        how = f"{_picked_up(leg)} and pressed 1 to accept {_after(leg, leg.accepted_at)}"
    if leg is not _last_winner(record):
        return f"{how}, and got the call, but hung up at once, so it was offered again."
    return f"{how}. This was the first acceptance, so the call was theirs."


def _last_winner(record: CallRecord) -> LegRecord | None:
    winners = [leg for leg in record.legs if leg.outcome == "won"]
    return winners[-1] if winners else None


def _lost(leg: LegRecord, record: CallRecord) -> str:
    winner = _winner_over(leg, record)
    first = winner.destination if winner else "another"
    if leg.lost_by_ms is not None:
        return (
            f"{_picked_up(leg)} and accepted {_after(leg, leg.accepted_at)}, too late by "
            f"{leg.lost_by_ms} ms: {first} was first. It was told so and let go{_cause(leg)}."
        )
    if leg.answered_at is None:
        return (
            f"{_rang(leg)} when {first} accepted. The ringing was stopped{_cause(leg)}, "
            "so the phone shows no missed call."
        )
    if winner is not None and winner.accepted_at is not None and leg.answered_at >= winner.accepted_at:
        return f"{_picked_up(leg)} just as {first} had accepted, and was let go{_cause(leg)}."
    return (
        f"{_picked_up(leg)}, but had not accepted when {first} did. Picking up is not accepting: "
        f"a voicemail that answers does not win. It was let go{_cause(leg)}."
    )


def _winner_over(leg: LegRecord, record: CallRecord) -> LegRecord | None:
    """The leg that won against this one: the first acceptance after this leg was offered the call."""
    winners = [
        other
        for other in record.legs
        if other.accepted_at is not None and other.lost_by_ms is None and other.accepted_at >= leg.offered_at
    ]
    return min(winners, key=lambda other: other.accepted_at or 0, default=None)


def _no_answer(leg: LegRecord) -> str:
    if leg.answered_at is not None:
        return (
            f"{_picked_up(leg)}, but did not press 1 to accept in time. Picking up is not accepting: "
            "a voicemail that answers does not win."
        )
    if leg.ringing_at is None:
        return "gave no sign: its phone did not even ring, and it was given up."
    rang = f" for {duration(leg.ended_at - leg.ringing_at)}" if leg.ended_at is not None else ""
    return f"rang{rang}, and nobody picked up."


def _is_soundless(leg: LegRecord, record: CallRecord) -> bool:
    return any(
        event.what == EventName.WITHOUT_SOUND and event.detail == leg.destination for event in record.events
    )


def _forwarded(leg: LegRecord) -> str:
    to = f" to {leg.forwarded_to}" if leg.forwarded_to is not None else ""
    return f"forwards its calls{to}. Nobody is rung there, as the call was not offered to them."


def _picked_up(leg: LegRecord) -> str:
    if leg.answered_at is None:
        return "picked up"
    return f"picked up {_after(leg, leg.answered_at)}"


def _rang(leg: LegRecord) -> str:
    return "was still ringing" if leg.ringing_at is not None else "was not ringing yet"


def _after(leg: LegRecord, at: int | None) -> str:
    """How long after the beginning of the leg's ringing a time (ms) is."""
    after_ms = (at or leg.offered_at) - leg.offered_at
    return "at once" if after_ms < _AT_ONCE_MS else f"after {duration(after_ms)}"


def _cause(leg: LegRecord) -> str:
    if leg.hangup_cause is None or leg.hangup_cause == 0:
        return f" (not dialled: {leg.failure})" if leg.failure is not None else ""
    meaning = _CAUSES.get(leg.hangup_cause)
    why = f"{leg.failure}; " if leg.failure is not None else ""
    return f" ({why}cause {leg.hangup_cause}{f', {meaning}' if meaning else ''})"
