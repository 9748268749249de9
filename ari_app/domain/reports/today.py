"""The day so far, for the live view."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sums:
    """The calls and the money of one currency, or the calls of none (no campaign); amounts in its minor unit.

    `charged` and `paid` are net; `corrected_*` is what of them came by corrections, negative where it was taken back.
    """

    currency: str | None
    calls: int
    connected: int
    qualified: int
    charged: int
    paid: int
    corrected_charged: int = 0
    corrected_paid: int = 0
