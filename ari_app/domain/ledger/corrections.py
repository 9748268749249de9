"""The money of a call after corrections, and the transfers that correct it.

The advertiser gets back a part of its charge, and the publisher loses a part of its payout. Each correction is
a transfer that names the transfer that it reverses. The record of the call stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ari_app.domain.basics.money import format_amount
from ari_app.domain.ledger.transfers import EXCHANGE, Transfer, partial_reversal


class CannotCorrect(ValueError):
    """The call has less money left than is to be reversed; the message says how much it has."""


@dataclass(frozen=True, slots=True)
class Net:
    """What one call charged and paid, and how much of each was reversed since, in the minor unit."""

    charged: int = 0
    credited: int = 0
    paid: int = 0
    clawed_back: int = 0

    @property
    def price(self) -> int:
        """What the advertiser is charged in the end."""
        return self.charged - self.credited

    @property
    def payout(self) -> int:
        """What the publisher is paid in the end."""
        return self.paid - self.clawed_back

    @property
    def is_reversed(self) -> bool:
        """Whether the advertiser has its whole charge back."""
        return self.charged > 0 and self.price == 0


def net(transfers: Iterable[Transfer]) -> Net:
    """The sums of one call's transfers."""
    its = list(transfers)
    return Net(*_moved_and_back(its, charges_of(its)), *_moved_and_back(its, payouts_of(its)))


def charges_of(transfers: Iterable[Transfer]) -> list[Transfer]:
    """The transfers that charged the call's advertiser: for the call, and for a bonus that was decided late."""
    return [transfer for transfer in _moves(transfers) if transfer.credit == EXCHANGE]


def payouts_of(transfers: Iterable[Transfer]) -> list[Transfer]:
    """The transfers that paid the call's publisher."""
    return [transfer for transfer in _moves(transfers) if transfer.debit == EXCHANGE]


def corrections_of(transfers: Iterable[Transfer]) -> list[Transfer]:
    """What corrected the call after its verdict."""
    return [transfer for transfer in transfers if transfer.kind == "adjust"]


def clawback_for(so_far: Net, credit: int) -> int:
    """What the publisher loses when the advertiser is given `credit` back, in proportion.

    The sum of all clawbacks is the same share of the payout as the sum of all credits is of the charge, rounded down
    to the minor unit. So it is never more than the payout. It is the whole payout when the whole charge is credited.
    Several credits claw back as much as one credit of their sum. Where more was clawed back already, the result is 0.
    """
    if not so_far.charged:
        return 0
    due = so_far.paid * (so_far.credited + credit) // so_far.charged
    return max(due - so_far.clawed_back, 0)


def correct(
    transfers: Sequence[Transfer], key: str, credit: int, clawback: int, at: int, reason: str
) -> list[Transfer]:
    """The transfers that give the advertiser `credit` back and take `clawback` from the publisher.

    `transfers` are the call's so far; `key` is unique to this correction. Raises CannotCorrect when an amount is
    more than is left of the charge or of the payout; raises ValueError without a reason.
    """
    so_far = net(transfers)
    parts = (
        ("price", charges_of(transfers), credit, so_far.price, "the advertiser was charged"),
        ("payout", payouts_of(transfers), clawback, so_far.payout, "the publisher was paid"),
    )
    made: list[Transfer] = []
    for name, moves, amount, left, whose in parts:
        if amount == 0:
            continue
        if not moves:
            raise CannotCorrect(f"nothing can be taken back of what {whose}: it was nothing")
        if amount > left:
            currency = moves[0].currency
            wanted, rest = (format_amount(minor, currency) for minor in (amount, left))
            raise CannotCorrect(f"{wanted} is more than the {rest} {currency} left of what {whose}")
        made += _reverse(transfers, moves, amount, f"{key}:{name}", at, reason)
    return made


def _reverse(
    transfers: Sequence[Transfer], moves: Iterable[Transfer], amount: int, key: str, at: int, reason: str
) -> Iterator[Transfer]:
    """Reverses an amount of the moves, in their order. The first transfer has the key; later ones add a number."""
    count = 0
    for moved in moves:
        part = min(amount, moved.amount - _reversed(transfers, moved))
        if part > 0:
            count += 1
            yield partial_reversal(moved, key if count == 1 else f"{key}:{count}", part, at, reason)
            amount -= part


def _moves(transfers: Iterable[Transfer]) -> list[Transfer]:
    """The transfers that moved money forward: the posts, and what was charged or paid when a call was judged again."""
    return [t for t in transfers if t.kind == "post" or (t.kind == "adjust" and t.resolves is None)]


def _moved_and_back(transfers: Sequence[Transfer], moves: Sequence[Transfer]) -> tuple[int, int]:
    return sum(moved.amount for moved in moves), sum(_reversed(transfers, moved) for moved in moves)


def _reversed(transfers: Iterable[Transfer], moved: Transfer) -> int:
    """How much of a transfer is reversed so far."""
    return sum(t.amount for t in transfers if t.kind == "adjust" and t.resolves == moved.key)
