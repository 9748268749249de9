"""Which earnings a payout run pays: those that are old enough and that nobody disputes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Earning:
    """What a transfer earned a publisher, or (negative) took back, and was in no payout yet.

    `is_paid_out`: the call's payout was in a run before, so that this is what became of it since.
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

    What was clawed back of a call that is paid out already counts at once, also while it is disputed again:
    that money is owed. Of any other call, its payout and what was taken back of it stand or wait together.
    So what waits is never less than nothing, and what is paid never more than the publisher has.
    """
    payable: defaultdict[str, list[Earning]] = defaultdict(list)
    for earning in earnings:
        is_owed = earning.is_paid_out and earning.amount < 0
        if is_owed or (earning.ended_at < ended_before and not earning.in_dispute):
            payable[earning.publisher].append(earning)
    return {publisher: its for publisher, its in payable.items() if total(its) >= max(minimum, 1)}


def total(earnings: Iterable[Earning]) -> int:
    """What they come to, in the minor unit."""
    return sum(earning.amount for earning in earnings)
