"""The price or payout of a call under its terms: a fixed amount, an amount per minute, or a share of the price.

All amounts are integers in the minor unit. A fraction of it is rounded once, half up, after all increments
are added up; then `minimum` and `maximum` are applied.
"""

from __future__ import annotations

from ari_app.domain.calls.record import ShareOfPrice
from ari_app.domain.market.terms import Rate

WHOLE = 10_000  # a share of 100 %, in hundredths of a percent
MINUTE_MS = 60_000


def amount(rate: int | Rate, talked_ms: int, price: int = 0) -> int:
    """The amount for a call that talked for so long (ms). `price`: what its advertiser pays, needed for a share of it.

    Time is counted in started increments: with an increment of 6 s, 61 s count as 66 s.
    """
    if isinstance(rate, int):
        return rate
    if rate.share is not None:
        return of_price(ShareOfPrice(rate.share, rate.minimum, rate.maximum), price)
    assert rate.per_minute is not None, "`document.parse` refuses a rate that says nothing"
    increments = -(-talked_ms // rate.increment)
    return _between(rate, _half_up(rate.per_minute * increments * rate.increment, MINUTE_MS))


def of_price(share: ShareOfPrice, price: int) -> int:
    """The amount of a share of a price."""
    return _between(share, _half_up(price * share.share, WHOLE))


def _half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


def _between(rate: Rate | ShareOfPrice, found: int) -> int:
    if rate.maximum is not None:
        found = min(found, rate.maximum)
    return max(found, rate.minimum or 0)
