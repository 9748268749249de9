"""Opening hours: weekly ranges in local time, correct also when summer time begins or ends."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, ConfigDict
from pydantic.dataclasses import dataclass

from ari_app.domain.basics.fields import TimeZone

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60
_RANGE = re.compile(r"(\S+) (\d\d):(\d\d)-(\d\d):(\d\d)", re.ASCII)
_EXPECTED = 'expected hours such as "mon-fri 08:00-20:00", "sat,sun 10:00-14:00" or "daily 20:00-02:00"'

Week = tuple[tuple[tuple[int, int], ...], ...]
"""For each day from Monday, its ranges in minutes from midnight. A range over midnight ends after 1440."""


def _range(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(_EXPECTED)
    _parse_range(value)
    return value


def _not_empty(ranges: tuple[str, ...]) -> tuple[str, ...]:
    if not ranges:
        raise ValueError(_EXPECTED)
    return ranges


def _closed(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError as error:
            raise ValueError(f"expected a date that exists ({error})") from error
    raise ValueError("expected a date such as 2026-12-25")


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Hours:
    """When something is open, in `timezone` (None: its owner's).

    `open` has ranges such as `mon-fri 08:00-20:00`. A range whose end is not after its start ends on
    the next day. `closed` has dates on which no range begins.
    """

    open: Annotated[tuple[Annotated[str, BeforeValidator(_range)], ...], AfterValidator(_not_empty)]
    timezone: TimeZone | None = None
    closed: tuple[Annotated[str, BeforeValidator(_closed)], ...] = ()

    def describe(self, default_timezone: str = "UTC") -> str:
        """The hours for people: `mon-fri 08:00-20:00, closed 2026-12-25 (America/New_York)`."""
        closed = [f"closed {', '.join(self.closed)}"] if self.closed else []
        return f"{', '.join([*self.open, *closed])} ({self.timezone or default_timezone})"


def is_open(hours: Hours, at_ms: int, default_timezone: str = "UTC") -> bool:
    """Whether it is open at a moment (ms since the epoch), in the hours' own time zone or else the default one."""
    return _is_open(hours.open, hours.closed, hours.timezone or default_timezone, at_ms // 60_000)


# Cached: one decision asks about many destinations, most of which have the same few hours.
@lru_cache(maxsize=1024)
def _is_open(ranges: tuple[str, ...], closed: tuple[str, ...], timezone: str, epoch_minute: int) -> bool:
    local = datetime.fromtimestamp(epoch_minute * 60, UTC).astimezone(ZoneInfo(timezone))
    today, minute = local.date(), local.hour * 60 + local.minute
    yesterday = today - timedelta(days=1)
    begun_today = today.isoformat() not in closed and _covers(ranges, today, minute)
    begun_yesterday = yesterday.isoformat() not in closed and _covers(
        ranges, yesterday, minute + _DAY_MINUTES
    )
    return begun_today or begun_yesterday


def _covers(ranges: tuple[str, ...], day: date, minute: int) -> bool:
    """Whether a range that begins on `day` still lasts, `minute` minutes after that day's midnight."""
    return any(start <= minute < end for start, end in _week(ranges)[day.weekday()])


@lru_cache(maxsize=4096)
def _week(ranges: tuple[str, ...]) -> Week:
    week: list[list[tuple[int, int]]] = [[] for _ in _DAYS]
    for text in ranges:
        days, start, end = _parse_range(text)
        for day in days:
            week[day].append((start, end))
    return tuple(tuple(day) for day in week)


@lru_cache(maxsize=4096)
def _parse_range(text: str) -> tuple[tuple[int, ...], int, int]:
    """The days (0 is Monday), start and end in minutes from midnight. Raises ValueError."""
    match = _RANGE.fullmatch(text)
    if match is None:
        raise ValueError(_EXPECTED)
    start, end = _minutes(match[2], match[3]), _minutes(match[4], match[5])
    if start == _DAY_MINUTES:
        raise ValueError("expected hours that begin before 24:00")
    if start == end:
        raise ValueError("expected hours that end at another time than they begin; all day is 00:00-24:00")
    return _parse_days(match[1]), start, end if end > start else end + _DAY_MINUTES


def _minutes(hour: str, minute: str) -> int:
    minutes = int(hour) * 60 + int(minute)
    if int(minute) > 59 or minutes > _DAY_MINUTES:
        raise ValueError(f"expected a time from 00:00 to 24:00, not {hour}:{minute}")
    return minutes


def _parse_days(text: str) -> tuple[int, ...]:
    if text == "daily":
        return tuple(range(7))
    days: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if first not in _DAYS or (dash and last not in _DAYS):
            raise ValueError(f"{_EXPECTED}; days are {' '.join(_DAYS)}")
        begin = _DAYS.index(first)
        count = (_DAYS.index(last) - begin) % 7 + 1 if dash else 1
        days += [(begin + offset) % 7 for offset in range(count)]
    return tuple(days)
