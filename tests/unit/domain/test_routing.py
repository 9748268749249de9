"""Whom a call is offered to, and why the others are left out."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from ari_app.domain.basics.hours import Hours
from ari_app.domain.calls.geo import Geography, locate
from ari_app.domain.market.campaigns import Campaign, Route, Wave
from ari_app.domain.market.destinations import Coverage, Destination, Dial
from ari_app.domain.market.marketplace import Marketplace, Number
from ari_app.domain.market.parties import Advertiser, Publisher
from ari_app.domain.routing.routing import route
from ari_app.domain.routing.snapshot import attribute, make_snapshot

DID = "+18005550101"
MONDAY_9_NEW_YORK = 1_763_992_800_000  # 2025-11-24T14:00:00Z
GEOGRAPHY = Geography(
    zips={
        "10001": ("NY", 40.75, -74.0, "America/New_York"),
        "07030": ("NJ", 40.74, -74.03, "America/New_York"),
    },
    area_codes={"212": ("NY", "America/New_York"), "213": ("CA", "America/Los_Angeles")},
)
NEW_YORK = locate(GEOGRAPHY, "10001", None, DID)


def destination(covers=None, **kind):
    return Destination(
        advertiser="acme",
        dial=Dial(uri="sip:agent@127.0.0.1:5071"),
        covers=covers or Coverage(anywhere=True),
        **kind,
    )


def snapshot_of(destinations, waves=None, pauses=None, **route_rules):
    campaign = Campaign(
        advertiser="acme",
        price=4200,
        payout=3000,
        route=Route(waves=waves or (Wave(destinations=tuple(destinations)),), **route_rules),
    )
    marketplace = Marketplace(
        currency="USD",
        advertisers={"acme": Advertiser(name="Acme", timezone="America/New_York")},
        publishers={"homefix": Publisher(name="HomeFix")},
        destinations=destinations,
        campaigns={"plumbing": campaign},
        numbers={DID: Number(campaign="plumbing", publisher="homefix", source="banner")},
    )
    return make_snapshot(1, marketplace, {"plumbing": 3}, GEOGRAPHY, pauses or {})


def decide(snapshot, place=NEW_YORK, ani=None, now=MONDAY_9_NEW_YORK, seed=1, attestation=None):
    campaign = snapshot.marketplace.campaigns["plumbing"]
    return route(snapshot, campaign, place, ani, now, Random(seed), attestation)


def test_a_tracking_number_names_campaign_publisher_source_and_terms():
    found = attribute(snapshot_of({"a": destination()}), DID, 0)
    assert (found.campaign_id, found.number.publisher, found.number.source) == (
        "plumbing",
        "homefix",
        "banner",
    )
    assert found.terms_version == 3


def test_a_number_nobody_owns_is_attributed_to_nobody():
    assert attribute(snapshot_of({"a": destination()}), "+18005550199", 0) is None


@pytest.mark.parametrize(
    ("kept_out", "reason"),
    [
        (destination(Coverage(states=frozenset({"CA"}))), "ZIP 10001 is in New York, not in CA"),
        (destination(Coverage(zip="07030", radius_miles=1.0)), "miles around ZIP 07030"),
        (destination(hours=Hours(open=("sat,sun 08:00-20:00",))), "outside its hours"),
    ],
)
def test_an_excluded_destination_has_its_reason(kept_out, reason):
    decision = decide(snapshot_of({"a": destination(), "b": kept_out}))
    assert decision.plan.waves[0].destinations == ("a",)
    assert [exclusion.destination for exclusion in decision.excluded] == ["b"]
    assert reason in decision.excluded[0].reason


def test_a_paused_destination_is_left_out():
    decision = decide(snapshot_of({"a": destination()}, pauses={"a": "on leave"}))
    assert decision.nobody
    assert decision.excluded[0].reason == "paused: on leave"


def test_hours_are_those_of_the_advertisers_zone_where_none_is_named():
    morning = destination(hours=Hours(open=("mon-fri 09:00-10:00",)))
    assert not decide(snapshot_of({"a": morning}), now=MONDAY_9_NEW_YORK).nobody
    assert decide(snapshot_of({"a": morning}), now=MONDAY_9_NEW_YORK - 60_000).nobody


def test_the_lower_priority_comes_first():
    first_choice, second_choice = destination(priority=1), destination(priority=2)
    decision = decide(snapshot_of({"b": second_choice, "a": first_choice}))
    assert decision.plan.waves[0].destinations == ("a", "b")


def test_weight_is_how_often_a_destination_comes_first_among_equals():
    snapshot = snapshot_of({"heavy": destination(weight=3), "light": destination(weight=1)})
    firsts = Counter(decide(snapshot, seed=seed).plan.waves[0].destinations[0] for seed in range(2000))
    assert 0.70 < firsts["heavy"] / 2000 < 0.80


def test_waves_keep_their_order_and_delay():
    waves = (Wave(destinations=("a",)), Wave(destinations=("b",), after=12_000))
    decision = decide(snapshot_of({"a": destination(), "b": destination()}, waves))
    assert [(wave.destinations, wave.after_ms) for wave in decision.plan.waves] == [
        (("a",), None),
        (("b",), 12_000),
    ]


def test_a_destination_may_ask_for_attestation():
    snapshot = snapshot_of({"a": destination(attestation=frozenset("AB")), "b": destination()})
    assert decide(snapshot, attestation="B").excluded == []
    [excluded] = decide(snapshot, attestation="C").excluded
    assert (excluded.destination, excluded.reason) == ("a", "the caller's attestation is C, not A or B")


def test_a_number_that_its_trunk_may_not_dial_is_left_out_whatever_was_applied():
    dear = replace(destination(), dial=Dial(phone="+19005550123", trunk="main"))
    [excluded] = decide(snapshot_of({"a": destination(), "dear": dear})).excluded
    assert excluded.destination == "dear"
    assert "+19005550123 is a premium-rate number that trunk main may not dial" in excluded.reason
