"""Caps, with how much is used and left of each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ari_app.domain.basics.clock import iso
from ari_app.domain.basics.money import format_amount
from ari_app.domain.caps import counters
from ari_app.domain.caps.standing import Standing


def words(caps: Iterable[dict[str, Any]]) -> str:
    """One owner's caps for people: `2 used, 1 reserved of 10 qualified calls a day`."""
    return "; ".join(f"{cap['used']} used, {cap['reserved']} reserved of {cap['cap']}" for cap in caps)


COLUMNS = {
    "owner": "owner",
    "id": "id",
    "cap": "cap",
    "used": "used",
    "reserved": "reserved",
    "left": "left",
    "resets at": "resets_at",
}


def cap_json(standing: Standing) -> dict[str, Any]:
    """A cap as JSON."""
    whose, cap, period = standing.owner, standing.cap, standing.period
    shown = [
        number if cap.max_amount is None else format_amount(number, counters.currency_of(whose, cap))
        for number in (counters.limit(cap), standing.used, standing.reserved, standing.left)
    ]
    return {
        "owner": whose.kind,
        "id": whose.id,
        "key": counters.key(whose, cap),
        "cap": counters.describe(whose, cap),
        **dict(zip(("limit", "used", "reserved", "left"), shown, strict=True)),
        "period_start": iso(period.start) if period.end is not None else None,
        "resets_at": iso(period.end),
    }
