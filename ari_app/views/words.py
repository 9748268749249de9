"""Moments, amounts and durations as people read them."""

from __future__ import annotations

from ari_app.domain.basics.clock import iso
from ari_app.domain.basics.money import format_amount


def second(at: int) -> str:
    """A moment (ms) in UTC, to the second: `2026-11-25 14:33:31`."""
    return iso(at)[:19].replace("T", " ")


def amount(minor: int, currency: str) -> str:
    """An amount with its currency: `42.00 USD`."""
    return f"{format_amount(minor, currency)} {currency}"


def optional_amount(minor: int | None, currency: str) -> str | None:
    """The amount in decimals; None stays None."""
    return None if minor is None else format_amount(minor, currency)
