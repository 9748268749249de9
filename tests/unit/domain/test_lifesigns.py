"""Until when a line lived, and when it is asked."""

from __future__ import annotations

from itertools import pairwise

import pytest

from ari_app.domain.routing.lifesigns import (
    ANSWERED_MS,
    LOOK_AGAIN_MS,
    LOOK_EVERY_MS,
    LifeSigns,
    LineUnderWay,
    Packets,
    next_look,
    was_dead,
)

BEGAN = 1_000_000


class Talk:
    """A line that is looked at when `next_look` says so, and until when it speaks and reports."""

    def __init__(self, speaks_until: int, reports_until: int = 0, report_every: int = 5_000) -> None:
        self.speaks_until, self.reports_until, self.report_every = speaks_until, reports_until, report_every
        self.line = LifeSigns(BEGAN)
        self.asked: list[int] = []

    def packets(self, at: int) -> Packets:
        return Packets(
            min(at, self.speaks_until) // 20, str(min(at, self.reports_until) // self.report_every)
        )

    def goes_on_until(self, end: int) -> Talk:
        at = LOOK_AGAIN_MS
        while at <= end:
            if self.line.look(self.packets(at), BEGAN + at):
                self.asked.append(at)
            at = next_look([self.line], BEGAN + at) - BEGAN
        return self

    @property
    def alive_ms(self) -> int:
        return self.line.alive_at - BEGAN


def test_who_speaks_is_never_asked() -> None:
    talk = Talk(speaks_until=600_000).goes_on_until(600_000)
    assert talk.asked == []
    assert talk.alive_ms >= 595_000


@pytest.mark.parametrize("dies_at", range(2_500, 20_000, 330))
def test_who_dies_is_asked_within_six_seconds_and_lived_until_the_last_packet(dies_at: int) -> None:
    talk = Talk(speaks_until=dies_at).goes_on_until(
        dies_at + 3_900 + 12_800
    )  # the earliest end of its channel
    assert 3_900 <= talk.asked[0] - dies_at <= 6_000
    assert abs(talk.alive_ms - dies_at) <= 40
    assert talk.line.packet_at == talk.line.alive_at


@pytest.mark.parametrize("every", [2_000, 5_000, 6_200])
def test_who_is_mute_and_reports_by_rtcp_is_never_asked(every: int) -> None:
    talk = Talk(5_000, reports_until=150_000, report_every=every).goes_on_until(150_000)
    assert len(talk.asked) <= 1  # before its first report
    assert talk.line.packet_at == BEGAN + 5_000
    assert talk.alive_ms > 140_000


def test_who_is_mute_and_answers_is_asked_again_and_again_and_lives_until_the_last_answer() -> None:
    talk = Talk(5_000).goes_on_until(150_000)
    gaps = [later - asked for asked, later in pairwise(talk.asked)]
    assert len(gaps) > 7 and all(ANSWERED_MS <= gap <= ANSWERED_MS + LOOK_AGAIN_MS for gap in gaps)
    assert talk.alive_ms == talk.asked[-2]


def test_who_dies_while_mute_lived_until_the_last_answer() -> None:
    talk = Talk(5_000).goes_on_until(80_000)
    last = [asked for asked in talk.asked if asked < 40_000][-1]
    [unanswered, *_] = [asked for asked in talk.asked if asked > 40_000]
    talk = Talk(5_000).goes_on_until(unanswered + 12_800)  # then its channel ends
    assert talk.alive_ms == last


def test_who_is_heard_again_is_not_waited_for() -> None:
    line = LifeSigns(BEGAN)
    line.look(Packets(100), BEGAN)
    assert line.look(Packets(100), BEGAN + 7_000)
    assert not line.look(Packets(150), BEGAN + 9_000)
    assert (line.asked_at, line.alive_at) == (None, BEGAN + 8_000)


def test_the_first_look_only_compares() -> None:
    line = LifeSigns(BEGAN)
    assert not line.look(Packets(100_000), BEGAN + 60_000)
    assert (line.alive_at, line.packet_at) == (BEGAN, None)


def test_after_a_look_that_was_late_the_packets_tell_when_they_came() -> None:
    line = LifeSigns(BEGAN)
    line.look(Packets(0), BEGAN)
    line.look(Packets(500), BEGAN + 60_000)
    assert line.packet_at == BEGAN + 10_000


def test_a_question_that_could_not_be_sent_is_no_question() -> None:
    line = LifeSigns(BEGAN)
    line.look(Packets(1), BEGAN)
    assert line.look(Packets(1), BEGAN + 7_000)
    line.not_asked()
    assert line.look(Packets(1), BEGAN + 9_000)
    assert line.alive_at == BEGAN


def test_counters_that_begin_anew_are_a_sign_of_life() -> None:
    line = LifeSigns(BEGAN)
    line.look(Packets(5_000), BEGAN)
    assert not line.look(Packets(3), BEGAN + 8_000)
    assert line.alive_at == BEGAN + 8_000


def test_all_lines_are_looked_at_more_often_while_one_is_silent() -> None:
    heard, silent = LifeSigns(BEGAN + 10_000), LifeSigns(BEGAN)
    assert next_look([heard], BEGAN + 10_000) == BEGAN + 10_000 + LOOK_EVERY_MS
    assert next_look([heard, silent], BEGAN + 10_000) == BEGAN + 10_000 + LOOK_AGAIN_MS


@pytest.mark.parametrize(
    ("cause", "status", "is_dead"),
    [
        (18, 408, True),
        (127, 481, True),
        (44, None, True),
        (16, None, False),
        (19, 480, False),
        (None, None, False),
    ],
)
def test_how_a_dead_line_ends(cause: int | None, status: int | None, is_dead: bool) -> None:
    assert was_dead(cause, status) is is_dead


def test_holds_are_added_up() -> None:
    line = LineUnderWay()
    line.unhold(5)
    line.hold(10)
    line.hold(20)  # again, as some phones do
    line.unhold(40)
    line.hold(100)
    assert (line.held(90), line.held(130)) == (30, 60)
