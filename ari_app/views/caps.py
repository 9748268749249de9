"""Caps with what is used and left of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def words(caps: Iterable[dict[str, Any]]) -> str:
    """One owner's caps for people: `2 used, 1 reserved of 10 qualified calls a day`."""
    return "; ".join(f"{cap['used']} used, {cap['reserved']} reserved of {cap['cap']}" for cap in caps)
