"""The way of a call from its arrival to the phones, step by step."""

from collections.abc import Iterable, Mapping
from random import Random

import pytest

from ari_app.domain.calls.geo import Geography
from ari_app.domain.document.reading import parse
from ari_app.domain.routing.intake import (
    UNCOUNTED,
    Arrival,
    Ask,
    Attributed,
    Count,
    Counted,
    Ended,
    FlowEnded,
    Intake,
    IntakeOutcome,
    IntakeStep,
    Offered,
    Pinned,
    Refused,
    Reserve,
    Reserved,
    Take,
    Taken,
    Told,
    Unknown,
)
from ari_app.domain.routing.screening import REJECTED, Refusal, trunk_full
from ari_app.domain.routing.snapshot import Snapshot, attribute, make_snapshot

DID, ANI, NOW = "+18005550101", "+12125550142", 1_763_992_800_000
FULL = trunk_full("carrier", 2)
GEOGRAPHY = Geography(
    zips={
        "10001": ("NY", 40.75, -74.0, "America/New_York"),
        "90210": ("CA", 34.1, -118.4, "America/Los_Angeles"),
    },
    area_codes={"212": ("NY", "America/New_York")},
)
TEXT = """
currency: USD
advertisers: {acme: {name: Acme, timezone: America/New_York}}
publishers: {homefix: {name: HomeFix}}
destinations:
  agent-1: {advertiser: acme, dial: {extension: agent-1}, covers: {states: [NY]}}
  agent-2: {advertiser: acme, dial: {extension: agent-2}, covers: {states: [CA]}}
flows:
  asking:
    start: zip
    nodes:
      zip: {collect: {prompt: "sound:vm-enter-num-to-call", digits: 5, as: postal, check: us-zip}, next: offer}
      offer: {offer: true}
campaigns:
  plumbing:
    advertiser: acme
    price: "42.00"
    payout: "30.00"
    flow: asking
    screen: {block: ["+1900*"], redial_within: 2s}
    route: {waves: [{destinations: [agent-1, agent-2]}]}
  plain:
    advertiser: acme
    price: "42.00"
    payout: "30.00"
    route: {waves: [{destinations: [agent-1]}]}
numbers:
  "+18005550101": {campaign: plumbing, publisher: homefix}
  "+18005550102": {campaign: plain, publisher: homefix}
screen: {block: ["+1976*"]}
"""


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return make_snapshot(1, parse(TEXT, "test.yaml"), {"plumbing": 3, "plain": 4}, GEOGRAPHY, {})


def intake(snapshot: Snapshot, did: str = DID, ani: str | None = ANI) -> Intake:
    return Intake(snapshot, Arrival(did, ani, NOW), Random(1))


def steps(call: Intake, answers: Mapping[IntakeStep | type, IntakeOutcome] | None = None) -> list[IntakeStep]:
    """Every step to the end; where `answers` has none, by the step or its kind, nobody counts."""
    known = answers or {}
    taken = [call.start()]
    while not isinstance(taken[-1], Ended):
        step = taken[-1]
        outcome = next(
            (known[key] for key in known if key == step or key is type(step)), UNCOUNTED[type(step)]
        )
        taken.append(call.handle(outcome, NOW))
    return taken


def kinds(taken: Iterable[IntakeStep]) -> list[str]:
    return [f"Count {step.what}" if isinstance(step, Count) else type(step).__name__ for step in taken]


def test_a_call_is_attributed_screened_asked_located_routed_and_reserved_for(snapshot):
    call = intake(snapshot)
    taken = steps(call, {Ask: Told(True, "90210")})
    assert kinds(taken) == [
        "Attributed",
        "Count trunk",
        "Count rates",
        "Count caps",
        "Take",
        "Ask",
        "Located",
        "Reserve",
        "Offered",
    ]
    assert taken[-1].decision.rung == ["agent-2"]
    assert (call.place.zip, call.place.from_) == ("90210", "zip")


def test_a_campaign_without_a_flow_asks_nothing_and_goes_by_the_callers_number(snapshot):
    call = intake(snapshot, "+18005550102")
    assert kinds(steps(call))[-4:] == ["Take", "Located", "Reserve", "Offered"]
    assert (call.place.state, call.decision.rung) == ("NY", ["agent-1"])


def test_a_number_of_nobody_ends_at_once(snapshot):
    call = intake(snapshot, "+18005550199")
    assert steps(call) == [Unknown()]
    assert call.found is None


@pytest.mark.parametrize(
    ("ani", "answers", "last_counted", "disposition"),
    [
        ("+19765550142", {}, None, "blocked"),
        (ANI, {Count("trunk"): Counted(FULL)}, "trunk", "capped"),
        (ANI, {Count("rates"): Counted(Refusal("blocked", "too often"))}, "rates", "blocked"),
        ("+19005550142", {}, "rates", "blocked"),
        (ANI, {Attributed: Pinned(NOW - 1_999)}, "rates", "blocked"),
        (ANI, {Count("caps"): Counted(Refusal("capped", "full"))}, "caps", "capped"),
    ],
)
def test_the_first_reason_against_a_call_ends_it_and_nothing_more_is_counted(
    snapshot, ani, answers, last_counted, disposition
):
    *taken, end = steps(intake(snapshot, ani=ani), answers)
    assert isinstance(end, Refused) and end.refusal.disposition == disposition
    assert [step.what for step in taken if isinstance(step, Count)][-1:] == (
        [last_counted] if last_counted else []
    )
    assert Take() not in taken


def test_what_the_whole_marketplace_refuses_is_rejected_unanswered(snapshot):
    end = steps(intake(snapshot, ani="+19765550142"))[-1]
    assert (end.refusal.announce, end.refusal.cause) == (None, REJECTED)


def test_a_redial_that_is_late_enough_is_taken(snapshot):
    assert isinstance(steps(intake(snapshot), {Attributed: Pinned(NOW - 2_000)})[-1], Offered)


def test_a_flow_that_ends_without_an_offer_rings_nobody_but_places_the_caller(snapshot):
    call = intake(snapshot)
    assert steps(call, {Ask: Told(False, "90210")})[-1] == FlowEnded()
    assert (call.place.state, call.decision) == ("CA", None)


def test_where_nobody_is_eligible_nothing_is_reserved(snapshot):
    call = intake(snapshot, "+18005550102", ani="+13105550142")
    taken = steps(call)
    assert "Reserve" not in kinds(taken)
    assert taken[-1].decision.nobody
    assert [exclusion.destination for exclusion in taken[-1].decision.excluded] == ["agent-1"]


def test_destinations_without_room_are_left_out_with_their_reason(snapshot):
    end = steps(
        intake(snapshot, "+18005550102"), {Reserve: Reserved(left_out={"agent-1": "its cap is full"})}
    )[-1]
    assert end.decision.nobody
    assert [(e.destination, e.reason) for e in end.decision.excluded] == [("agent-1", "its cap is full")]


def test_a_cap_that_has_filled_up_since_refuses_the_call_in_the_campaigns_words(snapshot):
    end = steps(intake(snapshot), {Reserve: Reserved(capped="campaign cap full")})[-1]
    assert isinstance(end, Refused)
    assert (end.refusal.disposition, end.refusal.reason) == ("capped", "campaign cap full")
    assert end.refusal.announce is not None


def test_a_call_that_was_taken_before_goes_on_where_the_caller_is_asked(snapshot):
    found = attribute(snapshot, DID, NOW)
    call = intake(snapshot)
    assert call.resume(found, is_taken=True) == Take()
    assert isinstance(call.handle(Taken(), NOW), Ask)


def test_a_call_that_was_only_attributed_before_is_screened(snapshot):
    found = attribute(snapshot, DID, NOW)
    call = intake(snapshot, did="+18005550199")  # its number is nobody's any more
    assert call.resume(found, is_taken=False) == Attributed(found, call.place)
    assert call.handle(Pinned(), NOW) == Count("trunk")


def test_each_step_has_its_own_outcome_and_no_other(snapshot):
    for step in UNCOUNTED:
        for other in set(UNCOUNTED) - {step}:
            call = intake(snapshot)
            found = call.start()
            while type(found) is not step:
                found = call.handle(UNCOUNTED[type(found)], NOW)
            with pytest.raises(ValueError, match=f"is no outcome of {step.__name__}"):
                call.handle(UNCOUNTED[other], NOW)
