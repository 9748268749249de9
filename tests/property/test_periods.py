"""Periods tile time, in every zone and across every change of its clock."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from ari_app.domain.basics.periods import Per, period

MOMENT = st.integers(
    int(datetime(2024, 1, 1, tzinfo=UTC).timestamp() * 1000),
    int(datetime(2037, 12, 31, tzinfo=UTC).timestamp() * 1000),
)
# Zones whose clocks change by whole hours, at midnight too (Cairo, Beirut, Havana), or have odd offsets.
ZONE = st.sampled_from(
    [
        "UTC",
        "America/New_York",
        "America/Havana",
        "Europe/London",
        "Africa/Cairo",
        "Asia/Beirut",
        "Asia/Kolkata",
        "Asia/Kathmandu",
        "Australia/Sydney",
        "Pacific/Auckland",
        "Pacific/Chatham",
    ]
)
PER: st.SearchStrategy[Per] = st.sampled_from(["hour", "day", "week", "month"])
LONGEST_HOURS = {"hour": 1, "day": 25, "week": 7 * 24 + 1, "month": 31 * 24 + 1}


@given(PER, MOMENT, ZONE)
def test_a_moment_is_in_its_period_and_the_next_begins_where_it_ends(per: Per, at: int, zone: str) -> None:
    found = period(per, at, zone)
    assert found.end is not None
    assert found.start <= at < found.end
    assert period(per, found.start, zone) == found
    assert period(per, found.end - 1, zone) == found
    assert period(per, found.end, zone).start == found.end
    assert 0 < found.end - found.start <= LONGEST_HOURS[per] * 3_600_000


@given(st.sampled_from(["day", "week", "month"]), MOMENT, ZONE)
def test_days_weeks_and_months_begin_with_a_day_of_their_owner(per: Per, at: int, zone: str) -> None:
    """The first moment is of one date, the moment before it of the date before."""
    start = period(per, at, zone).start
    first = datetime.fromtimestamp(start // 1000, ZoneInfo(zone))
    before = datetime.fromtimestamp(start // 1000 - 1, ZoneInfo(zone))
    assert (first.date() - before.date()).days == 1
    assert per != "week" or first.weekday() == 0
    assert per != "month" or first.day == 1
