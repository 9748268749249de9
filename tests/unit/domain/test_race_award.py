"""Who wins a race, how it comes to the bridge, and what becomes of a winner who leaves."""

import pytest

from ari_app.domain.routing.legs import (
    Award,
    Bridge,
    CallerHungUp,
    Exhausted,
    HangUp,
    Hush,
    LegAnswered,
    LegBridged,
    LegDigit,
    LegEnded,
    LegRinging,
    Phase,
    Prompt,
    PromptDone,
    Reoffer,
    Ring,
    TimeUp,
)
from tests.unit.domain.races import hears_the_prompt, let_the_losers_go, started


def test_a_caller_who_hangs_up_between_award_and_bridge_lets_the_winner_go():
    race = started("a", accept="answer")
    race.handle(LegAnswered(0), 1)
    assert race.handle(CallerHungUp(), 2) == [HangUp(0, "normal")]
    assert race.handle(LegEnded(0, 16), 3) == []


def test_a_winner_that_vanishes_before_the_bridge_gives_the_call_back():
    race = started("ab", accept="answer")
    race.handle(LegAnswered(0), 10)
    race.handle(LegEnded(1, 26), 20)
    assert race.handle(LegEnded(0, 16), 30) == [Reoffer(0), Ring(2, "b")]
    assert race.legs[0].record.outcome == "failed"


def test_a_winner_who_hangs_up_at_once_gives_the_call_back_a_bounded_few_times():
    race = started("abcd", accept="answer", reoffer_times=2)
    now = 0
    for rings in (3, 2):
        leg = next(leg for leg in race.legs if leg.phase.name == "DIALLING")
        race.handle(LegAnswered(leg.number), now)
        race.handle(LegBridged(leg.number), now)
        let_the_losers_go(race, now)
        commands = race.handle(LegEnded(leg.number, 16), now + 5000)
        assert commands[0] == Reoffer(leg.number)
        assert len(commands) == 1 + rings
        now += 6000
    leg = next(leg for leg in race.legs if leg.phase.name == "DIALLING")
    race.handle(LegAnswered(leg.number), now)
    race.handle(LegBridged(leg.number), now)
    assert race.handle(LegEnded(leg.number, 16), now + 5000) == [Exhausted()]


def test_a_winner_who_talked_long_enough_ends_the_race():
    race = started("ab", accept="answer")
    race.handle(LegAnswered(0), 0)
    race.handle(LegBridged(0), 0)
    assert race.handle(LegEnded(0, 16), 10_000) == []
    assert race.over and race.winner is not None


def test_a_decliner_is_not_rung_again_in_a_new_round():
    race = started("ab")
    race.handle(LegAnswered(0), 0)
    race.handle(LegDigit(0, "2"), 1)
    race.handle(LegAnswered(1), 2)
    race.handle(LegDigit(1, "1"), 3)
    assert race.handle(LegEnded(1, 16), 4) == [Reoffer(1), Exhausted()]


@pytest.mark.parametrize("reoffer_within_ms", [0, 1])
def test_a_winner_that_vanishes_before_the_bridge_has_never_talked_long_enough(reoffer_within_ms):
    race = started("ab", accept="answer", reoffer_within_ms=reoffer_within_ms)
    race.handle(LegAnswered(0), 10)
    race.handle(LegEnded(1, 26), 20)
    assert race.handle(LegEnded(0, 16), 30) == [Reoffer(0), Ring(2, "b")]
    assert race.winner is None


def test_a_race_that_is_offered_to_nobody_again_has_no_winner():
    race = started("a", accept="answer", reoffer_times=0)
    race.handle(LegAnswered(0), 10)
    assert race.handle(LegEnded(0, 16), 20) == [Exhausted()]
    assert race.winner is None and race.over


def test_who_accepts_while_the_prompt_plays_is_bridged_when_that_has_stopped():
    race = hears_the_prompt()
    assert race.legs[0].phase is Phase.WON
    assert race.handle(PromptDone(0), 1_020) == [Bridge(0)]
    assert (race.legs[0].phase, race.deadline()) == (Phase.BRIDGING, None)


def test_who_accepts_after_the_prompt_is_bridged_at_once():
    race = started("a")
    race.handle(LegAnswered(0), 0)
    race.handle(PromptDone(0), 900)
    assert race.handle(LegDigit(0, "1"), 1_000) == [Award(0), Bridge(0)]


def test_a_prompt_that_was_begun_again_is_to_stop_too():
    race = started("a")
    race.handle(LegAnswered(0), 0)
    race.handle(PromptDone(0), 900)
    assert race.handle(LegDigit(0, "7"), 1_000) == [Prompt(0)]
    assert race.handle(LegDigit(0, "1"), 1_100) == [Award(0), Hush(0)]


def test_a_prompt_that_does_not_stop_is_waited_for_a_second():
    race = hears_the_prompt()
    assert race.deadline() == 2_000
    assert race.handle(TimeUp(), 1_999) == []
    assert race.handle(TimeUp(), 2_000) == [Bridge(0)]
    assert race.handle(PromptDone(0), 2_100) == []


def test_nobody_is_connected_who_was_not_put_together_with_the_caller():
    race = hears_the_prompt()
    race.handle(LegBridged(0), 1_010)
    assert (race.legs[0].phase, race.legs[0].connected_at) == (Phase.WON, None)


@pytest.mark.parametrize("told", [(), (PromptDone(0),), (PromptDone(0), LegBridged(0))])
def test_a_winner_is_let_go_with_the_caller_however_far_it_has_come(told):
    race = hears_the_prompt()
    for event in told:
        race.handle(event, 1_020)
    assert race.handle(CallerHungUp(), 1_030) == [HangUp(0, "normal")]


@pytest.mark.parametrize("told", [(), (PromptDone(0),)])
def test_a_winner_that_vanishes_before_it_is_connected_gives_the_call_back(told):
    race = hears_the_prompt()
    for event in told:
        race.handle(event, 1_020)
    assert race.handle(LegEnded(0, 38), 1_500)[0] == Reoffer(0)
    assert race.legs[0].record.outcome == "failed"


def test_the_winners_record_tells_when_it_was_asked_answered_accepted_and_ended():
    race = started("a")
    race.handle(LegRinging(0), 1)
    race.handle(LegAnswered(0), 2)
    race.handle(LegDigit(0, "1"), 3)
    race.handle(PromptDone(0), 4)
    race.handle(LegBridged(0), 4)
    race.handle(LegEnded(0, 16), 20_000)
    record = race.legs[0].record
    assert (record.ringing_at, record.answered_at, record.accepted_at, record.ended_at) == (1, 2, 3, 20_000)
    assert (record.outcome, record.hangup_cause) == ("won", 16)
