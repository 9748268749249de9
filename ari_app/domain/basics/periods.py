"""Periods: hours, days, weeks and months of a wall clock, right across changes to and from summer time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Per = Literal["hour", "day", "week", "month", "total"]


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` until before `end`, ms; a total and what is concurrent have one without an end."""

    start: int
    end: int | None


def period(per: Per, at: int, timezone: str) -> Period:
    """The period that the moment `at` (ms) is in. Days, and what is made of them, follow the wall clock."""
    if per == "total":
        return Period(0, None)
    zone = ZoneInfo(timezone)
    local = datetime.fromtimestamp(at // 1000, zone)
    if per == "hour":
        start = at - (local.minute * 60 + local.second) * 1000 - at % 1000
        return Period(start, start + 3_600_000)
    first, following = _days(per, local.date())
    return Period(_midnight(first, zone), _midnight(following, zone))


def _days(per: Per, day: date) -> tuple[date, date]:
    """The first day of the period, and of the one after it."""
    if per == "month":
        first = day.replace(day=1)
        return first, (first + timedelta(days=32)).replace(day=1)
    first = day - timedelta(days=day.weekday()) if per == "week" else day
    return first, first + timedelta(days=7 if per == "week" else 1)


def _midnight(day: date, zone: ZoneInfo) -> int:
    """When the day begins: where summer time skips midnight, at the moment of the skip."""
    return int(datetime.combine(day, time(), zone).timestamp()) * 1000
