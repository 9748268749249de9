"""Counters become lines: rates, money, the reader's clock."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from ari_app.domain.basics.clock import from_iso
from ari_app.domain.reports.reporting import (
    Group,
    ReportLine,
    Takings,
    check_hours,
    day_bounds,
    divided,
    hour_bounds,
    in_time,
    lines,
    local_day,
    local_hour,
    ratio,
    total,
    with_live,
)
from ari_app.domain.reports.rollups import HOUR_MS

NEW_YORK = ZoneInfo("America/New_York")
AUTUMN = from_iso("2026-11-01T04:00Z")  # midnight in New York; the clock goes back at 06:00Z


def group(key: str | int, currency: str = "USD", **counts: int) -> Group:
    return Group(key, currency, Counter(counts))


def label(key: str | int) -> str | None:
    return str(key) or None


def test_groups_of_one_label_are_one_line() -> None:
    groups = [group("a", incoming=2, revenue=500), group("a", "", incoming=1), group("b", incoming=9)]
    big, small = lines(groups, label, Fraction(0))
    assert (big.key, small.key, small.counts["incoming"]) == ("b", "a", 3)
    assert small.takings == {"USD": Takings(500, calls=2)}


def test_what_is_not_known_is_a_line_of_its_own() -> None:
    [line] = lines([group("", incoming=1)], label, Fraction(0))
    assert line.key is None


def test_each_currency_has_its_own_money() -> None:
    [line] = lines([group("a", "USD", revenue=5), group("a", "JPY", revenue=7)], label, Fraction(0))
    assert line.takings == {"USD": Takings(5), "JPY": Takings(7)}


def test_revenue_a_call_is_of_the_calls_that_may_bring_it() -> None:
    dollars, yen = group("a", "USD", incoming=2, revenue=500), group("a", "JPY", incoming=1, revenue=900)
    [line] = lines([dollars, yen, group("a", "", incoming=2)], label, Fraction(0))
    assert (line.revenue_per_call("USD"), line.revenue_per_call("JPY")) == (125, 300)


def test_profit_is_revenue_without_payout_and_cost() -> None:
    minute = group("a", incoming=1, revenue=4200, payout=3000, line_ms=90_000)
    [line] = lines([minute], label, cost_a_minute=Fraction("1.1"))  # of a cent: 1.65 cents
    assert line.takings["USD"] == Takings(4200, 3000, 2, calls=1)
    assert line.takings["USD"].profit == 1198
    assert line.takings["USD"].margin == 0.2852


def test_the_cost_of_a_line_is_rounded_once() -> None:
    parts = [group("a", line_ms=30_000)] * 4
    [line] = lines(parts, label, cost_a_minute=Fraction("0.5"))
    assert line.takings["USD"].cost == 1


def test_the_total_is_the_sum_of_the_lines() -> None:
    whole = total(
        lines([group("a", incoming=1, revenue=2), group("b", incoming=3, revenue=4)], label, Fraction(0))
    )
    assert whole.counts["incoming"] == 4
    assert whole.takings == {"USD": Takings(6, calls=4)}
    assert whole.live is None


def test_rates_of_nothing_are_not_known() -> None:
    nothing = ReportLine("a", takings={"USD": Takings()})
    assert nothing.share("qualified", "incoming") is None
    assert nothing.average_ms("talk_ms", "connected") is None
    assert nothing.revenue_per_call("USD") is None
    assert Takings().margin is None


@pytest.mark.parametrize(("amount", "count", "average"), [(5, 2, 3), (7, 3, 2), (-5, 2, -2), (1, 3, 0)])
def test_averages_are_whole_halves_up(amount: int, count: int, average: int) -> None:
    assert divided(amount, count) == average


def test_a_ratio_has_four_decimals() -> None:
    assert ratio(1, 3) == 0.3333


def test_live_calls_stand_beside_the_lines_and_may_be_of_new_ones() -> None:
    found = with_live([ReportLine("a", Counter(incoming=5)), ReportLine("b")], ["a", "c", "a"])
    assert [(line.key, line.live) for line in found] == [("a", 2), ("b", 0), ("c", 1)]
    assert found[0].counts["incoming"] == 5


def test_hours_without_calls_between_others_are_lines_too() -> None:
    found = in_time([ReportLine("c"), ReportLine("a")], ["0", "a", "b", "b", "c", "d"])
    assert [line.key for line in found] == ["a", "b", "c"]
    assert in_time([], ["a", "b"]) == []


# The reader's clock


def test_the_hour_that_comes_twice_in_autumn_has_two_names() -> None:
    names = [local_hour(AUTUMN + hour * HOUR_MS, NEW_YORK) for hour in (1, 2)]
    assert names == ["2026-11-01T01:00-04:00", "2026-11-01T01:00-05:00"]
    assert hour_bounds(names[1]) == (AUTUMN + 2 * HOUR_MS, AUTUMN + 3 * HOUR_MS)


def test_the_day_when_the_clock_goes_back_has_25_hours() -> None:
    since, until = day_bounds("2026-11-01", NEW_YORK)
    assert (since, until - since) == (AUTUMN, 25 * HOUR_MS)
    days = {local_day(at, NEW_YORK) for at in range(since, until, HOUR_MS)}
    assert days == {"2026-11-01"}


def test_a_period_between_two_hours_is_refused() -> None:
    with pytest.raises(ValueError, match="is no full hour of UTC"):
        check_hours(AUTUMN + 1, AUTUMN + HOUR_MS, NEW_YORK)


@pytest.mark.parametrize("name", ["Asia/Kolkata", "Australia/Lord_Howe"])
def test_a_clock_with_half_hours_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"the clock of {name} is not full hours from UTC"):
        check_hours(AUTUMN - 200 * 24 * HOUR_MS, AUTUMN, ZoneInfo(name))


def test_a_clock_of_full_hours_is_taken() -> None:
    check_hours(AUTUMN, AUTUMN + 24 * HOUR_MS, NEW_YORK)
