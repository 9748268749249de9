"""A call in plain English: why it went where it went, and why it was or was not paid.

Pure: a call's record and its transfers become sections of sentences. Written for somebody who has
never seen the code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from ari_app.domain.basics.clock import iso
from ari_app.domain.basics.money import format_amount
from ari_app.domain.basics.states import STATE_NAMES
from ari_app.domain.calls import recording
from ari_app.domain.calls.record import (
    CallRecord,
    ClauseResult,
    LegRecord,
    Part,
    PlaceRecord,
    may_pass_until,
    track_files,
)
from ari_app.domain.ledger.calls import BONUS, is_rest
from ari_app.domain.ledger.disputes import Dispute
from ari_app.domain.ledger.transfers import Transfer
from ari_app.views.aftermath import comes_to, since
from ari_app.views.sections import Section

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
_CLAUSE_NAMES = {
    "connected": "an agent took the call",
    "connected_at_least": "connected for long enough",
    "answer_in": "the caller wants what is bought",
    "caller_in": "the caller is in the area that is bought",
    "total_at_least": "long enough from beginning to end",
    "rang_at_least": "phones rung for long enough",
    "source_in": "from a source that is bought",
    "not_blocked": "not on the block list",
    "no_repeat_within": "not a repeat caller",
    "within_hours": "called within the hours",
    "converted_within": "became a sale in time",
}
_MISHAPS = {
    "begun again": "The switch was started anew: the caller went on where they were",
    "taken up again": "The switch was started anew, while they went on talking",
    "the caller was gone when the switch was back": "The caller left while no switch ran; that was found",
    "the agent was gone when the switch was back": "The agent left while no switch ran; that was found",
    "Asterisk restarted": "Asterisk died and ended the call; that was found",
}
_ATTESTED = {
    "A": "A, it knows the caller and that the number is theirs",
    "B": "B, it knows the caller, but not that the number is theirs",
    "C": "C, it only passed the call on",
}
_RECORDING = {
    recording.ANNOUNCED: "The caller was told that the call may be recorded",
    recording.UNANNOUNCED: "The caller was not told that the call may be recorded",
    recording.STARTED: "The recording began",
    recording.ASSUMED: "The recording may have begun",
    recording.NOT_RECORDED: "It was not recorded",
}
_ENDED_BY = {
    "caller": "The caller hung up",
    "agent": "The agent hung up",
    "system": "Callrace ended the call",
    None: "One of them ended the call",
}
_ENTERED = {
    "entered": "the caller entered {}",
    "entered wrongly": "the caller entered {}, which is no valid answer",
    "entered nothing": "the caller pressed nothing",
}


def explain(
    record: CallRecord, transfers: Sequence[Transfer] = (), disputes: Sequence[Dispute] = ()
) -> list[Section]:
    """All there is to say about one call; the first section is the short of it."""
    sections = [
        Section(f"Call {record.id}", [_opening(record), _in_short(record, transfers)]),
        Section("Whose call it was", list(_whose(record))),
        Section("What the caller told us", list(_told(record))),
        Section("Who was rung, and what each did", list(_rung(record))),
        Section("Who was left out", [f"- {e.destination}: {e.reason}." for e in record.excluded]),
        Section("How it ended", list(_ending(record))),
        Section("Was it recorded?", list(_recorded(record))),
        Section("Was it a payable call?", list(_verdict(record))),
        Section("The money", list(_money(record, transfers))),
        Section("What became of it since", list(since(record, transfers, disputes))),
    ]
    return [section for section in sections if section.lines]


# In short


def _opening(record: CallRecord) -> str:
    caller = record.ani or "A caller who hides the number"
    return f"{caller} called {record.did} on {_moment(record.started_at)}."


def _in_short(record: CallRecord, transfers: Sequence[Transfer]) -> str:
    said = f"In short: {_what_happened(record)} {_money_in_short(record)}"
    return f"{said} {comes_to(record, transfers)}".rstrip()


def _what_happened(record: CallRecord) -> str:
    match record.disposition:
        case "connected":
            talked = _seconds(record.durations_ms.connected)
            return f"{record.winner} took the call and was connected to the caller for {talked}."
        case "no_answer":
            return f"{_phones(record)} dialled, and nobody took the call."
        case "no_route":
            return "no destination could take this call, so no phone was rung."
        case "abandoned_ivr":
            after = _seconds(record.durations_ms.total)
            return f"the caller hung up after {after}, before any phone was rung."
        case "abandoned_queue":
            waited = _seconds(record.durations_ms.wait)
            return f"the caller waited {waited} for an agent and hung up before anybody took the call."
        case "flow_ended":
            return f"the call ended with the questions: {_flow_end(record)}. No phone was rung."
        case "blocked":
            return f"this caller is not taken: {_event(record, 'refused')}. No phone was rung."
        case "closed":
            return f"the campaign takes no calls now: {_event(record, 'refused')}. No phone was rung."
        case "capped":
            return f"a limit on its calls is reached: {_event(record, 'refused')}. No phone was rung."
        case "unknown_number":
            return "the number called belongs to no campaign, so the call was turned away unanswered."
        case "failed":
            return f"the call could not be served: {_failure(record)}."
        case None:
            return "the call is not over."


def _money_in_short(record: CallRecord) -> str:
    money, verdict = record.money, record.qualification
    if record.waits_until is not None:
        return f"{_moved_so_far(record)} It waits for a conversion until {_moment(record.waits_until)}."
    if money is None or not (money.charged or money.paid):
        if record.disposition == "connected" and verdict is not None and not verdict.qualified:
            reasons = "; ".join(clause.detail for clause in verdict.clauses if not clause.passed)
            return f"It was not a payable call ({reasons}), so no money moved."
        return "No money moved."
    return (
        f"It met all the terms: {record.advertiser} was charged {_amount(money.charged, money.currency)}, "
        f"and {record.publisher} was paid {_amount(money.paid, money.currency)}."
    )


def _moved_so_far(record: CallRecord) -> str:
    """The money of a call that waits for a conversion."""
    money, verdict = record.money, record.qualification
    if money is None or verdict is None:
        return "No money moved."
    said = []
    if verdict.waits("price"):
        said.append(f"{_amount(money.price, money.currency)} of {record.advertiser}'s money are held")
    if money.charged:
        said.append(f"{record.advertiser} was charged {_amount(money.charged, money.currency)}")
    if money.paid:
        said.append(f"{record.publisher} was paid {_amount(money.paid, money.currency)}")
    return f"So far, {' and '.join(said)}." if said else "No money moved so far."


def _phones(record: CallRecord) -> str:
    count = len({leg.destination for leg in record.legs})
    return "no phone was" if count == 0 else "one phone was" if count == 1 else f"{count} phones were"


def _flow_end(record: CallRecord) -> str:
    """Why the questions ended without an offer: the last one failed, or the answers led to a hang-up."""
    if _event(record, "flow ended").endswith("longest time reached"):
        return "they had taken as long as the flow may"
    asked = list(_questions(record))
    if asked and asked[-1].what != "entered":
        return asked[-1].text
    return "these answers lead to a hang-up, not to an agent"


def _failure(record: CallRecord) -> str:
    if any(event.what == "switch stopped" for event in record.events):
        return "the switch was being stopped"
    refused = any(event.what == "refused" for event in record.events)
    return _event(record, "refused" if refused else "failed")


def _event(record: CallRecord, what: str) -> str:
    """What the timeline says of such an event, the last one; no reason where it has none."""
    details = [event.detail for event in record.events if event.what == what and event.detail]
    return details[-1] if details else "no reason was recorded"


# Whose call it was, what the caller told


def _whose(record: CallRecord) -> Iterator[str]:
    if record.campaign is None:
        yield f"- {record.did} was nobody's number at that moment."
        return
    source = f' (source "{record.source}")' if record.source else ""
    yield (
        f"- {record.did} is a tracking number of the campaign {record.campaign}, bought by "
        f"{record.advertiser}. It is advertised by the publisher {record.publisher}{source}, so the call "
        "counts as theirs."
    )
    if record.attestation is not None:
        yield f"- The carrier attests the caller's number: {_ATTESTED[record.attestation]}."
    if record.money is not None:
        price = _amount(record.money.price, record.money.currency)
        payout = _amount(record.money.payout, record.money.currency)
        yield (
            f"- Version {record.terms_version} of the campaign's terms holds for it: if payable, this call costs "
            f"{record.advertiser} {price} and earns {record.publisher} {payout}."
        )


@dataclass(frozen=True, slots=True)
class _Question:
    """One question of the IVR and what came of it."""

    what: str
    text: str


def _questions(record: CallRecord) -> Iterator[_Question]:
    node = ""
    for event in record.events:
        if event.what == "asked":
            node = event.detail
        elif event.what in _ENTERED:
            yield _Question(event.what, f'asked "{node}", {_ENTERED[event.what].format(event.detail)}')


def _told(record: CallRecord) -> Iterator[str]:
    if record.disposition in ("blocked", "closed", "unknown_number"):
        return
    for question, times in groupby(_questions(record)):
        count = len(list(times))
        yield f"- {_sentence(question.text + (f' ({count} times)' if count > 1 else ''))}"
    if record.answers:
        answers = ", ".join(f"{name} = {value}" for name, value in record.answers.items())
        yield f"- So the answers are: {answers}."
    else:
        yield "- The caller answered no questions."
    if record.disposition == "abandoned_ivr" and record.place.from_ == "unknown":
        return
    yield f"- {place_text(record.place, record.ani)}"


def place_text(place: PlaceRecord, ani: str | None) -> str:
    """Where the caller was taken to be, and from what, as a sentence."""
    state = STATE_NAMES.get(place.state or "", place.state or "an unknown state")
    match place.from_:
        case "zip":
            return f"The caller is taken to be in {state}, because the ZIP code {place.zip} was entered."
        case "ani":
            return (
                f"The caller is taken to be in {state}, because of the area code of {ani}; "
                "no valid ZIP code was entered."
            )
        case "did":
            return (
                f"The caller is taken to be in {state}, because of the area code of the number called; "
                "neither a ZIP code nor the caller's own number tells more."
            )
        case "unknown":
            return (
                "Where the caller is, is unknown: no valid ZIP code was entered, and neither the caller's "
                "number nor the number called belongs to a state."
            )


# Who was rung


def _rung(record: CallRecord) -> Iterator[str]:
    for legs in _rounds(record.legs):
        first = legs[0]
        again = ", as the call was offered once more" if _was_rung_before(record, legs) else ""
        yield f"Wave {first.wave}, rung {_since(record, first.offered_at)} into the call{again}:"
        for leg in sorted(legs, key=lambda leg: leg.outcome != "won"):
            yield f"- {leg.destination} {_leg(leg, record)}"


def _rounds(legs: Iterable[LegRecord]) -> Iterator[list[LegRecord]]:
    """The legs by wave; a destination that comes again begins a new round."""
    group: list[LegRecord] = []
    for leg in legs:
        if group and (leg.wave != group[0].wave or any(leg.destination == g.destination for g in group)):
            yield group
            group = []
        group.append(leg)
    if group:
        yield group


def _was_rung_before(record: CallRecord, legs: Sequence[LegRecord]) -> bool:
    """A destination of these legs was rung before, in this call."""
    before = record.legs[: record.legs.index(legs[0])]
    return not {leg.destination for leg in before}.isdisjoint(leg.destination for leg in legs)


def _leg(leg: LegRecord, record: CallRecord) -> str:
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
        case "failed" if leg.accepted_at is not None:
            return f"accepted the call first, but vanished before it could be connected{_cause(leg)}."
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
    """Who took the call from this leg: the first acceptance after it was offered."""
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
    rang = f" for {_seconds(leg.ended_at - leg.ringing_at)}" if leg.ended_at is not None else ""
    return f"rang{rang}, and nobody picked up."


def _picked_up(leg: LegRecord) -> str:
    if leg.answered_at is None:
        return "picked up"
    return f"picked up {_after(leg, leg.answered_at)}"


def _rang(leg: LegRecord) -> str:
    return "was still ringing" if leg.ringing_at is not None else "was not ringing yet"


def _after(leg: LegRecord, at: int | None) -> str:
    """How long after the leg was rung."""
    after_ms = (at or leg.offered_at) - leg.offered_at
    return "at once" if after_ms < _AT_ONCE_MS else f"after {_seconds(after_ms)}"


def _cause(leg: LegRecord) -> str:
    if leg.failure is not None:
        return f" (not dialled: {leg.failure})"
    if leg.hangup_cause is None or leg.hangup_cause == 0:
        return ""
    meaning = _CAUSES.get(leg.hangup_cause)
    return f" (cause {leg.hangup_cause}{f', {meaning}' if meaning else ''})"


# How it ended, the verdict, the money


def _ending(record: CallRecord) -> Iterator[str]:
    if record.connected_at is not None:
        yield (
            f"- {record.winner} and the caller were connected {_since(record, record.connected_at)} into the "
            f"call and talked for {_seconds(record.durations_ms.connected)}."
        )
    if record.disposition == "no_route":
        yield "- No phone could be rung, so the caller heard the campaign's announcement."
    if record.disposition == "no_answer":
        yield f"- {_waited(record)}, so the caller heard the campaign's announcement."
    for event in record.events:
        if event.what in _MISHAPS:
            yield f"- {_MISHAPS[event.what]}, {_since(record, event.at)} into the call."
    if record.ended_at is not None:
        ended = _ENDED_BY[record.end_source]
        yield f"- {ended}, {_since(record, record.ended_at)} after it began."


def _recorded(record: CallRecord) -> Iterator[str]:
    for event in record.events:
        if event.what in _RECORDING:
            detail = f": {event.detail}" if event.detail else ""
            yield f"- {_RECORDING[event.what]}{detail}, {_since(record, event.at)} into the call."
    tracks = record.recording
    if tracks is None:
        return
    if tracks.deleted_at is not None:
        reason = _event(record, recording.DELETED)
        yield f"- It was deleted on {_moment(tracks.deleted_at)}: {reason}."
    else:
        files = " and ".join(track_files(record.id).values())
        yield f"- {files} are kept until {_moment(tracks.keep_until)}."


def _waited(record: CallRecord) -> str:
    gave_up_at = next((event.at for event in record.events if event.what == "fallback"), None)
    if gave_up_at is None or record.offered_at is None:
        return "Nobody took the call"
    return f"Nobody took the call within {_seconds(gave_up_at - record.offered_at)}"


def _verdict(record: CallRecord) -> Iterator[str]:
    verdict = record.qualification
    if verdict is None:
        if record.ended_at is not None:
            yield "- The terms were not looked at: the call was never offered to anybody."
        return
    failed = sum(not clause.passed for clause in verdict.clauses)
    if verdict.qualified:
        yield "- Yes: every one of the terms is met."
    elif may_pass_until(verdict.clauses) is not None:
        yield f"- Not yet: all of the terms must be met, and {failed} of {len(verdict.clauses)} {_is(failed)} open."
    else:
        yield f"- No: all of the terms must be met, and {failed} of {len(verdict.clauses)} {_is(failed)} not."
    for clause in verdict.clauses:
        yield f"- {_clause(clause)}"
    for part in verdict.parts:
        yield f"- {_part(part, verdict.qualified)}"
        for clause in part.clauses:
            yield f"- {part.name}, {_clause(clause)}"


def _part(part: Part, is_qualified: bool) -> str:
    if may_pass_until(part.clauses) is not None:
        return f"The {part.name} has terms of its own, which are not all met yet."
    if not part.due:
        return f"The {part.name} has terms of its own, which are not all met: it is not due."
    if not is_qualified:
        return f"The {part.name} has terms of its own, which are met; but the call is not payable."
    return f"The {part.name} has terms of its own, which are met."


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _clause(clause: ClauseResult) -> str:
    name = _CLAUSE_NAMES.get(clause.name, clause.name)
    result = "passed" if clause.passed else "FAILED" if clause.waits_until is None else "open"
    return f"{result}: {name}? ({clause.name}) {_sentence(clause.detail)}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _money(record: CallRecord, transfers: Sequence[Transfer]) -> Iterator[str]:
    if not transfers:
        yield "- No money moved, and none was set aside: no agent took the call."
        return
    for event in record.events:
        if event.what == "billed":
            yield f"- Of the conversation is billed: {event.detail}."
    for transfer in transfers:
        if transfer.kind != "adjust":
            yield f"- {_transfer(transfer, record)}"
    money = record.money
    if money is not None and money.charged:
        kept = money.charged - money.paid
        yield f"- The exchange keeps the difference of {_amount(kept, money.currency)}."


def _transfer(transfer: Transfer, record: CallRecord) -> str:
    amount = _amount(transfer.amount, transfer.currency)
    match transfer.kind:
        case "hold" if BONUS in transfer.key:
            return f"{amount} more were set aside for a bonus that waits for a conversion."
        case "hold":
            return f"{amount} of {record.advertiser}'s money was set aside when the call was accepted."
        case "void" if is_rest(transfer):
            return f"{amount} of that were released at its end: more than the call came to."
        case "void" if record.money is not None and not record.money.price and BONUS not in transfer.key:
            return f"The call came to nothing, so the {amount} were released."
        case "void" if BONUS in transfer.key:
            return f"The bonus was not due, so the {amount} set aside for it were released."
        case "void":
            if record.money is not None and record.money.paid:
                return f"The price was not due, so the {amount} were released."
            return f"The call was not payable, so the {amount} were released: nobody was charged or paid."
        case "post" if BONUS in transfer.key and transfer.resolves is not None:
            return (
                f"The bonus was due, so {record.advertiser} was charged {amount} more of what was set aside."
            )
        case "post" if BONUS in transfer.key:
            return f"{record.publisher} was paid {amount} more by the bonus."
        case "post" if transfer.resolves is not None:
            return f"The call was payable, so {record.advertiser} was charged {amount} of what was set aside."
        case "post":
            return f"{record.publisher} was paid {amount}."
        case _:
            return f"{amount} went from {transfer.debit} to {transfer.credit}: {transfer.reason}."


# Words


def _amount(minor: int, currency: str) -> str:
    return f"{format_amount(minor, currency)} {currency}"


def _seconds(duration_ms: int) -> str:
    """A duration as people say it: `0.4 s`, `12.5 s`, `95 s`, `12 min 5 s`. What it did not reach, it does not say."""
    if duration_ms >= 120_000:
        minutes, rest = divmod(duration_ms // 1000, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{duration_ms // 100 / 10:.1f}".removesuffix(".0") + " s"


def _since(record: CallRecord, at: int) -> str:
    return _seconds(at - record.started_at)


def _moment(at: int) -> str:
    day, _, time = iso(at).partition("T")
    return f"{day} at {time[:8]} UTC"
