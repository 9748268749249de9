"""Times, amounts and durations as text for people."""

from __future__ import annotations

from ari_app.domain.basics.clock import iso
from ari_app.domain.basics.money import format_amount


def second(at: int) -> str:
    """A time (ms) in UTC, to the second: `2026-11-25 14:33:31`."""
    return iso(at)[:19].replace("T", " ")


def amount(minor: int, currency: str) -> str:
    """An amount with its currency: `42.00 USD`."""
    return f"{format_amount(minor, currency)} {currency}"


def optional_amount(minor: int | None, currency: str) -> str | None:
    """The amount in decimals; None stays None."""
    return None if minor is None else format_amount(minor, currency)


def duration(duration_ms: int) -> str:
    """A duration for people: `0.4 s`, `12.5 s`, `95 s`, `12 min 5 s`. It is rounded down, never up."""
    if duration_ms >= 120_000:
        minutes, rest = divmod(duration_ms // 1000, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return tenths(duration_ms).removesuffix(".0") + " s"


def tenths(duration_ms: int) -> str:
    """A duration in seconds with one decimal, rounded down: 89,960 ms are `89.9`, never 90."""
    return f"{duration_ms // 100 / 10:.1f}"


def moment(at: int) -> str:
    """A time (ms) in a sentence: `2026-11-25 at 14:33:31 UTC`."""
    day, _, time = iso(at).partition("T")
    return f"{day} at {time[:8]} UTC"


def sentence(text: str) -> str:
    """The text, with a capital letter at the beginning and a full stop at the end."""
    return f"{text[:1].upper()}{text[1:]}."
