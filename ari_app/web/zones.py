"""Times as the viewer's clock has them: their browser says its zone in a cookie, and each page says which it took."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from fastapi import Request

from ari_app.domain.basics.clock import from_iso, ms_of

COOKIE = "callrace-zone"


def zone_of(request: Request) -> ZoneInfo:
    """The viewer's time zone; UTC until their browser has said it."""
    try:
        return ZoneInfo(request.cookies.get(COOKIE, "UTC").replace("%2F", "/"))
    except (ValueError, KeyError, OSError):  # no such zone, or no name of one
        return ZoneInfo("UTC")


def second(iso: str, zone: ZoneInfo) -> str:
    """A time of our JSON on the viewer's clock: `2026-11-28 09:15:02`."""
    return f"{_at(iso, zone):%Y-%m-%d %H:%M:%S}"


def minute(iso: str, zone: ZoneInfo) -> str:
    """The same, to the minute."""
    return f"{_at(iso, zone):%Y-%m-%d %H:%M}"


def day_begins(text: str, zone: ZoneInfo) -> int:
    """When a day such as `2026-11-28` begins there (ms). Raises ValueError."""
    return ms_of(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=zone).astimezone(UTC))


def day_ends(text: str, zone: ZoneInfo) -> int:
    """When the day after it begins. Raises ValueError."""
    day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=zone) + timedelta(days=1)
    return ms_of(day.astimezone(UTC))


def today(now: int, zone: ZoneInfo) -> str:
    """Today's date there."""
    return f"{datetime.fromtimestamp(now / 1000, zone):%Y-%m-%d}"


def days_before(day: str, count: int) -> str:
    """The date so many days before."""
    return f"{datetime.strptime(day, '%Y-%m-%d') - timedelta(days=count):%Y-%m-%d}"


def hours_of(day: str) -> Iterator[str]:
    """The hours of a day, as reports name them: `2026-11-28 09:00`."""
    return (f"{day} {hour:02d}:00" for hour in range(24))


def _at(iso: str, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(from_iso(iso) / 1000, zone)
