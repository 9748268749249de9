"""A call's record as people read it: facts, timeline, legs, verdict, money."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ari_app.domain.basics.clock import iso
from ari_app.domain.basics.money import format_amount
from ari_app.domain.calls.record import (
    CallRecord,
    ClauseResult,
    LegRecord,
    LineRecord,
    Tracks,
    lines_of,
    talkers_of,
    track_files,
)
from ari_app.domain.ledger.corrections import corrections_of
from ari_app.domain.ledger.transfers import Transfer
from ari_app.views.calls import net_amounts
from ari_app.views.sections import Listing
from ari_app.views.words import second


@dataclass(frozen=True, slots=True)
class CallSheet:
    """A call's record for people: facts by name, and listings with rows (timeline, legs and so on)."""

    title: str
    facts: dict[str, str]
    listings: list[Listing]


def sheet(record: CallRecord, transfers: Sequence[Transfer] = ()) -> CallSheet:
    """The record, and the corrections among the call's transfers. Listings without rows are left out."""
    listings = [
        Listing("Timeline", ("offset", "what", "detail"), _timeline(record)),
        Listing("Legs", _LEG_COLUMNS, [_leg(leg, record) for leg in record.legs]),
        Listing("Lines", _LINE_COLUMNS, list(_lines(record))),
        Listing("Left out", ("destination", "reason"), [(e.destination, e.reason) for e in record.excluded]),
        *_verdict(record),
        *_money(record, transfers),
    ]
    return CallSheet(f"Call {record.id}", _facts(record), [one for one in listings if one.rows])


def _verdict(record: CallRecord) -> Iterator[Listing]:
    if record.qualification is None:
        return
    waits = "waits for a conversion" if record.waits_until is not None else "not qualified"
    verdict = "qualified" if record.qualification.qualified else waits
    yield Listing(f"Verdict: {verdict}", _CLAUSE_COLUMNS, _clauses(record.qualification.clauses))
    for part in record.qualification.parts:
        title = f"{part.name}: {'due' if part.due else 'not due'}"
        yield Listing(title, _CLAUSE_COLUMNS, _clauses(part.clauses))


def _money(record: CallRecord, transfers: Sequence[Transfer]) -> Iterator[Listing]:
    money = record.money
    if money is None:
        return
    amounts = [
        format_amount(amount, money.currency)
        for amount in (money.price, money.payout, money.charged, money.paid)
    ]
    yield Listing("Money", ("currency", "price", "payout", "charged", "paid"), [(money.currency, *amounts)])
    corrections = corrections_of(transfers)
    yield Listing("Corrected since", _CORRECTION_COLUMNS, list(map(_correction, corrections)))
    if corrections:
        net = net_amounts(money.currency, transfers)
        yield Listing("What it comes to", ("currency", "charged", "paid"), [(money.currency, *net)])


_CLAUSE_COLUMNS = ("result", "clause", "detail")


def _clauses(clauses: Sequence[ClauseResult]) -> list[tuple[str, str, str]]:
    return [("passed" if c.passed else "failed", c.name, c.detail) for c in clauses]


def offset(at: int | None, record: CallRecord) -> str | None:
    """Seconds since the call began, such as +12.050; None stays None."""
    return None if at is None else f"+{(at - record.started_at) / 1000:06.3f}"


def _facts(record: CallRecord) -> dict[str, str]:
    place = record.place
    where = " ".join(filter(None, (place.state, place.zip, place.timezone))) or "unknown"
    answers = ", ".join(f"{name}={value}" for name, value in record.answers.items())
    durations = record.durations_ms
    fields = {
        "started": iso(record.started_at),
        "ended": record.ended_at and f"{iso(record.ended_at)} by {_who(record.end_source)}",
        "disposition": record.disposition,
        "from": record.ani or "anonymous",
        "to": record.did,
        "campaign": record.campaign and f"{record.campaign}, terms version {record.terms_version}",
        "advertiser": record.advertiser,
        "publisher": record.publisher and f"{record.publisher}, source {record.source or 'none'}",
        "answers": answers,
        "place": f"{where} (from {place.from_})",
        "winner": record.winner,
        "recording": record.recording and _recording(record.id, record.recording),
        "durations": (
            f"total {_seconds(durations.total)}, ivr {_seconds(durations.ivr)}, "
            f"wait {_seconds(durations.wait)}, connected {_seconds(durations.connected)}"
        ),
    }
    return {name: value for name, value in fields.items() if isinstance(value, str) and value}


def _recording(call_id: str, tracks: Tracks) -> str:
    if tracks.deleted_at is not None:
        return f"deleted {iso(tracks.deleted_at)}"
    return f"{', '.join(track_files(call_id).values())}, until {iso(tracks.keep_until)}"


def _who(end_source: str | None) -> str:
    return f"the {end_source}" if end_source else "one of the parties"


def _seconds(duration_ms: int) -> str:
    return f"{duration_ms / 1000:.3f} s"


def _timeline(record: CallRecord) -> list[tuple[object, ...]]:
    return [(offset(event.at, record), event.what, event.detail) for event in record.events]


_CORRECTION_COLUMNS = ("at (UTC)", "from", "to", "amount", "reason")


def _correction(transfer: Transfer) -> tuple[object, ...]:
    amount = format_amount(transfer.amount, transfer.currency)
    at = second(transfer.at)
    return at, transfer.debit, transfer.credit, amount, transfer.reason


_LEG_COLUMNS = (
    "destination",
    "wave",
    "outcome",
    "offered",
    "ringing",
    "answered",
    "accepted",
    "ended",
    "lost by ms",
    "cause",
    "failed, as",
    "forwarded to",
)


_LINE_COLUMNS = (
    "line",
    "received",
    "lost",
    "sent",
    "lost there",
    "jitter ms",
    "round trip ms",
    "MOS",
    "last packet",
    "held ms",
    "died",
)


def _lines(record: CallRecord) -> Iterator[tuple[object, ...]]:
    talkers = talkers_of(record)
    for whose, rtp in lines_of(record):
        lost, line = (rtp.received_lost, rtp.sent_lost), talkers.get(whose, LineRecord())
        yield (
            whose or "the caller",
            rtp.received,
            lost[0],
            rtp.sent,
            lost[1],
            rtp.jitter_ms,
            rtp.round_trip_ms,
            rtp.mos,
            offset(line.last_packet_at, record),
            line.held_ms,
            offset(line.died_at, record),
        )


def _leg(leg: LegRecord, record: CallRecord) -> tuple[object, ...]:
    times = (leg.offered_at, leg.ringing_at, leg.answered_at, leg.accepted_at, leg.ended_at)
    return (
        leg.destination,
        leg.wave,
        leg.outcome,
        *(offset(at, record) for at in times),
        leg.lost_by_ms,
        leg.hangup_cause or None,  # 0 is none
        leg.failure,
        leg.forwarded_to,
    )
