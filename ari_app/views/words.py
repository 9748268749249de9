"""Moments, amounts and durations as people read them."""

from __future__ import annotations

from ari_app.domain.basics.clock import iso


def second(at: int) -> str:
    """A moment (ms) in UTC, to the second: `2026-11-25 14:33:31`."""
    return iso(at)[:19].replace("T", " ")
