"""Which earnings a payout run pays: those that are old enough and that nobody disputes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Reason = Literal["young", "later", "disputed", "minimum", "owes"]
"""Why an earning is not paid. Its call is younger than the hold, ended after the last day, or is in open dispute;
or its publisher has less than the minimum due, or owes more than is due.
"""


@dataclass(frozen=True, slots=True)
class Earning:
    """What a transfer earned a publisher, or took back (negative), and what was in no payout yet.

    `is_paid_out`: the call's payout was in an earlier run, so this is a later correction of it.
    """

    transfer_key: str
    call_id: str
    publisher: str
    amount: int
    ended_at: int
    in_dispute: bool
    is_paid_out: bool


def due(earnings: Iterable[Earning], ended_before: int, minimum: int) -> dict[str, list[Earning]]:
    """By publisher, what is to be paid now: of calls that ended before (ms), and at least the minimum in all.

    A clawback of a call that was already paid out counts at once, even while the call is disputed again:
    the publisher owes that money. For any other call, the payout and its clawbacks are paid or wait together.
    So what waits is never negative, and a payout is never more than the publisher has.
    """
    payable: defaultdict[str, list[Earning]] = defaultdict(list)
    for earning in earnings:
        if _is_payable(earning, ended_before):
            payable[earning.publisher].append(earning)
    return {publisher: its for publisher, its in payable.items() if total(its) >= max(minimum, 1)}


def _is_payable(earning: Earning, ended_before: int) -> bool:
    is_owed = earning.is_paid_out and earning.amount < 0
    return is_owed or (earning.ended_at < ended_before and not earning.in_dispute)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is not paid for one reason: for how many publishers, and how much in all."""

    reason: Reason
    publishers: int
    amount: int


def waiting(earnings: Collection[Earning], until_at: int, held_since: int, minimum: int) -> list[Waiting]:
    """What a run does not pay, by reason.

    Calls that ended at `until_at` (ms) or later are not part of the run. Calls that ended at `held_since` (ms) or later
    are too young.
    """
    ended_before = min(until_at, held_since)
    payable = Counter[str]()
    for earning in earnings:
        payable[earning.publisher] += earning.amount if _is_payable(earning, ended_before) else 0
    left: defaultdict[Reason, Counter[str]] = defaultdict(Counter)
    for earning in earnings:
        if not _is_payable(earning, ended_before):
            reason: Reason = "later" if earning.ended_at >= until_at else "young"
            left["disputed" if earning.in_dispute else reason][earning.publisher] += earning.amount
    for publisher, amount in payable.items():
        if amount and amount < max(minimum, 1):
            left["minimum" if amount > 0 else "owes"][publisher] += amount
    return [Waiting(reason, len(found), found.total()) for reason, found in left.items()]


def total(earnings: Iterable[Earning]) -> int:
    """Their sum, in the minor unit."""
    return sum(earning.amount for earning in earnings)


@dataclass(frozen=True, slots=True)
class Run:
    """What a run is to pay: the earnings of calls that ended before `until_at`, and at least `hold_ms` before `at`.

    Times in ms. `minimum` is how much a publisher must have due, in the minor unit of `currency`.
    """

    key: str
    at: int
    currency: str
    until_at: int
    hold_ms: int
    minimum: int


@dataclass(frozen=True, slots=True)
class Payout:
    """What a run paid one publisher, and for how many calls (those that it took back from included)."""

    publisher: str
    amount: int
    calls: int
    key: str


@dataclass(frozen=True, slots=True)
class Paid:
    """A run and its payouts, by publisher. `is_new`: it was made now; then `waits` is what it did not pay."""

    run: Run
    payouts: list[Payout]
    is_new: bool = False
    waits: Sequence[Waiting] = ()
