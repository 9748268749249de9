"""Each clause of the terms against a call."""

import pytest

from ari_app.domain.geo import Geography, Place
from ari_app.domain.hours import Hours
from ari_app.domain.marketplace import Clause, Coverage
from ari_app.domain.qualification import EarlierCall, Facts, judge, seconds

DAY_MS = 86_400_000
NOW = 1_763_992_800_000
GEOGRAPHY = Geography()


def facts(**known):
    usual = {
        "started_at": NOW,
        "connected_ms": 95_000,
        "answers": {"service": "repair"},
        "place": Place("NY", "10001", "America/New_York", "zip"),
        "ani": "+12125550142",
        "timezone": "America/New_York",
    }
    return Facts(**{**usual, **known})


def failed(clause, known):
    return [result.name for result in judge([clause], known, GEOGRAPHY).clauses if not result.passed]


@pytest.mark.parametrize(("talked_ms", "qualified"), [(89_999, False), (90_000, True), (None, False)])
def test_connected_at_least_counts_from_the_connection_to_the_millisecond(talked_ms, qualified):
    verdict = judge([Clause(connected_at_least=90_000)], facts(connected_ms=talked_ms), GEOGRAPHY)
    assert verdict.qualified is qualified


def test_a_call_that_was_never_connected_does_not_qualify_even_without_clauses():
    assert not judge([], facts(connected_ms=None), GEOGRAPHY).qualified
    assert judge([], facts(), GEOGRAPHY).qualified


def test_answer_in_wants_every_answer_named():
    clause = Clause(answer_in={"service": frozenset({"repair"}), "zip": frozenset({"10001"})})
    verdict = judge([clause], facts(), GEOGRAPHY)
    assert verdict.clauses[-1].detail == "zip is not answered, wanted: 10001"
    assert judge([clause], facts(answers={"service": "repair", "zip": "10001"}), GEOGRAPHY).qualified


def test_caller_in_fails_for_an_unknown_place():
    assert failed(Clause(caller_in=Coverage(states=frozenset({"NY"}))), facts(place=Place())) == ["caller_in"]


@pytest.mark.parametrize(("ago_ms", "passes"), [(30 * DAY_MS - 1, False), (30 * DAY_MS, True)])
def test_a_caller_connected_within_the_window_is_a_repeat(ago_ms, passes):
    known = facts(earlier=EarlierCall("call-1", NOW - ago_ms))
    assert judge([Clause(no_repeat_within=30 * DAY_MS)], known, GEOGRAPHY).qualified is passes


def test_the_repeat_clause_names_the_earlier_call():
    verdict = judge(
        [Clause(no_repeat_within=DAY_MS)], facts(earlier=EarlierCall("call-1", NOW - 1000)), GEOGRAPHY
    )
    assert "call-1" in verdict.clauses[-1].detail


def test_an_anonymous_caller_cannot_pass_the_repeat_clause():
    assert failed(Clause(no_repeat_within=DAY_MS), facts(ani=None)) == ["no_repeat_within"]


def test_within_hours_looks_at_the_start_of_the_call():
    assert failed(Clause(within_hours=Hours(open=("mon 09:00-10:00",))), facts()) == []
    assert failed(Clause(within_hours=Hours(open=("mon 10:00-11:00",))), facts()) == ["within_hours"]


@pytest.mark.parametrize(
    ("ms", "text"),
    [(0, "0 s"), (4_250, "4.25 s"), (90_000, "90 s"), (DAY_MS, "1 day"), (30 * DAY_MS, "30 days")],
)
def test_durations_read_as_people_write_them(ms, text):
    assert seconds(ms) == text
