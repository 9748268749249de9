"""The day so far, for the live view."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sums:
    """The calls and the money of one currency, in its minor unit. Calls without a campaign have no currency.

    `charged` and `paid` are net; `corrected_*` is the part that came by corrections, negative where it was reversed.
    """

    currency: str | None
    calls: int
    connected: int
    qualified: int
    charged: int
    paid: int
    corrected_charged: int = 0
    corrected_paid: int = 0
