"""Refunds: transfers that reverse a deposit, or a part of it, so that the advertiser gets it back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ari_app.domain.ledger.transfers import Transfer, partial_reversal


class CannotRefund(ValueError):
    """The advertiser has less than that available; the message says how much it has."""


def key_of(key: str, n: int = 1) -> str:
    """The key of a refund's n-th transfer. A refund has one transfer for each deposit that it takes money from."""
    return f"refund:{key}" if n == 1 else f"refund:{key}:{n}"


def refund(
    deposits: Iterable[tuple[Transfer, int]], key: str, amount: int, at: int, reason: str
) -> Iterator[Transfer]:
    """The transfers that give `amount` back from these deposits, in their order; each comes with what is left of it.

    An advertiser never has more than is left of all its deposits. Raises ValueError without a reason.
    """
    n = 0
    for deposit, left in deposits:
        part = min(amount, left)
        if part > 0:
            n += 1
            yield partial_reversal(deposit, key_of(key, n), part, at, reason)
            amount -= part
    assert amount == 0, "more was given back than was paid in"
