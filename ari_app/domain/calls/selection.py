"""Which calls a reader asks for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Selection:
    """Calls that match everything given. A party that is an empty text is one that the call does not have.

    `since` and `until` (ms) are of the call's beginning, `talked_*_ms` of its connection; each range
    includes its beginning and not its end. `counted_as` is a counter of `domain.reports.rollups`: of calls, or,
    with a destination, of what was offered to it. With one of money, `since` and `until` are of when it moved.
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
