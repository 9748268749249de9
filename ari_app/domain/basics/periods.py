"""Periods: hours, days, weeks and months in local time, correct also when summer time begins or ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Per = Literal["hour", "day", "week", "month", "total"]


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` until before `end`, ms. The period of a total, and of a concurrent cap, has no end."""

    start: int
    end: int | None


def period(per: Per, at: int, timezone: str) -> Period:
    """The period that contains the moment `at` (ms). Days, weeks and months are those of the local time."""
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
    """When the day begins. Where summer time skips midnight, it is the moment of the skip."""
    return int(datetime.combine(day, time(), zone).timestamp()) * 1000
