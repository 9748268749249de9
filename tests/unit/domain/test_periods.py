"""Periods follow the wall clock of their owner."""

from __future__ import annotations

import pytest

from ari_app.domain.basics.clock import from_iso, iso
from ari_app.domain.basics.periods import period


@pytest.mark.parametrize(
    ("per", "at", "timezone", "start", "end"),
    [
        ("hour", "2026-11-25T02:30:00Z", "UTC", "2026-11-25T02:00:00Z", "2026-11-25T03:00:00Z"),
        ("hour", "2026-11-25T02:20:00Z", "Asia/Kolkata", "2026-11-25T01:30:00Z", "2026-11-25T02:30:00Z"),
        ("day", "2026-11-25T04:59:59Z", "America/New_York", "2026-11-24T05:00:00Z", "2026-11-25T05:00:00Z"),
        ("day", "2026-11-25T05:00:00Z", "America/New_York", "2026-11-25T05:00:00Z", "2026-11-26T05:00:00Z"),
        ("week", "2026-11-25T02:30:00Z", "Europe/Berlin", "2026-11-22T23:00:00Z", "2026-11-29T23:00:00Z"),
        ("month", "2026-12-31T23:30:00Z", "UTC", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        # The clock goes back: a day of 25 hours, and an hour that comes twice.
        ("day", "2026-11-01T12:00:00Z", "America/New_York", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"),
        ("hour", "2026-11-01T05:30:00Z", "America/New_York", "2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z"),
        ("hour", "2026-11-01T06:30:00Z", "America/New_York", "2026-11-01T06:00:00Z", "2026-11-01T07:00:00Z"),
        # The clock goes forward: a day of 23 hours; in Cairo it has no midnight.
        ("day", "2026-03-08T12:00:00Z", "America/New_York", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"),
        ("day", "2026-04-24T12:00:00Z", "Africa/Cairo", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"),
    ],
)
def test_a_period_follows_the_wall_clock_of_its_owner(
    per: str, at: str, timezone: str, start: str, end: str
) -> None:
    found = period(per, from_iso(at), timezone)  # type: ignore[arg-type]
    assert (iso(found.start), iso(found.end)) == (iso(from_iso(start)), iso(from_iso(end)))


def test_a_total_has_no_end() -> None:
    assert period("total", 1_763_900_000_000, "UTC").end is None
