"""What the demo says of a call that did not end as it should, and how it tells a call."""

from __future__ import annotations

from dataclasses import replace

import yaml

from ari_app.domain.calls.record import CallRecord, ClauseResult, LegRecord, Money, TimelineEvent, Verdict
from ari_app.lab.demo.play import Seen
from ari_app.lab.demo.scenarios import SCENARIOS, Expected, Scenario
from ari_app.lab.demo.timeline import timeline
from ari_app.lab.demo.verdict import differences
from ari_app.settings import REPOSITORY

AS_EXPECTED = Expected(
    disposition="connected",
    winner="agent-1",
    qualified=True,
    charged="42.00",
    paid="30.00",
    legs={"agent-1": "won", "agent-2": "lost"},
    cause_26=("agent-2",),
)
SEEN = Seen(causes={"agent-1": 16, "agent-2": 26}, heard_ms={"agent-1": 900, "caller": 900})


def scenario(expected: Expected) -> Scenario:
    return Scenario("first", "A call.", "+12125550142", {}, expected)


def record() -> CallRecord:
    return CallRecord(
        id="c1",
        did="+18005550101",
        ani="+12125550142",
        started_at=0,
        disposition="connected",
        winner="agent-1",
        legs=[
            LegRecord("agent-1", 1, 0, "won", accepted_at=2000),
            LegRecord("agent-2", 1, 0, "lost", accepted_at=2400, lost_by_ms=400),
        ],
        qualification=Verdict(True, [ClauseResult("connected", True, "")]),
        money=Money("USD", 4200, 3000, 4200, 3000),
    )


def test_a_call_that_ends_as_expected_has_no_differences():
    expected = replace(AS_EXPECTED, late=("agent-2",))
    assert differences(scenario(expected), record(), SEEN, []) == []


def test_each_difference_is_one_line_with_the_call_what_was_expected_and_what_came():
    expected = replace(AS_EXPECTED, late=("agent-2",), charged="0.00", winner="agent-2")
    seen = replace(SEEN, heard_ms={"agent-2": 900, "caller": 900})
    assert differences(scenario(expected), record(), seen, []) == [
        "first: winner: expected agent-2, got agent-1",
        "first: charged: expected 0.00, got 42.00",
    ]


def test_a_phone_that_was_not_told_of_another_answer_is_a_difference():
    expected = replace(AS_EXPECTED, late=("agent-2",))
    lines = differences(scenario(expected), record(), replace(SEEN, causes={"agent-2": 16}), [])
    assert lines == ["first: told that the call was answered elsewhere: expected agent-2, got none"]


def test_a_connection_in_which_one_side_hears_nothing_is_a_difference():
    expected = replace(AS_EXPECTED, late=("agent-2",))
    lines = differences(scenario(expected), record(), replace(SEEN, heard_ms={"agent-1": 900}), [])
    assert lines == ["first: audio to the agent and to the caller: expected yes, yes, got yes, no"]


def test_what_happens_to_several_phones_together_is_one_line_of_the_timeline():
    call = record()
    call.events = [
        TimelineEvent(2000, "ringing", "agent-2"),
        TimelineEvent(2004, "answered", "agent-3"),
        TimelineEvent(2010, "ringing", "agent-1"),
        TimelineEvent(2600, "ringing", "agent-4"),
    ]
    assert list(timeline(call, None)) == [
        "+02.000  ringing: agent-1, agent-2",
        "+02.004  agent-3 picked up",
        "+02.600  ringing: agent-4",
    ]


def test_a_late_acceptance_says_by_how_much():
    call = record()
    call.events = [TimelineEvent(2400, "pressed", "agent-2: 1")]
    assert list(timeline(call, None)) == [
        "+02.400  agent-2 pressed 1, too late by 400 ms: it was told that the call is taken"
    ]


def test_every_scenario_rings_phones_and_a_number_of_the_demo_marketplace():
    document = yaml.safe_load((REPOSITORY / "config" / "demo.yaml").read_text())
    for one in SCENARIOS:
        assert one.did in document["numbers"]
        assert {*one.phones, *one.expected.legs, *one.expected.excluded} <= set(document["destinations"])
