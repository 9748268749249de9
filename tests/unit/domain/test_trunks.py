"""Which numbers a trunk dials, and which it does not."""

import json

import pytest

from ari_app.domain.basics.errors import DocumentError
from ari_app.domain.document.reading import parse
from ari_app.domain.market.marketplace import Trunk
from ari_app.domain.market.trunks import is_worth_another, limited, overspent, spent, why_failed, why_not
from tests.kit.market import marketplace


def dials(phone, *allow):
    return why_not("main", Trunk(allow=allow) if allow else None, phone) is None


@pytest.mark.parametrize("phone", ["+12125550123", "+18005550123", "+14165550123", "+17875550123"])
def test_a_trunk_that_says_nothing_dials_the_usa_and_canada(phone):
    assert dials(phone)


@pytest.mark.parametrize(
    ("phone", "what"),
    [
        ("+19005550123", "a premium-rate number"),
        ("+12129760123", "a premium-rate number"),
        ("+18765550123", "a number abroad, in North America's numbering"),
        ("+881612345678", "a satellite or premium-rate number"),
        ("+442071234567", "a number"),
    ],
)
def test_it_dials_nothing_else_and_says_what_would_allow_it(phone, what):
    reason = why_not("main", None, phone)
    assert reason.startswith(f"{phone} is {what} that trunk main may not dial; put ")
    assert reason.endswith("into trunks.main.allow to permit it")


def test_a_prefix_that_is_wider_than_a_dear_range_does_not_admit_it_and_the_range_itself_does():
    assert not dials("+18765550123", "+1*")
    assert dials("+18765550123", "+1876*")
    assert dials("+18765550123", "+1*", "+18765550123")
    assert not dials("+12129760123", "+1212*")
    assert dials("+12129760123", "+1212976*")


def test_what_is_allowed_takes_the_place_of_what_would_be():
    assert dials("+442071234567", "+44*")
    assert not dials("+12125550123", "+44*")


def test_a_whole_number_admits_no_longer_one():
    assert not dials("+442071234567", "+44207123456")


# How it fails a leg


@pytest.mark.parametrize(
    "status", [400, 401, 402, 403, 404, 408, 484, 488, 500, 502, 503, 504, 580, 603, 604]
)
def test_what_a_trunk_says_before_a_phone_rings_is_its_own_word(status):
    assert str(status) in why_failed("main", status, has_rung=False)
    assert why_failed(None, status, has_rung=False) is None


@pytest.mark.parametrize("status", [None, 200, 302, 480, 486, 487, 600])
def test_what_is_said_of_the_phone_is_not(status):
    assert why_failed("main", status, has_rung=False) is None
    assert why_failed("main", status, has_rung=True) is None


def test_a_phone_that_has_rung_may_ring_out_or_be_declined_and_its_trunk_may_still_fail():
    said = {status: why_failed("main", status, has_rung=True) for status in (408, 603, 403, 503)}
    assert said == {
        408: None,
        603: None,
        403: "trunk main answered 403",
        503: "trunk main answered 503",
    }


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 580])
def test_another_trunk_is_worth_a_try_where_one_failed_or_was_silent(status):
    assert is_worth_another(status)


@pytest.mark.parametrize("status", [None, 200, 302, 403, 404, 480, 486, 487, 600, 603])
def test_another_trunk_is_not_tried_where_the_first_or_the_phone_said_no(status):
    assert not is_worth_another(status)


OTHER = {"phone": "+12125550123", "trunk": "main", "or_trunk": "backup"}


@pytest.mark.parametrize(
    ("dial", "trunks", "complaint"),
    [
        (OTHER | {"or_trunk": "main"}, {}, "or_trunk: expected another trunk than that in trunk"),
        ({"uri": "sip:a@b", "or_trunk": "main"}, {}, "or_trunk: another trunk is only for a phone"),
        (
            OTHER,
            {"backup": {"allow": ["+44*"]}},
            r"phone: \+12125550123 is a number that trunk backup may not dial",
        ),
        (
            OTHER,
            {"backup": {"cost_per_minute": "0.01", "spend": {"max_amount": "1.00", "per": "day"}}},
            "or_trunk: trunk backup has a limit of spend",
        ),
    ],
)
def test_a_second_trunk_is_another_that_may_dial_the_number(dial, trunks, complaint):
    with pytest.raises(DocumentError, match=complaint):
        parse(json.dumps(marketplace({"pstn": dial}) | {"trunks": trunks}), "test.yaml")


# Whose numbers its legs show


@pytest.mark.parametrize(
    "choice", ["caller", "+1", "2125550142", '+12125550142" <sip:x>', "+12125550142\r\nX: y"]
)
def test_a_trunk_shows_no_number_that_is_none(choice):
    document = json.dumps(marketplace({"pstn": PHONE["pstn"]}) | {"trunks": {"main": {"caller_id": choice}}})
    with pytest.raises(
        DocumentError, match=r"trunks\.main\.caller_id: expected own, pass, or a phone number"
    ):
        parse(document, "test.yaml")


# Spending

HOUR_MS = 3_600_000
PHONE = {"pstn": {"phone": "+12125550123", "trunk": "main"}}


def market(**trunk):
    document = marketplace({"pstn": "sip:x@127.0.0.1:5071", "sip": "sip:y@127.0.0.1:5072"})
    document["destinations"]["pstn"]["dial"] = PHONE["pstn"]
    document["trunks"] = {"main": {"cost_per_minute": "0.0125"} | trunk}
    return parse(json.dumps(document), "test.yaml")


@pytest.mark.parametrize(
    ("talked_ms", "minor"), [(0, 0), (1, 1), (48_000, 1), (48_001, 2), (60 * 60_000, 75), (80 * 60_000, 100)]
)
def test_what_legs_cost_is_rounded_up_once(talked_ms, minor):
    assert spent(market().trunks["main"], talked_ms) == minor


def test_a_trunk_that_has_spent_its_limit_rings_nobody_and_others_go_on():
    of = market(spend={"max_amount": "1.00", "per": "day"})
    assert overspent(of, {"main": 79 * 60_000}) == {}
    assert overspent(of, {"main": 80 * 60_000}) == {"pstn": "trunk main has spent its 1.00 USD a day"}


def test_only_trunks_with_a_limit_are_looked_at_from_the_beginning_of_their_period():
    assert limited(market().trunks, 30 * HOUR_MS) == {}
    of = market(spend={"max_amount": "1.00", "per": "day"})
    assert limited(of.trunks, 30 * HOUR_MS) == {"main": 24 * HOUR_MS}
