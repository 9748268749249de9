"""Collecting digits: when an input is complete, wrong, or never comes."""

import pytest

from ari_app.domain.ivr.digits import (
    Collector,
    Digit,
    Digits,
    Invalid,
    NoInput,
    PromptDone,
    Result,
    Spec,
    TimeUp,
)
from ari_app.domain.market.flows import Timers

ZIP = Spec(5, 5)
AMOUNT = Spec(1, 4)
MENU = Spec(1, 1, frozenset("12"))
TIMERS = Timers(first_digit=5_000, inter_digit=3_000, overall=20_000)


def press(collector: Collector, keys: str, now: int = 0) -> Result | None:
    result = None
    for key in keys:
        result = collector.handle(Digit(key), now)
    return result


def test_an_input_of_full_length_is_complete_at_its_last_digit() -> None:
    collector = Collector(ZIP, TIMERS)
    assert press(collector, "1000") is None
    assert press(collector, "1") == Digits("10001")


def test_the_terminator_completes_an_input_that_may_be_shorter() -> None:
    assert press(Collector(AMOUNT, TIMERS), "12#") == Digits("12")


def test_the_terminator_after_too_few_digits_is_a_wrong_input() -> None:
    assert press(Collector(ZIP, TIMERS), "123#") == Invalid("123")


def test_a_lone_terminator_is_a_habit_and_ignored() -> None:
    collector = Collector(ZIP, TIMERS)
    assert press(collector, "#") is None
    assert press(collector, "10001") == Digits("10001")


def test_a_key_that_is_not_on_the_menu_is_a_wrong_input() -> None:
    assert press(Collector(MENU, TIMERS), "7") == Invalid("7")


def test_the_terminator_may_be_a_key_of_the_menu() -> None:
    assert press(Collector(Spec(1, 1, frozenset("1#"), None), TIMERS), "#") == Digits("#")


def test_after_the_result_nothing_more_comes() -> None:
    collector = Collector(MENU, TIMERS)
    press(collector, "1")
    assert press(collector, "2") is None
    assert collector.deadline is None
    assert collector.handle(TimeUp(), 10**6) is None


def test_no_timer_runs_while_the_prompt_plays() -> None:
    assert Collector(ZIP, TIMERS).deadline is None


def test_the_first_digit_is_awaited_from_the_prompts_end() -> None:
    collector = Collector(ZIP, TIMERS)
    collector.handle(PromptDone(), 1_000)
    assert collector.deadline == 6_000
    assert collector.handle(TimeUp(), 5_999) is None
    assert collector.handle(TimeUp(), 6_000) == NoInput()


def test_every_digit_starts_the_inter_digit_timer_again() -> None:
    collector = Collector(ZIP, TIMERS)
    collector.handle(PromptDone(), 0)
    press(collector, "1", now=4_000)
    assert collector.deadline == 7_000
    press(collector, "0", now=6_000)
    assert collector.deadline == 9_000


def test_the_whole_input_has_a_limit_however_slowly_it_goes_on() -> None:
    collector = Collector(Spec(1, 32), TIMERS)
    collector.handle(PromptDone(), 0)
    for now in range(1_000, 20_000, 2_000):
        press(collector, "1", now)
    assert collector.deadline == 20_000


@pytest.mark.parametrize(("spec", "result"), [(ZIP, Invalid("12")), (AMOUNT, Digits("12"))])
def test_silence_after_some_digits_ends_the_input(spec: Spec, result: Result) -> None:
    collector = Collector(spec, TIMERS)
    collector.handle(PromptDone(), 0)
    press(collector, "12", now=100)
    assert collector.handle(TimeUp(), 3_100) == result


def test_a_digit_may_interrupt_the_prompt_and_starts_the_timers() -> None:
    collector = Collector(ZIP, TIMERS, barge_in=True)
    press(collector, "1", now=500)
    assert collector.deadline == 3_500


def test_the_end_of_an_interrupted_prompt_does_not_start_the_timers_again() -> None:
    collector = Collector(ZIP, TIMERS)
    press(collector, "1", now=500)
    collector.handle(PromptDone(), 600)
    assert collector.deadline == 3_500


def test_without_barge_in_a_digit_during_the_prompt_does_not_count() -> None:
    collector = Collector(MENU, TIMERS, barge_in=False)
    assert press(collector, "1") is None
    collector.handle(PromptDone(), 1_000)
    assert press(collector, "2", now=1_100) == Digits("2")
