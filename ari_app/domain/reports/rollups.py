"""What one call adds to the counters that reports are made of.

A counter belongs to a cell: an hour (UTC) and the parties. A call and its offers are counted in the hour in which the
call began. Its money is counted in the hour of each transfer, so that a report has the same money as the ledger in
that time. In a key, an empty text stands for what is not known.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, get_args

from ari_app.domain.basics.durations import parse_duration
from ari_app.domain.calls.privacy import ERASED
from ari_app.domain.calls.record import CallRecord, Disposition, LegOutcome, LegRecord
from ari_app.domain.ledger.transfers import ADVERTISER, EXCHANGE, Transfer

HOUR_MS = 3_600_000
SECOND_MS = 1_000
AROUND_S = 15  # seconds before and after the payable one that are counted separately

Counts = Counter[str]


class CallKey(NamedTuple):
    """The cell of calls. `hour_at` in ms; `state` is where the caller was."""

    hour_at: int
    campaign: str
    advertiser: str
    publisher: str
    source: str
    currency: str
    state: str


class OfferKey(NamedTuple):
    """The cell of offers: to a destination, for a campaign."""

    hour_at: int
    campaign: str
    advertiser: str
    destination: str


class EndingKey(NamedTuple):
    """Connections that ended in one second. `second` counts from the payable one, see `ending_second`."""

    hour_at: int
    campaign: str
    publisher: str
    destination: str
    payable_ms: int
    second: int


# The counters of each kind of cell, as the columns of a report are named.
CALLS_COUNTED_AS = ("incoming", "answered", "offered", "qualified", "repeat", *get_args(Disposition))
MONEY_SUMS = (
    "revenue", "payout", "corrected_revenue", "corrected_payout", "later_revenue", "later_payout"
)  # fmt: skip
"""What advertisers were charged and publishers were paid, net; and the parts by corrections and by conversions."""
CALL_SUMS = ("wait_ms", "talk_ms", "line_ms", *MONEY_SUMS)
OFFERS_COUNTED_AS = ("offered", "answered", "accepted", "late", *get_args(LegOutcome))
OFFER_SUMS = ("accept_ms", "late_ms")
ENDING_COUNTS = ("connections",)


class Moved(NamedTuple):
    """A transfer of a call. `key` is the call's cell; `ended_at` (ms) is when the call ended."""

    key: CallKey
    ended_at: int
    transfer: Transfer


@dataclass(slots=True)
class Cells:
    """Counters by cell, of calls, offers and endings."""

    calls: dict[CallKey, Counts] = field(default_factory=lambda: defaultdict(Counter))
    offers: dict[OfferKey, Counts] = field(default_factory=lambda: defaultdict(Counter))
    endings: dict[EndingKey, Counts] = field(default_factory=lambda: defaultdict(Counter))


def count(records: Iterable[CallRecord], payable_ms: Callable[[CallRecord], int | None]) -> Cells:
    """All that the calls add. `payable_ms` gives the connection that a call's terms ask for (ms), or None."""
    cells = Cells()
    for record in records:
        key = call_key(record)
        cells.calls[key].update(call_counts(record))
        for leg in record.legs:
            offer = OfferKey(key.hour_at, key.campaign, key.advertiser, leg.destination)
            cells.offers[offer].update(offer_counts(leg))
        needed_ms = payable_ms(record)
        if needed_ms is not None and record.winner is not None and record.disposition == "connected":
            second = ending_second(record.durations_ms.connected, needed_ms)
            ending = EndingKey(key.hour_at, key.campaign, key.publisher, record.winner, needed_ms, second)
            cells.endings[ending]["connections"] += 1
    return cells


def count_money(moved: Iterable[Moved]) -> dict[CallKey, Counts]:
    """What the transfers add, each in the hour in which it moved, under its call's parties."""
    cells: defaultdict[CallKey, Counts] = defaultdict(Counter)
    for key, ended_at, transfer in moved:
        if counts := money_counts(transfer, ended_at):
            cells[key._replace(hour_at=hour_of(transfer.at))].update(counts)
    return cells


def money_counts(transfer: Transfer, ended_at: int) -> dict[str, int]:
    """What a transfer of a call that ended at `ended_at` (ms) adds to MONEY_SUMS; a hold and its void add nothing.

    A reversal is negative. A correction is an `adjust`. What is posted after the call's end was decided by a
    conversion, or for lack of one.
    """
    if transfer.kind in ("hold", "void"):
        return {}
    is_charge = any(account.startswith(ADVERTISER) for account in (transfer.debit, transfer.credit))
    goes_forward = (transfer.credit if is_charge else transfer.debit) == EXCHANGE
    side, amount = "revenue" if is_charge else "payout", transfer.amount if goes_forward else -transfer.amount
    if transfer.kind == "adjust":
        return {side: amount, f"corrected_{side}": amount}
    return {side: amount, f"later_{side}": amount} if transfer.at > ended_at else {side: amount}


def hour_of(at: int) -> int:
    """When the hour of a moment began; both in ms."""
    return at - at % HOUR_MS


def call_moved(record: CallRecord, transfers: Iterable[Transfer]) -> Iterator[Moved]:
    """The call's transfers, as they are counted."""
    key, ended_at = call_key(record), record.ended_at or record.started_at
    return (Moved(key, ended_at, transfer) for transfer in transfers)


def call_key(record: CallRecord) -> CallKey:
    """The cell that the call belongs to."""
    return CallKey(
        hour_at=hour_of(record.started_at),
        campaign=record.campaign or "",
        advertiser=record.advertiser or "",
        publisher=record.publisher or "",
        source=record.source or "",
        currency=record.money.currency if record.money else "",
        state=record.place.state or "",
    )


def call_counts(record: CallRecord) -> dict[str, int]:
    """The counters that the call raises, and its durations (ms). A counter that is not named is not raised."""
    counts = {"incoming": 1}
    if record.disposition is not None:
        counts[record.disposition] = 1
    if record.answered_at is not None:
        counts["answered"] = 1
        counts["line_ms"] = (record.ended_at or record.answered_at) - record.answered_at
    if record.offered_at is not None and record.disposition != "no_route":
        counts["offered"] = 1
        counts["wait_ms"] = record.durations_ms.wait
    if record.disposition == "connected":
        counts["talk_ms"] = record.durations_ms.connected
    if record.qualification is not None and record.qualification.qualified:
        counts["qualified"] = 1
    if is_repeat(record):
        counts["repeat"] = 1
    return counts


def is_repeat(record: CallRecord) -> bool:
    """Whether a repeat clause failed for the caller, who may be erased now. Anonymous callers do not count."""
    failed = [c for c in record.qualification.clauses if not c.passed] if record.qualification else []
    return any(
        c.name == "no_repeat_within" and (record.ani is not None or c.detail.startswith(ERASED))
        for c in failed
    )


def offer_counts(leg: LegRecord) -> dict[str, int]:
    """The counters that the offer raises. `accept_ms`: from offer to acceptance. `late_ms`: after the winner."""
    counts = {"offered": 1}
    if leg.outcome is not None:
        counts[leg.outcome] = 1
    if leg.answered_at is not None:
        counts["answered"] = 1
    if leg.accepted_at is not None:
        counts["accepted"] = 1
        counts["accept_ms"] = leg.accepted_at - leg.offered_at
    if leg.lost_by_ms is not None:
        counts["late"] = 1
        counts["late_ms"] = leg.lost_by_ms
    return counts


def ending_second(connected_ms: int, payable_ms: int) -> int:
    """The second in which a connection ended, counted from the payable one.

    -1 is the last second that is not paid, 0 the first that is. All connections that end more than AROUND_S away share
    the second beyond it.
    """
    second = (connected_ms - payable_ms) // SECOND_MS
    return max(-AROUND_S - 1, min(AROUND_S, second))


def payable_ms(terms: Mapping[str, Any]) -> int | None:
    """How long a connection (ms) a version of terms asks for; None when it asks for none.

    `terms` are as in the marketplace's document.
    """
    needed = [
        clause["connected_at_least"] for clause in terms.get("qualify", ()) if "connected_at_least" in clause
    ]
    return max(map(parse_duration, needed), default=None)
