"""Times as integers: milliseconds since the epoch, UTC. Nothing here reads a clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import overload


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
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return round(at.timestamp() * 1000)
