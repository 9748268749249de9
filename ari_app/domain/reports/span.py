"""The period of a report, on a reader's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` until before `until`, full hours in ms, in the time of `zone`."""

    since: int
    until: int
    zone: ZoneInfo

    def __str__(self) -> str:
        since, until = (
            datetime.fromtimestamp(at // 1000, self.zone).strftime("%Y-%m-%d %H:%M")
            for at in (self.since, self.until)
        )
        return f"{since} to {until}, {self.zone.key}"
