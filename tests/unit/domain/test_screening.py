"""Whom a campaign does not take."""

import pytest

from ari_app.domain.basics.hours import Hours
from ari_app.domain.market.campaigns import Campaign, Route, Screen, Wave
from ari_app.domain.market.marketplace import Screening
from ari_app.domain.routing.screening import CAPPED_PROMPT, CLOSED_PROMPT, barred, capped, screen

NOW = 1_763_992_800_000  # Monday 09:00 in New York
ANI = "+12125550142"


def campaign(**rules):
    return Campaign(
        advertiser="acme", price=1, payout=1, route=Route(waves=(Wave(destinations=("a",)),)), **rules
    )


def refusal(rules, ani=ANI, last_call_at=None):
    return screen(rules, "America/New_York", ani, NOW, last_call_at)


def test_an_ordinary_caller_is_taken():
    assert refusal(campaign()) is None


@pytest.mark.parametrize("status", ["draft", "paused", "ended"])
def test_a_campaign_that_is_not_live_is_closed(status):
    assert refusal(campaign(status=status)).disposition == "closed"


def test_outside_its_hours_a_campaign_is_closed():
    assert refusal(campaign(hours=Hours(open=("mon 10:00-11:00",)))).reason == "outside the campaign's hours"


def test_anonymous_callers_are_taken_unless_the_campaign_refuses_them():
    assert refusal(campaign(), ani=None) is None
    assert refusal(campaign(screen=Screen(anonymous="refuse")), ani=None).disposition == "blocked"


@pytest.mark.parametrize("entry", [ANI, "+1212*"])
def test_a_blocked_number_or_prefix_is_refused(entry):
    assert refusal(campaign(screen=Screen(block=(entry,)))).disposition == "blocked"


@pytest.mark.parametrize(
    ("rules", "ani"),
    [
        (Screening(block=("+1212*",)), ANI),
        (Screening(anonymous="refuse"), None),
        (Screening(attestation=frozenset("A")), ANI),
    ],
)
def test_whom_no_campaign_takes_is_blocked_and_told_nothing(rules, ani):
    found = barred(rules, ani, "B")
    assert (found.disposition, found.announce) == ("blocked", None)
    assert found.reason.endswith(", in every campaign")


def test_rules_that_say_nothing_bar_nobody():
    assert barred(Screening(), ANI) is None
    assert barred(Screening(), None) is None


@pytest.mark.parametrize(
    ("attestation", "asked", "is_taken"),
    [
        ("A", "AB", True),
        ("C", "AB", False),
        (None, "AB", False),
        (None, ["A", "none"], True),
        ("C", "", True),
    ],
)
def test_a_campaign_may_ask_for_attestation(attestation, asked, is_taken):
    rules = campaign(screen=Screen(attestation=frozenset(asked)))
    found = screen(rules, "America/New_York", ANI, NOW, None, attestation=attestation)
    assert (found is None) is is_taken


def test_a_refusal_for_want_of_attestation_names_both_levels():
    rules = campaign(screen=Screen(attestation=frozenset("AB")))
    found = screen(rules, "America/New_York", ANI, NOW, None)
    assert found.reason == "the caller's attestation is none, not A or B"


def test_a_capped_caller_hears_the_campaigns_announcement_or_the_usual_one():
    own = capped(campaign(screen=Screen(announce="sound:beep")), "full")
    assert (own.disposition, own.reason, own.announce) == ("capped", "full", "sound:beep")
    assert capped(campaign(), "full").announce == CAPPED_PROMPT


def test_a_rapid_redial_is_refused_and_a_later_one_is_not():
    assert "redialled after 1999 ms" in refusal(campaign(), last_call_at=NOW - 1_999).reason
    assert refusal(campaign(), last_call_at=NOW - 2_000) is None


def test_a_suspended_publishers_callers_hear_that_the_campaign_is_closed_and_the_record_why():
    found = screen(campaign(), "America/New_York", ANI, NOW, None, suspended="bought traffic")
    assert (found.disposition, found.announce) == ("closed", CLOSED_PROMPT)
    assert found.reason == "the publisher is suspended: bought traffic"
