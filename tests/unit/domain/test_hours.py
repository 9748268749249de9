"""Opening hours on a wall clock, in winter and in summer."""

import pytest
from pydantic import ValidationError

from ari_app.domain.basics.clock import from_iso
from ari_app.domain.basics.hours import Hours, is_open

NEW_YORK = "America/New_York"


def opened(hours: Hours, at: str, default_timezone: str = NEW_YORK) -> bool:
    return is_open(hours, from_iso(at), default_timezone)


@pytest.mark.parametrize(
    ("at", "is_it"),
    [
        ("2026-11-23T07:59:59-05:00", False),
        ("2026-11-23T08:00:00-05:00", True),
        ("2026-11-23T19:59:59-05:00", True),
        ("2026-11-23T20:00:00-05:00", False),
        ("2026-11-28T12:00:00-05:00", False),
    ],
)
def test_a_range_begins_on_the_minute_and_ends_before_it(at: str, is_it: bool) -> None:
    assert opened(Hours(open=("mon-fri 08:00-20:00",)), at) is is_it


def test_the_wall_clock_counts_in_summer_time_too() -> None:
    hours = Hours(open=("daily 08:00-09:00",))
    assert opened(hours, "2026-03-07T13:00:00Z")  # the day before the clocks go forward: UTC-5
    assert not opened(hours, "2026-03-08T13:00:00Z")
    assert opened(hours, "2026-03-08T12:00:00Z")  # UTC-4


def test_an_hour_that_happens_twice_is_open_twice() -> None:
    hours = Hours(open=("sun 01:00-02:00",))
    assert opened(hours, "2026-11-01T05:30:00Z")
    assert opened(hours, "2026-11-01T06:30:00Z")
    assert not opened(hours, "2026-11-01T07:30:00Z")


@pytest.mark.parametrize(
    ("at", "is_it"),
    [
        ("2026-11-27T19:59:00-05:00", False),
        ("2026-11-27T20:00:00-05:00", True),
        ("2026-11-28T01:59:00-05:00", True),
        ("2026-11-28T02:00:00-05:00", False),
        ("2026-11-27T01:00:00-05:00", False),
    ],
)
def test_a_range_over_midnight_ends_on_the_next_day(at: str, is_it: bool) -> None:
    assert opened(Hours(open=("fri 20:00-02:00",)), at) is is_it


def test_sunday_night_runs_into_monday() -> None:
    assert opened(Hours(open=("sun 22:00-06:00",)), "2026-11-23T05:00:00-05:00")


def test_overlapping_ranges_are_one() -> None:
    hours = Hours(open=("mon 08:00-12:00", "mon 10:00-14:00"))
    assert opened(hours, "2026-11-23T11:00:00-05:00")
    assert opened(hours, "2026-11-23T13:00:00-05:00")


def test_days_may_be_listed_and_may_wrap_around_the_weekend() -> None:
    hours = Hours(open=("sat-mon,wed 10:00-11:00",))
    days = [day for day in range(23, 30) if opened(hours, f"2026-11-{day}T10:30:00-05:00")]
    assert days == [23, 25, 28, 29]


def test_all_day_ends_at_24_00() -> None:
    assert opened(Hours(open=("mon 00:00-24:00",)), "2026-11-23T23:59:59-05:00")


def test_on_a_closed_date_nothing_begins() -> None:
    hours = Hours(open=("daily 20:00-02:00",), closed=("2026-12-25",))
    assert opened(hours, "2026-12-25T01:00:00-05:00")  # began on the 24th
    assert not opened(hours, "2026-12-25T21:00:00-05:00")
    assert not opened(hours, "2026-12-26T01:00:00-05:00")


def test_its_own_time_zone_wins_over_the_owners() -> None:
    at = "2026-11-23T17:00:00Z"
    assert opened(Hours(open=("mon 12:00-13:00",)), at, NEW_YORK)
    assert opened(Hours(open=("mon 09:00-10:00",), timezone="America/Los_Angeles"), at, NEW_YORK)


def test_hours_are_described_with_the_zone_they_are_in() -> None:
    hours = Hours(open=("mon-fri 08:00-20:00",), closed=("2026-12-25",))
    assert hours.describe(NEW_YORK) == "mon-fri 08:00-20:00, closed 2026-12-25 (America/New_York)"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("monday 08:00-20:00", "days are mon tue"),
        ("mon-fri 8:00-20:00", "expected hours such as"),
        ("mon-fri 08:00 - 20:00", "expected hours such as"),
        ("mon 25:00-26:00", "from 00:00 to 24:00"),
        ("mon 08:60-09:00", "from 00:00 to 24:00"),
        ("mon 24:00-01:00", "begin before 24:00"),
        ("mon 08:00-08:00", "all day is 00:00-24:00"),
        ("mon, tue 08:00-20:00", "expected hours such as"),
        (800, "expected hours such as"),
    ],
)
def test_hours_that_cannot_be_read_are_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        Hours(open=(text,))


@pytest.mark.parametrize("closed", ["2026-02-30", "25.12.2026", "20261225"])
def test_a_date_that_does_not_exist_is_refused(closed: str) -> None:
    with pytest.raises(ValidationError, match="expected a date"):
        Hours(open=("daily 08:00-09:00",), closed=(closed,))


def test_hours_that_never_open_are_refused() -> None:
    with pytest.raises(ValidationError):
        Hours(open=())
