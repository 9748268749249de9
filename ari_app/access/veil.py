"""A call's record, transfers and disputes as one party may see them, before they are told in words.

Names and numbers are replaced wherever they stand: in fields, and in what the timeline and the clauses say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ari_app.access.lens import Lens
from ari_app.access.sights import Sight
from ari_app.domain.calls.record import (
    CallRecord,
    ClauseResult,
    Exclusion,
    LegRecord,
    Part,
    TimelineEvent,
    TransferRecord,
    Verdict,
)
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.ledger.disputes import Dispute
from ari_app.domain.ledger.transfers import EXCHANGE, WORLD, Transfer

UNNAMED: Mapping[str, str] = {
    "advertiser_names": "the advertiser",
    "publisher_names": "the publisher",
    "sources": "a source",
    "destinations": "an agent",
}
"""What stands in sentences for a name that is hidden."""

EVENTS: Mapping[str, str] = {
    EventName.NUMBER_ELSEWHERE: "carriage",
    EventName.ATTESTATION_ELSEWHERE: "carriage",
    EventName.EXCLUDED: "routing",
    EventName.AT_CAPACITY: "routing",
    EventName.ON_ANOTHER_CALL: "routing",
    EventName.TRUNK_FULL: "carriage",
    EventName.NOT_DIALLED: "carriage",
    EventName.OTHER_TRUNK: "carriage",
    EventName.FORWARDED: "routing",
    EventName.TRANSFER_ASKED: "routing",
    EventName.TRANSFER_REFUSED: "routing",
    EventName.TRANSFER_RUNG: "routing",
    EventName.TRANSFER_FAILED: "routing",
    EventName.TRANSFERRED: "routing",
    EventName.TRANSFEREE_GONE: "routing",
    EventName.REQUEST_FAILED: "carriage",
    EventName.HANGUP_FAILED: "carriage",
    EventName.CAME_AGAIN: "carriage",
    EventName.SET_ASIDE: "operation",
    EventName.ENTERED: "answers",
    EventName.ENTERED_WRONGLY: "answers",
    EventName.LOCATED: "answers",
    EventName.BILLED: "price",
    EventName.CONVERTED: "sales",
    EventName.RECORDING_STARTED: "recordings",
    EventName.RECORDING_ASSUMED: "recordings",
    EventName.RECORDING_WENT_ON: "recordings",
    EventName.NOT_RECORDED: "recordings",
    EventName.RECORDING_DELETED: "recordings",
}
"""The topics of events that say more than what happened when."""

_OURS = "for a reason within the exchange"
_FULL = "it is the exchange's or the advertiser's"
_ELSEWHERE = "another phone"
_PARTS = {"price": "price", "payout": "payout"}


def owns(lens: Lens, record: CallRecord) -> bool:
    """Whether the call is the party's."""
    match lens.party.kind:
        case "operator":
            return True
        case "advertiser":
            return record.advertiser == lens.party.id
        case "publisher":
            return record.publisher == lens.party.id
        case "agent":
            return any(leg.destination == lens.party.id for leg in record.legs)


def veiled(lens: Lens, record: CallRecord) -> CallRecord:
    """The record as the party may see it; what it may not see of its money is for `Lens.shown` to take away."""
    if lens.party.kind == "operator":
        return record
    words = _words(lens, record)
    return replace(
        record,
        ani=lens.masked("caller_numbers", record.ani or "") or None,
        advertiser=words.get(record.advertiser or "", record.advertiser),
        publisher=words.get(record.publisher or "", record.publisher),
        source=words.get(record.source or "", record.source)
        if lens.sight("sources") is not Sight.HIDDEN
        else None,
        answers=record.answers if lens.sees("answers") else {},
        place=record.place if lens.sees("answers") else replace(record.place, zip=None),
        diversion=record.diversion if lens.sees("carriage") else [],
        history_info=record.history_info if lens.sees("carriage") else [],
        legs=[_leg(lens, leg, words) for leg in record.legs]
        if lens.sees("race")
        else _own_legs(lens, record),
        transfers=[_transferred(lens, one, words) for one in record.transfers],
        winner=words.get(record.winner or "", record.winner),
        excluded=[_excluded(one, words) for one in record.excluded] if lens.sees("routing") else [],
        qualification=_verdict(lens, record.qualification, words),
        recording=record.recording if lens.sees("recordings") else None,
        rtp=record.rtp if lens.sees("sound") else None,
        line=record.line if lens.sees("sound") else None,
        conversion=record.conversion
        if record.conversion is None or lens.sees("sales")
        else replace(record.conversion, ref=None),
        events=[event for one in record.events for event in _event(lens, one, record, words)],
    )


def transfers_of(lens: Lens, transfers: Sequence[Transfer]) -> Sequence[Transfer]:
    """The transfers that the party may see: the price's are of advertisers' accounts, the payout's of publishers'."""
    if lens.party.kind == "operator":
        return transfers
    return [
        one for one in transfers if all(_sees_account(lens, account) for account in (one.debit, one.credit))
    ]


def disputes_of(lens: Lens, disputes: Sequence[Dispute], record: CallRecord) -> list[Dispute]:
    """The disputes, with names as the party sees them. Their amounts are for `Lens.shown`."""
    if not lens.sees("own_money"):
        return []
    words = _words(lens, record)
    return [
        replace(
            one,
            advertiser=words.get(one.advertiser, one.advertiser),
            publisher=words.get(one.publisher, one.publisher),
            events=tuple(
                replace(event, by=lens.masked("staff", event.by), reason=_said(event.reason, words))
                for event in one.events
            ),
        )
        for one in disputes
    ]


def _sees_account(lens: Lens, account: str) -> bool:
    kind, _, _ = account.partition(":")
    topics = {"advertiser": "price", "publisher": "payout"}
    return account in (EXCHANGE, WORLD) or lens.sees(topics[kind])


def _words(lens: Lens, record: CallRecord) -> dict[str, str]:
    """By each name and number that the party may not see: what stands for it."""
    named = [("caller_numbers", record.ani), *_names(record)]
    words = {}
    for topic, name in named:
        if name and not lens.sees(topic) and (topic, name) != ("destinations", lens.party.id):
            words[name] = lens.masked(topic, name) or UNNAMED.get(topic, "****")
    return words


def _names(record: CallRecord) -> Iterator[tuple[str, str | None]]:
    yield "advertiser_names", record.advertiser
    yield "publisher_names", record.publisher
    yield "sources", record.source
    for leg in record.legs:
        yield "destinations", leg.destination
    for transfer in record.transfers:
        yield "destinations", transfer.to
    for one in record.excluded:
        yield "destinations", one.destination


def _said(text: str, words: Mapping[str, str]) -> str:
    """A text with each of these words replaced, longest first."""
    if not words:
        return text
    listed = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.sub(rf"(?<![\w-])(?:{listed})(?![\w-])", lambda found: words[found[0]], text)


def _leg(lens: Lens, leg: LegRecord, words: Mapping[str, str]) -> LegRecord:
    return replace(
        leg,
        destination=words.get(leg.destination, leg.destination),
        failure=leg.failure if lens.sees("carriage") else None,
        hangup_cause=leg.hangup_cause if lens.sees("carriage") else None,
        forwarded_to=leg.forwarded_to if lens.sees("routing") else None,
        rtp=leg.rtp if lens.sees("sound") else None,
        line=leg.line if lens.sees("sound") else None,
    )


def _transferred(lens: Lens, one: TransferRecord, words: Mapping[str, str]) -> TransferRecord:
    is_seen = lens.sees("routing")
    return replace(
        one,
        asked=_said(one.asked, words) if is_seen else _ELSEWHERE,
        to=words.get(one.to or "", one.to) if is_seen else None,
        why=_said(one.why, words) if is_seen and one.why is not None else None,
        trunk=one.trunk if lens.sees("carriage") else None,
        hangup_cause=one.hangup_cause if lens.sees("carriage") else None,
        rtp=one.rtp if lens.sees("sound") else None,
    )


def _excluded(one: Exclusion, words: Mapping[str, str]) -> Exclusion:
    return Exclusion(words.get(one.destination, one.destination), _said(one.reason, words))


def _own_legs(lens: Lens, record: CallRecord) -> list[LegRecord]:
    """Who does not see the race sees the party's own phone in it."""
    return [_leg(lens, leg, {}) for leg in record.legs if leg.destination == lens.party.id]


def _event(
    lens: Lens, event: TimelineEvent, record: CallRecord, words: Mapping[str, str]
) -> Iterator[TimelineEvent]:
    if not lens.sees(EVENTS.get(event.what, "facts")):
        return
    detail = _said(event.detail, words)
    if event.what == EventName.REFUSED and record.disposition == "capped" and not lens.sees("routing"):
        detail = _FULL
    elif _is_failure(event, record) and not lens.sees("operation"):
        detail = _OURS
    elif event.what == EventName.RECORDING_DELETED and not lens.sees("staff") and detail.startswith("by "):
        detail = detail.partition(": ")[2]
    yield replace(event, detail=detail)


def _is_failure(event: TimelineEvent, record: CallRecord) -> bool:
    """Whether the event says why the call could not be served."""
    return event.what == EventName.FAILED or (
        event.what == EventName.REFUSED and record.disposition == "failed"
    )


def _verdict(lens: Lens, verdict: Verdict | None, words: Mapping[str, str]) -> Verdict | None:
    """The clauses; those of the price are for who sees the price, and those of the payout for who sees that."""
    if verdict is None or not lens.sees("verdict"):
        return None
    return replace(
        verdict,
        clauses=[_clause(lens, clause, words) for clause in verdict.clauses],
        parts=[
            replace(part, clauses=[_clause(lens, clause, words) for clause in part.clauses])
            for part in verdict.parts
            if _sees_part(lens, part)
        ],
    )


def _sees_part(lens: Lens, part: Part) -> bool:
    return part.name not in _PARTS or lens.sees(_PARTS[part.name])


def _clause(lens: Lens, clause: ClauseResult, words: Mapping[str, str]) -> ClauseResult:
    """A clause's detail. Which sources are bought names those of other publishers, too."""
    detail = _said(clause.detail, words)
    if clause.name == "source_in" and lens.party.kind != "advertiser":
        detail = detail.partition(", wanted:")[0]
    return replace(clause, detail=detail)
