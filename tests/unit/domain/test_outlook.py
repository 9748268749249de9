"""Caps and funds that have room for no call, or for fewer than agents could take, are told before the first call."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ari_app.domain.calls.geo import Geography
from ari_app.domain.caps.outlook import Shortage, outlook, outlook_for
from ari_app.domain.document.reading import parse
from ari_app.domain.routing.snapshot import attribute, make_snapshot
from tests.kit.market import DID, marketplace

AGENTS = {"one": "sip:one@127.0.0.1:5071", "two": "sip:two@127.0.0.1:5072"}
BY_MINUTE = {"per_minute": "1.00"}
FUNDED = {("advertiser:acme", "USD"): 20_000}


def told(
    price: Any = "42.00",
    caps: Any = (),
    of: str = "campaigns.plumbing",
    billing: Any = None,
    available: Any = (),
    **more: Any,
) -> list[Shortage]:
    """What is short where `of` has these caps; `more` is the campaign's, or its route's."""
    status = {"status": more.pop("status", "live"), "payout": more.pop("payout", "0")}
    document = marketplace(AGENTS, campaign={"price": price, **status}, **more)
    part, _, name = of.partition(".")
    document[part][name] |= {"caps": list(caps)}
    document["advertisers"]["acme"] |= {"billing": billing} if billing else {}
    return outlook(parse(json.dumps(document), "t.yaml"), dict(available), 0)


def test_where_a_price_is_fixed_and_caps_and_funds_suffice_nothing_is_told() -> None:
    caps = [{"max_amount": "84.00", "per": "day"}, {"max": 1, "per": "day"}, {"concurrent": 1}]
    assert told(caps=caps) == []
    assert told(billing={"model": "prepaid"}, available=FUNDED) == []


def test_a_cap_below_one_call_is_told_with_what_a_call_reserves() -> None:
    caps = [{"max_amount": "100.00", "per": "day"}]
    by_minute, short = told(BY_MINUTE, caps)
    assert (by_minute.limit, by_minute.admits) == ("max_duration", None)
    assert (
        "without a max_duration of its own: each call may last 4h, and reserves 240.00 USD" in by_minute.words
    )
    assert short == Shortage(
        "plumbing",
        "cap",
        0,
        "campaign plumbing: the cap of campaign plumbing, 100.00 USD a day, has room for no call: "
        "each reserves 240.00 USD",
    )


@pytest.mark.parametrize("of", ["advertisers.acme", "destinations.one", "publishers.homefix"])
def test_the_caps_of_everybody_who_has_a_part_in_its_calls_count(of: str) -> None:
    caps = [{"max_amount": "5.00", "per": "day"}]
    [short] = told(BY_MINUTE, caps, of, payout=BY_MINUTE, max_duration="10m")
    assert (short.limit, short.admits) == ("cap", 0)
    assert of.replace("s.", " ") in short.words


def test_a_cap_that_has_room_for_fewer_calls_than_there_are_agents_is_told() -> None:
    [short] = told(BY_MINUTE, [{"max_amount": "19.00", "per": "day"}], max_duration="10m")
    assert short.admits == 1
    assert "has room for 1 call at once: each reserves 10.00 USD" in short.words
    assert told(BY_MINUTE, [{"max_amount": "20.00", "per": "day"}], max_duration="10m") == []


@pytest.mark.parametrize(
    ("billing", "available", "admits"),
    [
        ({"model": "prepaid"}, {}, 0),
        ({"model": "prepaid"}, {("advertiser:acme", "USD"): 4_199}, 0),
        ({"model": "prepaid"}, {("advertiser:acme", "USD"): 4_200}, 1),
        ({"model": "prepaid"}, {("advertiser:acme", "EUR"): 99_999}, 0),
        ({"model": "postpaid", "credit_limit": "42.00"}, {("advertiser:acme", "USD"): -100}, 0),
        ({"model": "postpaid", "credit_limit": "42.00"}, {}, 1),
    ],
)
def test_an_account_without_the_money_for_a_call_is_told(billing: Any, available: Any, admits: int) -> None:
    [short] = told(billing=billing, available=available)
    assert (short.limit, short.admits) == ("funds", admits)


def test_of_a_campaign_that_takes_no_calls_nothing_is_told() -> None:
    assert told(BY_MINUTE, [{"max_amount": "1.00", "per": "day"}], status="paused") == []


def test_a_trial_is_told_of_the_terms_that_are_staged_for_its_moment() -> None:
    staged = {"from": "2026-11-01T00:00Z", "price": "500.00"}
    campaign = {"price": "42.00", "staged": staged, "caps": [{"max_amount": "100.00", "per": "day"}]}
    market = parse(json.dumps(marketplace(AGENTS, campaign=campaign)), "t.yaml")
    snapshot = make_snapshot(1, market, {"plumbing": 1}, Geography({}, {}), {}, {"plumbing": 2})
    before, after = attribute(snapshot, DID, 0), attribute(snapshot, DID, 1_795_800_000_000)
    assert before is not None and after is not None
    assert outlook_for(market, before, {}) == []
    assert [short.admits for short in outlook_for(market, after, {})] == [0]
