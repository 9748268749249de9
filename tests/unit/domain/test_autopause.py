"""When a destination that leaves calls unanswered is paused."""

import pytest

from ari_app.domain.market.autopause import DAY_MS, HOUR_MS, why_pause
from ari_app.domain.market.destinations import AutoPause
from ari_app.serving.unanswered import InMemoryUnanswered

NOW = 10 * DAY_MS


def ago(*milliseconds: int) -> list[int]:
    return [NOW - ms for ms in milliseconds]


@pytest.mark.parametrize(
    ("unanswered_at", "reason"),
    [
        (ago(), None),
        (ago(0, 1), None),
        (ago(0, 1, HOUR_MS - 1), "3 calls left unanswered within an hour"),
        (ago(0, 1, HOUR_MS), None),
        (ago(0, 1, HOUR_MS, 2 * HOUR_MS, DAY_MS - 1), "5 calls left unanswered within a day"),
        (ago(0, 1, HOUR_MS, 2 * HOUR_MS, DAY_MS), None),
    ],
)
def test_three_within_an_hour_or_five_within_a_day_are_too_many(unanswered_at, reason):
    assert why_pause(unanswered_at, AutoPause(), NOW) == reason


def test_a_limit_of_0_never_pauses():
    assert why_pause(ago(*range(100)), AutoPause(per_hour=0, per_day=0), NOW) is None


def test_after_a_pause_the_count_starts_anew():
    unanswered, rule = InMemoryUnanswered(), AutoPause(per_hour=2, per_day=0)
    assert [unanswered.count("agent", rule, NOW + n) is None for n in range(4)] == [True, False, True, False]


def test_each_destination_is_counted_for_itself():
    unanswered, rule = InMemoryUnanswered(), AutoPause(per_hour=2, per_day=0)
    assert unanswered.count("one", rule, NOW) is None
    assert unanswered.count("other", rule, NOW) is None


def test_what_is_older_than_a_day_is_forgotten():
    unanswered, rule = InMemoryUnanswered(), AutoPause(per_hour=0, per_day=2)
    assert unanswered.count("agent", rule, NOW) is None
    assert unanswered.count("agent", rule, NOW + DAY_MS) is None
