"""Bills: the money of a period's calls, for an advertiser (an invoice) or a publisher (a statement).

A bill has the ledger's transfers that are on no earlier bill. So each transfer is on one bill, once, and
the closing balance of a bill is the opening balance of the next one. An issued bill never changes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from ari_app.domain.ledger.transfers import advertiser_account, publisher_account

BillKind = Literal["invoice", "statement"]
BillPart = Literal["calls", "bonuses", "adjustments"]

_PERIOD = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


class BillError(ValueError):
    """The bill cannot be issued; the message says why."""


class MonthIsOpen(BillError):
    """The month is not over; it is billed before its end only where that is asked for."""


@dataclass(frozen=True, slots=True)
class BillPeriod:
    """A month in a time zone, from `from_at` until before `until_at`, in ms."""

    name: str
    timezone: str
    from_at: int
    until_at: int


@dataclass(frozen=True, slots=True)
class Movement:
    """A transfer as the party's account saw it: `amount` is what it added, negative what it took.

    `campaign` is that of the transfer's call; None: the transfer belongs to no call, such as a payment. `bonuses` are
    those that were decided after their call.
    """

    transfer_key: str
    at: int
    what: BillPart
    campaign: str | None
    amount: int


@dataclass(frozen=True, slots=True)
class BillLine:
    """The sum of a campaign's calls. `is_earlier`: calls of earlier months, written after the bill of their month."""

    what: BillPart
    campaign: str
    is_earlier: bool
    count: int
    amount: int


@dataclass(frozen=True, slots=True)
class Bill:
    """An issued bill. Amounts are in the minor unit, balances as the party's account has them.

    An invoice's `total` is what the advertiser is charged and `payments` what it paid in; a statement's
    `total` is what the publisher earned and `payments` what it was paid.
    """

    kind: BillKind
    number: int
    party: str
    name: str
    currency: str
    period: BillPeriod
    issued_at: int
    opening: int
    payments: int
    lines: tuple[BillLine, ...]

    @property
    def total(self) -> int:
        """What the lines add up to."""
        return sum(line.amount for line in self.lines)

    @property
    def closing(self) -> int:
        """The account's balance after everything on this bill; an advertiser's is negative when it owes."""
        moved = self.total - self.payments
        return self.opening + _SIGN[self.kind] * moved


@dataclass(frozen=True, slots=True)
class Party:
    """Whose bill it is: an advertiser's invoice or a publisher's statement, in one currency."""

    kind: BillKind
    id: str
    name: str
    currency: str


@dataclass(frozen=True, slots=True)
class Issued:
    """A bill. `is_new`: it was issued now, not before."""

    bill: Bill
    is_new: bool


# A charge takes from an advertiser's account and stands on an invoice as a positive amount.
_SIGN = {"invoice": -1, "statement": 1}


def account_of(kind: BillKind, party: str) -> str:
    """The ledger's account that a bill is about."""
    return advertiser_account(party) if kind == "invoice" else publisher_account(party)


def period_of(name: str, timezone: str) -> BillPeriod:
    """The month of this name, such as 2026-11. Raises ValueError for anything else."""
    match = _PERIOD.fullmatch(name)
    if match is None or match[1] in ("0000", "9999"):
        raise ValueError(f"expected a month such as 2026-11, got {name!r}")
    year, month = int(match[1]), int(match[2])
    return BillPeriod(
        name, timezone, _first_of(year, month, timezone), _first_of(*_next(year, month), timezone)
    )


def to_issue(period: BillPeriod, now: int, force_open: bool) -> BillPeriod:
    """The period as it is billed at `now` (ms). One that is not over is billed only if forced, and only until `now`.

    Money that moves in the rest of such a period is on the next bill. Raises BillError.
    """
    if now >= period.until_at:
        return period
    if now < period.from_at:
        raise BillError(f"{period.name} has not begun in {period.timezone}")
    if not force_open:
        raise MonthIsOpen(f"{period.name} is not over in {period.timezone}")
    return BillPeriod(period.name, period.timezone, period.from_at, now)


def bill_lines(
    kind: BillKind, movements: Iterable[Movement], period: BillPeriod
) -> tuple[list[BillLine], int]:
    """The bill's lines for these movements, campaign by campaign; and what was paid in or out."""
    sign = _SIGN[kind]
    counts: Counter[tuple[bool, str, BillPart]] = Counter()
    amounts: Counter[tuple[bool, str, BillPart]] = Counter()
    payments = 0
    for movement in movements:
        if movement.campaign is None:
            payments -= sign * movement.amount
            continue
        line = (movement.at < period.from_at, movement.campaign, movement.what)
        counts[line] += 1
        amounts[line] += sign * movement.amount
    lines = [
        BillLine(what, campaign, is_earlier, counts[is_earlier, campaign, what], amount)
        for (is_earlier, campaign, what), amount in sorted(amounts.items(), key=_in_order)
    ]
    return lines, payments


def _in_order(item: tuple[tuple[bool, str, BillPart], int]) -> tuple[bool, str, int]:
    """This month's first; by campaign; adjustments after the calls."""
    is_earlier, campaign, what = item[0]
    return is_earlier, campaign, get_args(BillPart).index(what)


def _first_of(year: int, month: int, timezone: str) -> int:
    return round(datetime(year, month, 1, tzinfo=ZoneInfo(timezone)).timestamp() * 1000)


def _next(year: int, month: int) -> tuple[int, int]:
    return (year + 1, 1) if month == 12 else (year, month + 1)
