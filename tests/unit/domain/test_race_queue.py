"""Who stands in line in a race, who waits for a busy agent, and when they are rung."""

from collections import deque

import pytest

from ari_app.domain.routing.legs import (
    Exhausted,
    Freed,
    HangUp,
    LegAnswered,
    LegBlocked,
    LegDigit,
    LegEnded,
    Phase,
    PromptDone,
    Reoffer,
    Ring,
    TimeUp,
)
from ari_app.domain.routing.race import Race, WavePlan
from tests.unit.domain.races import let_the_losers_go, plan, run_out, started


def test_no_more_legs_ring_at_once_than_allowed():
    race = Race(plan("abc", max_legs=2))
    assert race.start(0) == [Ring(0, "a"), Ring(1, "b")]
    assert race.handle(LegEnded(1, 17), 10) == [Ring(2, "c")]


@pytest.mark.parametrize("after_ms", [None, 40_000])
def test_who_is_beyond_the_limit_is_rung_when_the_first_have_rung_out(after_ms):
    waves = "abc", WavePlan(("d",), after_ms)
    rung, over_at = run_out(Race(plan(*waves, max_legs=1, ring_timeout_ms=30_000)))
    assert rung == [(0, "a"), (30_000, "b"), (60_000, "c"), (90_000, "d")]
    assert over_at == 120_000


def test_a_race_of_many_ends_in_the_time_that_its_rules_promise():
    rung, over_at = run_out(Race(plan([f"agent-{n}" for n in range(95)], max_legs=10, ring_timeout_ms=1_000)))
    assert len(rung) == 95
    assert over_at == 10_000


def test_a_thousand_busy_destinations_are_waited_for_and_the_first_that_is_free_is_rung():
    race, names = Race(plan([f"agent-{n}" for n in range(1_000)])), []
    commands = deque(race.start(0))
    while commands:
        ring = commands.popleft()
        names.append(ring.destination)
        commands += race.handle(LegBlocked(ring.leg), 0)
    assert names == [f"agent-{n}" for n in range(1_000)]
    assert race.handle(Freed("agent-700"), 10) == [Ring(700, "agent-700")]
    assert race.deadline() == 30_000


def test_standing_in_line_is_no_waiting_for_a_busy_agent():
    race = started("ab", max_legs=1, ring_timeout_ms=3_000)
    race.handle(LegBlocked(0), 0)  # a is busy, b rings
    assert race.handle(Freed("a"), 2_000) == []
    let_the_losers_go(race, 3_000)
    assert race.handle(TimeUp(), 3_000) == [HangUp(1, "normal"), Ring(0, "a")]


def test_a_busy_agent_is_waited_for_once_however_often_another_call_is_quicker():
    race = started("a", ring_timeout_ms=3_000)
    for now in (0, 1_000, 2_000):
        race.handle(LegBlocked(0), now)
        assert race.handle(Freed("a"), now + 900) == [Ring(0, "a")]
    assert race.handle(LegBlocked(0), 3_000) == [Exhausted()]


def test_a_phone_that_is_still_being_let_go_is_rung_again_when_it_is():
    race = started("ab", "c", accept="answer")
    race.handle(LegAnswered(1), 10)
    assert race.handle(LegEnded(1, 16), 20) == [Reoffer(1)]
    assert race.handle(LegEnded(0, 26), 30) == [Ring(2, "a")]
    assert race.handle(LegEnded(2, 17), 40) == [Ring(3, "c")]


def test_a_phone_that_is_never_let_go_holds_the_next_wave_back_no_longer_than_a_busy_one_is_waited_for():
    race = started("ab", "c", accept="answer", ring_timeout_ms=3_000)
    race.handle(LegAnswered(1), 10)
    race.handle(LegEnded(1, 16), 20)
    assert race.handle(TimeUp(), 3_020) == [Ring(3, "c")]


def test_a_phone_that_is_never_told_gone_holds_the_call_no_longer_than_a_busy_one():
    race = started("ab", accept="answer", ring_timeout_ms=3_000)
    race.handle(LegAnswered(1), 10)
    race.handle(LegEnded(1, 16), 20)
    assert race.deadline() == 3_020
    assert race.handle(TimeUp(), 3_020) == [Exhausted()]


def test_a_destination_at_capacity_is_rung_when_it_is_free():
    race = started("ab")
    race.handle(LegBlocked(1), 1)
    assert race.waits_for("b") and not race.waits_for("a")
    assert race.handle(Freed("b"), 500) == [Ring(1, "b")]


def test_a_destination_at_capacity_holds_the_next_wave_back_for_nobody():
    race = started("a", "b")
    assert race.handle(LegBlocked(0), 1) == [Ring(1, "b")]


def test_a_destination_at_capacity_is_waited_for_until_the_timeout():
    race = started("a", ring_timeout_ms=3000)
    race.handle(LegBlocked(0), 0)
    assert not race.over
    assert race.handle(TimeUp(), 3000) == [Exhausted()]
    assert race.legs[0].record.outcome is None


def test_who_is_given_up_leaves_its_place_to_the_next_at_that_moment():
    race = started("ab", max_legs=1)
    race.handle(LegAnswered(0), 0)
    for at in (1, 2):
        race.handle(LegDigit(0, "9"), at)
    assert race.handle(LegDigit(0, "9"), 3) == [HangUp(0, "normal"), Ring(1, "b")]
    assert race.legs[1].record.offered_at == 3
    assert race.deadline() == 30_003


def test_a_busy_agent_who_was_waited_for_in_vain_is_done_with():
    race = started("ab", ring_timeout_ms=3_000)
    race.handle(LegBlocked(0), 0)
    race.handle(TimeUp(), 3_000)
    assert race.legs[0].phase is Phase.ENDED
    assert not race.waits_for("a")


def test_who_declines_leaves_its_place_to_the_next_at_that_moment():
    race = started("ab", max_legs=1)
    race.handle(LegAnswered(0), 0)
    assert race.handle(LegDigit(0, "2"), 700) == [HangUp(0, "normal"), Ring(1, "b")]
    assert race.legs[1].record.offered_at == 700


def test_who_waits_for_a_place_is_queued_and_was_not_rung_until_it_has_waited_its_time():
    race = started("a", ring_timeout_ms=3_000)
    race.handle(LegBlocked(0), 0)
    assert (race.legs[0].phase, race.legs[0].was_rung) == (Phase.QUEUED, False)
    race.handle(Freed("a"), 1_000)
    assert (race.legs[0].phase, race.legs[0].was_rung) == (Phase.DIALLING, True)
    race.handle(Freed("a"), 3_000)
    race.handle(LegBlocked(0), 3_000)  # full again, and the time is up
    assert (race.legs[0].phase, race.legs[0].was_rung, race.over) == (Phase.ENDED, False, True)


def test_a_phone_that_nobody_saw_end_waits_its_turn_again_from_that_moment():
    race = started("ab", max_legs=1, reoffer_times=1)
    assert race.handle(LegEnded(0, None), 500) == [Ring(1, "b")]
    again = race.legs[2]
    assert (again.record.destination, again.record.offered_at, again.phase) == ("a", 500, Phase.QUEUED)


def test_who_is_silent_three_times_leaves_its_place_to_the_next_at_that_moment():
    race = started("ab", max_legs=1)
    race.handle(LegAnswered(0), 0)
    for asked_at in (1_000, 6_000, 11_000):
        race.handle(PromptDone(0), asked_at)
        commands = race.handle(TimeUp(), asked_at + 4_000)
    assert commands == [HangUp(0, "normal"), Ring(1, "b")]
    assert race.legs[1].record.offered_at == 15_000
