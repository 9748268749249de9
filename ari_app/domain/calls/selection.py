"""Which calls a reader asks for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Selection:
    """Calls that match everything given. An empty text as a party means: calls that have no such party.

    `since` and `until` (ms) limit when the call began, `talked_*_ms` how long it was connected. Each range
    includes its beginning and excludes its end. `counted_as` is a counter of `domain.reports.rollups`: one of calls,
    or, with a destination, one of offers. With a counter of money, `since` and `until` limit when the money moved.
    """

    did: str | None = None
    ani: str | None = None
    campaign: str | None = None
    advertiser: str | None = None
    publisher: str | None = None
    source: str | None = None
    state: str | None = None
    winner: str | None = None
    disposition: str | None = None
    qualified: bool | None = None
    since: int | None = None
    until: int | None = None
    talked_from_ms: int | None = None
    talked_until_ms: int | None = None
    destination: str | None = None
    counted_as: str | None = None
    corrected: bool = False
