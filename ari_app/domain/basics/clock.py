"""Times as integers: milliseconds since the epoch, UTC. Nothing here reads a clock."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import overload

FIRST_MS = -62_135_596_800_000
LAST_MS = 253_402_300_799_999
"""The moments that can be written as text: from the beginning of the year 1 until the end of 9999, UTC."""


@overload
def iso(at_ms: int) -> str: ...
@overload
def iso(at_ms: None) -> None: ...
def iso(at_ms: int | None) -> str | None:
    """ISO 8601 in UTC with milliseconds, such as 2026-11-23T09:30:00.250Z; None stays None."""
    if at_ms is None:
        return None
    seconds, ms = divmod(at_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ms:03d}Z"


def from_iso(text: str) -> int:
    """Milliseconds since the epoch of an ISO 8601 time. Raises ValueError; no zone means UTC."""
    return ms_of(datetime.fromisoformat(text))


def ms_of(at: datetime, zone: tzinfo = UTC) -> int:
    """Milliseconds since the epoch of a time, which is in `zone` if it has no zone. Raises ValueError out of range."""
    ms = round((at if at.tzinfo else at.replace(tzinfo=zone)).timestamp() * 1000)
    if not FIRST_MS <= ms <= LAST_MS:
        raise ValueError(f"{at} is before the year 1 or after 9999 in UTC")
    return ms
