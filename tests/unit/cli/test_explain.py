"""What is told of a call, for every way in which a call can end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from ari_app.domain.calls.record import (
    CallRecord,
    ClauseResult,
    Disposition,
    Durations,
    Exclusion,
    LegRecord,
    Money,
    Part,
    PlaceRecord,
    TimelineEvent,
    Verdict,
)
from ari_app.domain.calls.rtp import RtpStatistics
from ari_app.domain.ledger.calls import settle
from ari_app.domain.ledger.transfers import reversal
from ari_app.views.explain import explain

AT = 1_795_461_623_000  # 2026-11-23T19:20:23Z


def call(**changes: Any) -> CallRecord:
    """A call to a campaign's number, before anything has become of it."""
    record = CallRecord(
        id="001",
        did="+18005550101",
        ani="+12125550142",
        started_at=AT,
        campaign="plumbing",
        advertiser="acme",
        publisher="homefix",
        source="sidebar",
        terms_version=2,
        ended_at=AT + 20_000,
        end_source="caller",
        money=Money("USD", 4200, 3000),
        durations_ms=Durations(20_000, 2_000, 8_000, 0),
    )
    return replace(record, **changes)


def leg(name: str, outcome: Any, **times: Any) -> LegRecord:
    """A leg that was rung two seconds into the call; times count from then."""
    at = {key: AT + 2_000 + value for key, value in times.items() if key.endswith("_at")}
    other = {key: value for key, value in times.items() if not key.endswith("_at")}
    return LegRecord(name, 1, AT + 2_000, outcome, **at, **other)


def connected(qualified: bool = True, **changes: Any) -> CallRecord:
    """agent-1 was first."""
    clause = ClauseResult("connected_at_least", qualified, "connected for 10 s, at least 90 s needed")
    money = Money("USD", 4200, 3000, 4200, 3000) if qualified else Money("USD", 4200, 3000)
    settled = {
        "disposition": "connected",
        "winner": "agent-1",
        "connected_at": AT + 10_000,
        "durations_ms": Durations(20_000, 2_000, 8_000, 10_000),
        "qualification": Verdict(qualified, [ClauseResult("connected", True, "an agent accepted"), clause]),
        "money": money,
        "legs": [
            leg("agent-1", "won", ringing_at=100, answered_at=3_000, accepted_at=8_000, hangup_cause=16)
        ],
    }
    return call(**{**settled, **changes})


def text(record: CallRecord) -> str:
    """All that is told, with the transfers that the call makes."""
    transfers = settle(record, record.ended_at or AT)
    return "\n".join(line for s in explain(record, transfers) for line in (s.title, *s.lines))


def about(record: CallRecord, name: str) -> str:
    """What is told of one destination."""
    lines = text(record).splitlines()
    return next(line.removeprefix(f"- {name} ") for line in lines if line.startswith(f"- {name} "))


def test_a_bonus_that_was_decided_late_is_told_apart_from_the_call() -> None:
    part = Part("bonus sale", True, [ClauseResult("converted_within", True, "converted in time")], 500, 300)
    record = connected(money=Money("USD", 4200, 3000, 4700, 3300))
    assert record.qualification is not None
    told = text(replace(record, qualification=replace(record.qualification, parts=[part])))
    assert "- The bonus was due, so acme was charged 5.00 USD more of what was set aside." in told
    assert "- homefix was paid 3.00 USD more by the bonus." in told


def test_a_conversation_is_never_told_to_have_lasted_what_it_did_not_reach() -> None:
    short, long = Durations(120_000, 0, 8_000, 89_999), Durations(200_000, 0, 8_000, 179_999)
    assert "talked for 89.9 s" in text(connected(durations_ms=short))
    assert "talked for 2 min 59 s" in text(connected(durations_ms=long))


# For every disposition


def test_a_qualified_call_tells_who_took_it_and_who_was_charged_and_paid() -> None:
    told = text(connected())
    assert (
        "In short: agent-1 took the call and was connected to the caller for 10 s. It met all the terms: "
        "acme was charged 42.00 USD, and homefix was paid 30.00 USD." in told
    )
    assert "- Yes: every one of the terms is met." in told
    assert "- 42.00 USD of acme's money was set aside when the call was accepted." in told
    assert "- The call was payable, so acme was charged 42.00 USD of what was set aside." in told
    assert "- homefix was paid 30.00 USD." in told
    assert "- The exchange keeps the difference of 12.00 USD." in told


def test_a_call_that_does_not_qualify_tells_the_clause_that_failed_and_that_the_money_was_released() -> None:
    told = text(connected(qualified=False))
    assert "It was not a payable call (connected for 10 s, at least 90 s needed), so no money moved." in told
    assert "- No: all of the terms must be met, and 1 of 2 is not." in told
    assert "- passed: an agent took the call? (connected) An agent accepted." in told
    assert (
        "- FAILED: connected for long enough? (connected_at_least) Connected for 10 s, at least 90 s needed."
        in told
    )
    assert "- The call was not payable, so the 42.00 USD were released: nobody was charged or paid." in told


def test_a_call_that_could_have_cost_more_tells_what_was_set_aside_and_what_was_released() -> None:
    told = text(connected(money=Money("USD", 4200, 3000, 4200, 3000, reserved=24_000)))
    assert "- 240.00 USD of acme's money was set aside when the call was accepted." in told
    assert "- 198.00 USD of that were released at its end: more than the call came to." in told
    assert "- The call was payable, so acme was charged 42.00 USD of what was set aside." in told


def test_a_call_that_nobody_took_tells_how_many_phones_were_rung() -> None:
    legs = [leg("agent-1", "no_answer"), leg("agent-2", "busy")]
    events = [TimelineEvent(AT + 32_000, "fallback", "sound:vm-nobodyavail")]
    told = text(call(disposition="no_answer", legs=legs, offered_at=AT + 2_000, events=events))
    assert "In short: 2 phones were dialled, and nobody took the call. No money moved." in told
    assert "- Nobody took the call within 30 s, so the caller heard the campaign's announcement." in told
    assert "- No money moved, and none was set aside: no agent took the call." in told


def test_a_call_without_a_route_tells_why_each_destination_was_left_out() -> None:
    excluded = [
        Exclusion("agent-1", "ZIP 90210 is in California, not in NY"),
        Exclusion("agent-2", "paused: lunch"),
    ]
    told = text(call(disposition="no_route", excluded=excluded, end_source="system"))
    assert "no destination could take this call, so no phone was rung" in told
    assert "- agent-1: ZIP 90210 is in California, not in NY." in told
    assert "- agent-2: paused: lunch." in told


def test_a_caller_who_leaves_during_the_questions_is_said_to_have_left_before_any_phone_rang() -> None:
    events = [
        TimelineEvent(AT, "asked", "service"),
        TimelineEvent(AT, "entered", "1"),
        TimelineEvent(AT, "asked", "zip"),
    ]
    told = text(call(disposition="abandoned_ivr", events=events, answers={"service": "repair"}))
    assert "In short: the caller hung up after 20 s, before any phone was rung. No money moved." in told
    assert '- Asked "service", the caller entered 1.' in told
    assert "- So the answers are: service = repair." in told


def test_a_caller_who_leaves_while_waiting_is_said_to_have_waited() -> None:
    legs = [leg("agent-1", "cancelled", ringing_at=50), leg("agent-2", "cancelled", answered_at=0)]
    record = call(disposition="abandoned_queue", legs=legs)
    assert "the caller waited 8 s for an agent and hung up before anybody took the call" in text(record)
    assert about(record, "agent-1") == "was still ringing when the caller hung up. The ringing was stopped."
    assert (
        about(record, "agent-2")
        == "picked up at once and had not accepted when the caller hung up. It was let go."
    )


def test_a_flow_that_gets_no_answer_tells_which_question_was_not_answered() -> None:
    events = [TimelineEvent(AT, "asked", "zip"), TimelineEvent(AT, "entered nothing")] * 3
    told = text(call(disposition="flow_ended", events=events, end_source="system"))
    assert 'the call ended with the questions: asked "zip", the caller pressed nothing. No phone' in told
    assert '- Asked "zip", the caller pressed nothing (3 times).' in told


def test_a_flow_that_ends_on_its_answers_says_so() -> None:
    events = [TimelineEvent(AT, "asked", "service"), TimelineEvent(AT, "entered", "9")]
    told = text(call(disposition="flow_ended", events=events, end_source="system"))
    assert "the call ended with the questions: these answers lead to a hang-up, not to an agent." in told


def test_a_flow_that_took_too_long_says_so() -> None:
    events = [
        TimelineEvent(AT, "asked", "zip"),
        TimelineEvent(AT, "flow ended", "at zip: longest time reached"),
    ]
    told = text(call(disposition="flow_ended", events=events, end_source="system"))
    assert "the call ended with the questions: they had taken as long as the flow may. No phone" in told


def test_a_wrong_key_is_told_with_the_key() -> None:
    events = [TimelineEvent(AT, "asked", "zip"), TimelineEvent(AT, "entered wrongly", "00000")]
    told = text(call(disposition="flow_ended", events=events))
    assert '- Asked "zip", the caller entered 00000, which is no valid answer.' in told


def test_a_blocked_caller_is_told_the_rule() -> None:
    events = [TimelineEvent(AT, "refused", "+19005550142 is blocked by +1900*")]
    told = text(call(disposition="blocked", events=events))
    assert "In short: this caller is not taken: +19005550142 is blocked by +1900*. No phone was rung." in told
    assert "- The terms were not looked at: the call was never offered to anybody." in told


def test_a_closed_campaign_is_told_with_the_reason() -> None:
    told = text(
        call(disposition="closed", events=[TimelineEvent(AT, "refused", "outside the campaign's hours")])
    )
    assert "the campaign takes no calls now: outside the campaign's hours. No phone was rung." in told


def test_a_capped_call_is_told_the_cap() -> None:
    full = "campaign plumbing has no room left in its cap of 10 qualified calls a day"
    told = text(call(disposition="capped", events=[TimelineEvent(AT, "refused", full)]))
    assert f"In short: a limit on its calls is reached: {full}. No phone was rung." in told


def test_an_unknown_number_is_nobodys() -> None:
    record = call(disposition="unknown_number", campaign=None, money=None)
    told = text(record)
    assert "the number called belongs to no campaign, so the call was turned away unanswered" in told
    assert "- +18005550101 was nobody's number at that moment." in told


def test_a_failed_call_tells_the_failure() -> None:
    told = text(call(disposition="failed", events=[TimelineEvent(AT, "failed", "Asterisk answered 500")]))
    assert "the call could not be served: Asterisk answered 500. No money moved." in told


def test_a_call_cut_off_by_a_stopping_switch_says_so() -> None:
    told = text(call(disposition="failed", events=[TimelineEvent(AT, "switch stopped")]))
    assert "the call could not be served: the switch was being stopped." in told


@pytest.mark.parametrize("disposition", [*get_args(Disposition), None])
def test_every_disposition_is_told_even_when_nothing_else_is_known(disposition: Disposition | None) -> None:
    record = CallRecord("001", "+18005550101", None, AT, disposition=disposition)
    assert text(record).startswith("Call 001\nA caller who hides the number called +18005550101")


# For every outcome of a leg


def test_the_winner_comes_first_and_is_told_as_the_first_to_accept() -> None:
    legs = [leg("agent-2", "lost", ringing_at=9), *connected().legs]
    told = text(connected(legs=legs)).splitlines()
    wave = told.index("Wave 1, rung 2 s into the call:")
    assert told[wave + 1] == (
        "- agent-1 picked up after 3 s and pressed 1 to accept after 8 s. This was the first acceptance, "
        "so the call was theirs."
    )


def test_where_answering_is_accepting_nobody_is_said_to_have_pressed_a_key() -> None:
    legs = [leg("agent-1", "won", answered_at=3_000, accepted_at=3_000)]
    assert about(connected(legs=legs), "agent-1").startswith(
        "picked up after 3 s, which is accepting in this campaign. This was the first acceptance"
    )


def test_a_voicemail_that_answers_is_said_not_to_win() -> None:
    legs = [*connected().legs, leg("agent-2", "lost", answered_at=20, hangup_cause=26)]
    assert about(connected(legs=legs), "agent-2") == (
        "picked up at once, but had not accepted when agent-1 did. Picking up is not accepting: a voicemail "
        "that answers does not win. It was let go (cause 26, answered elsewhere)."
    )


def test_a_late_acceptance_is_told_with_how_late_it_was() -> None:
    late = leg("agent-2", "lost", answered_at=3_000, accepted_at=8_040, lost_by_ms=40, hangup_cause=26)
    assert about(connected(legs=[*connected().legs, late]), "agent-2") == (
        "picked up after 3 s and accepted after 8 s, too late by 40 ms: agent-1 was first. It was told so "
        "and let go (cause 26, answered elsewhere)."
    )


def test_a_phone_still_ringing_at_the_award_shows_no_missed_call() -> None:
    legs = [*connected().legs, leg("agent-2", "lost", ringing_at=100, hangup_cause=26)]
    assert about(connected(legs=legs), "agent-2") == (
        "was still ringing when agent-1 accepted. The ringing was stopped (cause 26, answered elsewhere), "
        "so the phone shows no missed call."
    )


def test_an_answer_that_crossed_the_award_is_not_called_a_voicemail() -> None:
    legs = [*connected().legs, leg("agent-2", "lost", answered_at=8_010, hangup_cause=26)]
    assert about(connected(legs=legs), "agent-2") == (
        "picked up after 8 s just as agent-1 had accepted, and was let go (cause 26, answered elsewhere)."
    )


@pytest.mark.parametrize(
    ("outcome", "times", "told"),
    [
        ("declined", {"answered_at": 3_000}, "picked up after 3 s and pressed 2 to decline."),
        ("declined", {"hangup_cause": 21}, "refused the call on the phone."),
        ("no_answer", {"ringing_at": 0, "ended_at": 30_000}, "rang for 30 s, and nobody picked up."),
        ("no_answer", {}, "gave no sign: its phone did not even ring, and it was given up."),
        ("busy", {"hangup_cause": 17}, "was busy."),
        ("failed", {"hangup_cause": 20}, "could not be reached (cause 20, the phone is not registered)."),
        ("failed", {"hangup_cause": 99}, "could not be reached (cause 99)."),
        ("failed", {"hangup_cause": 0}, "could not be reached."),
        (
            "failed",
            {"ringing_at": 0, "hangup_cause": 0},
            "rang, and its call ended before anybody picked up; no cause was given.",
        ),
        (
            "failed",
            {"hangup_cause": 0, "failure": "500 Allocation failed"},
            "could not be reached (not dialled: 500 Allocation failed).",
        ),
        (
            "failed",
            {"hangup_cause": 21, "failure": "trunk main answered 403"},
            "could not be reached (trunk main answered 403; cause 21, rejected).",
        ),
        (
            "failed",
            {"accepted_at": 3_000, "hangup_cause": 16},
            "accepted the call first, but vanished before it could be connected (cause 16, normal hang-up).",
        ),
    ],
)
def test_each_outcome_of_a_leg_has_its_words(outcome: str, times: dict[str, int], told: str) -> None:
    assert about(call(disposition="no_answer", legs=[leg("agent-1", outcome, **times)]), "agent-1") == told


def test_an_agent_who_answers_and_never_accepts_is_told_as_such() -> None:
    record = call(disposition="no_answer", legs=[leg("agent-1", "no_answer", answered_at=500)])
    assert about(record, "agent-1").startswith(
        "picked up after 0.5 s, but did not press 1 to accept in time."
    )


def test_a_call_offered_once_more_tells_both_rounds() -> None:
    first = leg("agent-1", "won", answered_at=500, accepted_at=1_000, ended_at=3_000)
    again = leg("agent-2", "won", answered_at=5_000, accepted_at=6_000)
    lost = leg("agent-2", "lost", ringing_at=100, hangup_cause=26)
    told = text(connected(legs=[first, lost, again], winner="agent-2"))
    assert "got the call, but hung up at once, so it was offered again." in told
    assert "Wave 1, rung 2 s into the call, as the call was offered once more:" in told


# Place and money


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (PlaceRecord("NY", "10001", None, "zip"), "in New York, because the ZIP code 10001 was entered."),
        (PlaceRecord("NY", None, None, "ani"), "because of the area code of +12125550142;"),
        (PlaceRecord("NY", None, None, "did"), "because of the area code of the number called;"),
        (PlaceRecord(), "Where the caller is, is unknown:"),
    ],
)
def test_the_place_is_told_with_what_it_was_taken_from(place: PlaceRecord, told: str) -> None:
    assert told in text(connected(place=place))


def test_a_correction_is_told_with_its_reason() -> None:
    record = connected()
    transfers = settle(record, AT)
    fix = reversal(transfers[1], AT + 60_000, "wrong number")
    told = explain(record, [*transfers, fix])[-1].lines
    assert "- Later, 42.00 USD went back to acme: wrong number." in told


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("begun again", "The switch was started anew: the caller went on where they were"),
        ("taken up again", "The switch was started anew, while they went on talking"),
        ("the agent was gone when the switch was back", "The agent left while no switch ran; that was found"),
        ("Asterisk restarted", "Asterisk died and ended the call; that was found"),
    ],
)
def test_what_went_wrong_under_a_call_is_told(what: str, told: str) -> None:
    sections = explain(connected(events=[TimelineEvent(AT + 12_000, what)]))
    ending = next(section for section in sections if section.title == "How it ended")
    assert f"- {told}, 12 s into the call." in ending.lines


def test_the_carriers_attestation_is_told() -> None:
    told = "\n".join(line for section in explain(call(attestation="B")) for line in section.lines)
    assert (
        "The carrier attests the caller's number: B, it knows the caller, but not that the number is theirs."
        in told
    )


def test_how_each_sounded_is_told_of_those_who_talked() -> None:
    agent = replace(connected().legs[0], rtp=RtpStatistics(900, 100, 1000, 0, jitter_ms=8))
    told = text(connected(rtp=RtpStatistics(0, 0, 1000, 0), legs=[agent]))
    assert "- Not one packet of sound came from the caller." in told
    assert (
        "- Sound from agent-1: estimated MOS 3.4 of 4.4; 10.0 % of 1000 packets were lost, jitter 8 ms."
        in told
    )
    assert "Sound from" not in text(connected())
