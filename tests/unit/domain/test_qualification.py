"""Each clause of the terms against a call."""

import pytest

from ari_app.domain.basics.hours import Hours
from ari_app.domain.calls.geo import Geography, Place
from ari_app.domain.market.destinations import Coverage
from ari_app.domain.market.terms import Clause, NoRepeat
from ari_app.domain.terms.qualification import EarlierCall, Facts, judge, seconds

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
    known = facts(earlier={("connected", "campaign"): EarlierCall("call-1", NOW - ago_ms)})
    assert judge([Clause(no_repeat_within=30 * DAY_MS)], known, GEOGRAPHY).qualified is passes


def test_the_repeat_clause_names_the_earlier_call():
    known = facts(earlier={("connected", "campaign"): EarlierCall("call-1", NOW - 1000)})
    verdict = judge([Clause(no_repeat_within=DAY_MS)], known, GEOGRAPHY)
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


@pytest.mark.parametrize(("basis", "scope"), [("any", "advertiser"), ("qualified", "destination")])
def test_a_repeat_is_one_only_on_the_basis_and_in_the_scope_that_the_clause_names(basis, scope):
    clause = Clause(no_repeat_within=NoRepeat(DAY_MS, basis, scope))
    earlier = EarlierCall("call-1", NOW - 1000)
    assert failed(clause, facts(earlier={("connected", "campaign"): earlier})) == []
    assert failed(clause, facts(earlier={(basis, scope): earlier})) == ["no_repeat_within"]


@pytest.mark.parametrize(
    ("clause", "passes", "fails"),
    [
        (Clause(total_at_least=100_000), {"total_ms": 100_000}, {"total_ms": 99_999}),
        (Clause(rang_at_least=10_000), {"wait_ms": 10_000}, {"wait_ms": 9_999}),
        (Clause(source_in=frozenset({"banner"})), {"source": "banner"}, {"source": None}),
        (Clause(not_blocked=True), {}, {"blocked_by": "+1212*"}),
    ],
)
def test_each_clause_passes_and_fails_by_its_own_fact(clause, passes, fails):
    assert failed(clause, facts(**passes)) == []
    assert len(failed(clause, facts(**fails))) == 1
