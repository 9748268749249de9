"""The race's rules, one by one."""

import pytest

from ari_app.domain.routing.legs import (
    Award,
    Bridge,
    CallerHungUp,
    Exhausted,
    HangUp,
    Hush,
    LegAnswered,
    LegBlocked,
    LegDigit,
    LegEnded,
    LegRinging,
    Prompt,
    PromptDone,
    Reoffer,
    Ring,
    SayTaken,
    TimeUp,
)
from ari_app.domain.routing.race import Race, WavePlan
from tests.unit.domain.races import outcomes, plan, started


def test_every_destination_of_the_first_wave_is_rung():
    assert Race(plan("ab", "c")).start(0) == [Ring(0, "a"), Ring(1, "b")]


def test_the_first_acceptance_wins_and_the_others_are_let_go_as_answered_elsewhere():
    race = started("ab")
    race.handle(LegRinging(1), 10)
    race.handle(LegAnswered(0), 20)
    assert race.handle(LegDigit(0, "1"), 30) == [Award(0), Hush(0), HangUp(1, "answered_elsewhere")]
    assert race.winner.record.destination == "a"
    assert outcomes(race) == {"a": "won", "b": "lost"}


def test_an_answer_is_not_an_acceptance():
    race = started("ab")
    assert race.handle(LegAnswered(0), 100) == [Prompt(0)]
    assert race.winner is None
    race.handle(LegAnswered(1), 2000)
    assert race.handle(LegDigit(1, "1"), 2100) == [Award(1), Hush(1), SayTaken(0)]


def test_where_answering_is_accepting_the_first_answer_wins():
    race = started("ab", accept="answer")
    assert race.handle(LegAnswered(1), 5) == [Award(1), Bridge(1), HangUp(0, "answered_elsewhere")]


def test_a_second_acceptance_loses_by_its_milliseconds():
    race = started("ab")
    race.handle(LegAnswered(0), 10)
    race.handle(LegAnswered(1), 10)
    race.handle(LegDigit(0, "1"), 1000)
    assert race.handle(LegDigit(1, "1"), 1004) == []
    assert race.legs[1].record.outcome == "lost"
    assert race.legs[1].record.lost_by_ms == 4


def test_an_answer_that_crosses_the_cancel_is_hung_up_again():
    race = started("ab", accept="answer")
    race.handle(LegAnswered(0), 10)
    assert race.handle(LegAnswered(1), 13) == [HangUp(1, "answered_elsewhere")]
    assert race.legs[1].record.lost_by_ms == 3


def test_an_agent_who_declines_leaves_the_race_to_the_others():
    race = started("ab")
    race.handle(LegAnswered(0), 10)
    assert race.handle(LegDigit(0, "2"), 20) == [HangUp(0, "normal")]
    assert race.legs[0].record.outcome == "declined"
    assert not race.over


def test_a_wrong_key_asks_again_and_the_third_ends_the_leg():
    race = started("a")
    race.handle(LegAnswered(0), 0)
    assert race.handle(LegDigit(0, "7"), 1) == [Prompt(0)]
    assert race.handle(LegDigit(0, "8"), 2) == [Prompt(0)]
    assert race.handle(LegDigit(0, "9"), 3) == [HangUp(0, "normal"), Exhausted()]
    assert race.legs[0].record.outcome == "no_answer"


def test_a_silent_leg_is_asked_three_times_with_four_seconds_each():
    race = started("a")
    race.handle(LegAnswered(0), 0)
    for at in (1000, 6000):
        race.handle(PromptDone(0), at)
        assert race.deadline() == at + 4000
        assert race.handle(TimeUp(), at + 4000) == [Prompt(0)]
    race.handle(PromptDone(0), 11000)
    assert race.handle(TimeUp(), 15000) == [HangUp(0, "normal"), Exhausted()]


def test_the_ring_timeout_covers_acceptance_not_answering():
    race = started("a", ring_timeout_ms=5000)
    race.handle(LegAnswered(0), 4900)
    assert race.handle(TimeUp(), 5000) == [HangUp(0, "normal"), Exhausted()]
    assert race.legs[0].record.outcome == "no_answer"


def test_the_next_wave_starts_after_its_delay():
    race = started("a", WavePlan(("b",), after_ms=12000))
    assert race.deadline() == 12000
    assert race.handle(TimeUp(), 11999) == []
    assert race.handle(TimeUp(), 12000) == [Ring(1, "b")]


def test_the_next_wave_starts_as_soon_as_the_one_before_is_exhausted():
    race = started("a", WavePlan(("b",), after_ms=12000))
    assert race.handle(LegEnded(0, 17), 300) == [Ring(1, "b")]
    assert race.legs[0].record.outcome == "busy"


def test_an_empty_wave_is_passed_over():
    assert Race(plan("", "b")).start(0) == [Ring(0, "b")]


def test_a_caller_who_hangs_up_silences_every_phone():
    race = started("abc")
    race.handle(LegRinging(0), 1)
    race.handle(LegAnswered(1), 2)
    assert race.handle(CallerHungUp(), 3) == [HangUp(n, "normal") for n in range(3)]
    assert race.over
    assert set(outcomes(race).values()) == {"cancelled"}


def test_a_leg_that_nobody_saw_end_is_rung_again_a_bounded_few_times():
    race = started("a", "b", reoffer_times=1)
    assert race.handle(LegEnded(0, None), 10) == [Ring(1, "a")]
    assert race.legs[0].record.outcome == "failed"
    assert race.handle(LegEnded(1, None), 20) == [Ring(2, "b")]


def test_a_leg_that_nobody_saw_end_is_not_rung_beside_a_winner():
    race = started("ab", accept="answer")
    race.handle(LegAnswered(0), 10)
    assert race.handle(LegEnded(1, None), 20) == []


def test_who_lost_after_an_end_that_nobody_saw_is_rung_in_a_new_round():
    race = started("ab", accept="answer")
    race.handle(LegEnded(1, None), 10)
    race.handle(LegAnswered(0), 20)
    race.handle(LegEnded(2, 26), 30)
    assert race.handle(LegEnded(0, 16), 40) == [Reoffer(0), Ring(3, "b")]


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [(16, "failed"), (17, "busy"), (18, "no_answer"), (19, "no_answer"), (21, "declined"), (0, "failed")],
)
def test_a_leg_that_ends_unanswered_ends_as_its_cause_says(cause, outcome):
    race = started("ab")
    race.handle(LegRinging(0), 5)
    race.handle(LegEnded(0, cause), 10)
    record = race.legs[0].record
    assert (record.outcome, record.hangup_cause) == (outcome, cause)
    assert (record.offered_at, record.ringing_at, record.answered_at, record.ended_at) == (0, 5, None, 10)


@pytest.mark.parametrize("cause", [17, 18, 19, 21])
def test_a_leg_that_its_trunk_failed_has_failed_whatever_the_cause(cause):
    race = started("ab")
    race.legs[0].record.failure = "trunk main answered 503"
    race.handle(LegEnded(0, cause), 10)
    assert (race.legs[0].record.outcome, race.legs[0].record.hangup_cause) == ("failed", cause)


def test_an_agent_who_hangs_up_instead_of_pressing_did_not_answer_whatever_the_cause():
    race = started("ab")
    race.handle(LegAnswered(0), 5)
    race.handle(LegEnded(0, 17), 10)
    record = race.legs[0].record
    assert (record.outcome, record.answered_at, record.ended_at) == ("no_answer", 5, 10)


def test_what_comes_late_of_a_loser_is_noted_with_its_moment_once():
    race = started("ab", accept="answer")
    race.handle(LegAnswered(0), 10)
    race.handle(LegAnswered(1), 13)
    assert race.handle(LegAnswered(1), 17) == []
    record = race.legs[1].record
    assert (record.answered_at, record.accepted_at, record.lost_by_ms) == (13, 13, 3)


def test_ends_that_nobody_saw_are_counted_for_each_destination():
    race = started("ab", reoffer_times=1)
    assert race.handle(LegEnded(0, None), 10) == [Ring(2, "a")]
    assert race.handle(LegEnded(1, None), 20) == [Ring(3, "b")]
    assert [leg.record.ended_at for leg in race.legs] == [10, 20, None, None]
    assert [leg.record.wave for leg in race.legs] == [1, 1, 1, 1]


def test_phones_that_ring_out_at_once_are_all_let_go():
    race = started("abc", ring_timeout_ms=5_000)
    assert race.handle(TimeUp(), 5_000) == [*(HangUp(n, "normal") for n in range(3)), Exhausted()]


def test_agents_who_are_silent_at_once_are_all_asked_again():
    race = started("ab")
    for leg in (0, 1):
        race.handle(LegAnswered(leg), 0)
        race.handle(PromptDone(leg), 1_000)
    assert race.handle(TimeUp(), 5_000) == [Prompt(0), Prompt(1)]


def test_time_that_is_up_is_nothing_to_a_race_that_is_won_or_over():
    race = started("ab", accept="answer", ring_timeout_ms=3_000)
    race.handle(LegBlocked(1), 0)
    race.handle(LegAnswered(0), 10)
    assert race.deadline() is None
    assert not race.waits_for("b")
    assert race.handle(TimeUp(), 3_000) == []
    race.handle(CallerHungUp(), 4_000)
    assert race.handle(TimeUp(), 60_000) == []
