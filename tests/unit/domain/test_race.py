"""The race's rules, one by one."""

from collections import deque

import pytest

from ari_app.domain.routing.legs import (
    Award,
    Bridge,
    CallerHungUp,
    Exhausted,
    Freed,
    HangUp,
    Hush,
    LegAnswered,
    LegBlocked,
    LegBridged,
    LegDigit,
    LegEnded,
    LegRinging,
    Phase,
    Prompt,
    PromptDone,
    Reoffer,
    Ring,
    SayTaken,
    TimeUp,
)
from ari_app.domain.routing.race import Race, RacePlan, WavePlan


def plan(*waves, **rules):
    return RacePlan(tuple(WavePlan(tuple(w)) if not isinstance(w, WavePlan) else w for w in waves), **rules)


def started(*waves, **rules):
    race = Race(plan(*waves, **rules))
    race.start(0)
    return race


def let_the_losers_go(race, now):
    for leg in [leg for leg in race.legs if leg.phase.name == "CANCELLING"]:
        race.handle(LegEnded(leg.number, 26), now)


def run_out(race):
    """Nobody ever picks up, and who is hung up is gone at once; who was rung when, and until when."""
    commands, now, rung = race.start(0), 0, []
    while not race.over:
        rung += [(now, command.destination) for command in commands if isinstance(command, Ring)]
        now = race.deadline()
        commands = race.handle(TimeUp(), now)
        let_the_losers_go(race, now)
    return rung, now


def outcomes(race):
    return {leg.record.destination: leg.record.outcome for leg in race.legs}


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


def test_a_caller_who_hangs_up_silences_every_phone():
    race = started("abc")
    race.handle(LegRinging(0), 1)
    race.handle(LegAnswered(1), 2)
    assert race.handle(CallerHungUp(), 3) == [HangUp(n, "normal") for n in range(3)]
    assert race.over
    assert set(outcomes(race).values()) == {"cancelled"}


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


def hears_the_prompt():
    """A winner who pressed 1 while the prompt was playing, at 1000."""
    race = started("a")
    race.handle(LegAnswered(0), 0)
    assert race.handle(LegDigit(0, "1"), 1_000) == [Award(0), Hush(0)]
    return race


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


def test_who_is_given_up_leaves_its_place_to_the_next_at_that_moment():
    race = started("ab", max_legs=1)
    race.handle(LegAnswered(0), 0)
    for at in (1, 2):
        race.handle(LegDigit(0, "9"), at)
    assert race.handle(LegDigit(0, "9"), 3) == [HangUp(0, "normal"), Ring(1, "b")]
    assert race.legs[1].record.offered_at == 3
    assert race.deadline() == 30_003


def test_time_that_is_up_is_nothing_to_a_race_that_is_won_or_over():
    race = started("ab", accept="answer", ring_timeout_ms=3_000)
    race.handle(LegBlocked(1), 0)
    race.handle(LegAnswered(0), 10)
    assert race.deadline() is None
    assert not race.waits_for("b")
    assert race.handle(TimeUp(), 3_000) == []
    race.handle(CallerHungUp(), 4_000)
    assert race.handle(TimeUp(), 60_000) == []


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
