"""A campaign in a currency of its own: all that its money meets is in that currency."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from ari_app.domain.basics.errors import DocumentError
from ari_app.domain.calls.geo import Geography
from ari_app.domain.caps.counters import Wanted, wanted
from ari_app.domain.document.reading import from_document, parse, to_document
from ari_app.domain.market.marketplace import Marketplace
from ari_app.domain.routing.snapshot import Attribution, attribute, make_snapshot
from ari_app.domain.terms.settlement import pin
from tests.kit.market import DID, marketplace
from tests.samples import make_call

AT = 1_795_600_000_000
YEN = {"currency": "JPY", "price": "4200", "payout": "3000"}


def document(campaign: dict[str, Any] = YEN, **owners: Any) -> dict[str, Any]:
    """A marketplace in USD with one campaign; `advertiser` and `destination` have more fields."""
    made = marketplace({"one": "sip:one@127.0.0.1:5071"}, campaign=campaign)
    made["advertisers"]["acme"] |= owners.get("advertiser", {})
    made["destinations"]["one"] |= owners.get("destination", {})
    return made


def market(*args: Any, **owners: Any) -> Marketplace:
    return parse(json.dumps(document(*args, **owners)), "test.yaml")


def attribution(of: Marketplace) -> Attribution:
    found = attribute(make_snapshot(1, of, {"plumbing": 1}, Geography({}, {}), {}), DID, 0)
    assert found is not None
    return found


def wish(of: Marketplace) -> Wanted:
    return wanted("call", of, attribution(of), ["one"], AT)


def refusal(*args: Any, **owners: Any) -> str:
    with pytest.raises(DocumentError) as caught:
        market(*args, **owners)
    [line] = caught.value.findings
    return line


# What a document says


def test_a_campaigns_amounts_have_the_decimals_of_its_own_currency() -> None:
    bonus = {"name": "long", "when": [{"total_at_least": "9s"}], "price": "500"}
    campaign = market(YEN | {"bonus": [bonus]}).campaigns["plumbing"]
    assert (campaign.price, campaign.payout, campaign.bonus[0].price) == (4200, 3000, 500)
    assert "expected an amount with at most 0 decimals, as JPY has" in refusal(YEN | {"price": "42.00"})


def test_what_stands_beside_it_keeps_the_marketplaces_currency() -> None:
    made = document()
    made["campaigns"] = {"before": made["campaigns"]["plumbing"] | {"currency": "JPY"}} | made["campaigns"]
    made["campaigns"]["plumbing"] = made["campaigns"]["plumbing"] | {
        "currency": "USD",
        "price": "42.00",
        "payout": "30.00",
    }
    found = parse(json.dumps(made), "test.yaml").campaigns
    assert (found["before"].price, found["plumbing"].price) == (4200, 4200)


def test_a_document_with_several_currencies_comes_back_as_it_was() -> None:
    caps = [{"max_amount": "90000", "per": "day", "currency": "JPY"}, {"max_amount": "9.00", "per": "day"}]
    billing = {"model": "postpaid", "credit_limit": {"USD": "500.00", "JPY": "50000"}}
    made = market(YEN | {"caps": [caps[0]]}, advertiser={"caps": caps, "billing": billing})
    written = to_document(made)
    assert written["campaigns"]["plumbing"]["price"] == "4200"
    assert written["advertisers"]["acme"]["billing"]["credit_limit"] == billing["credit_limit"]
    assert [cap["max_amount"] for cap in written["advertisers"]["acme"]["caps"]] == ["90000", "9.00"]
    assert from_document(written) == made


@pytest.mark.parametrize(
    ("campaign", "advertiser", "finding"),
    [
        (YEN | {"currency": "yen"}, {}, "campaigns.plumbing.currency: expected a currency code such as USD"),
        (
            YEN | {"caps": [{"max_amount": "1.00", "per": "day", "currency": "USD"}]},
            {},
            "campaigns.plumbing.caps[0].currency: a campaign's cap is in its own currency, JPY",
        ),
        (
            YEN,
            {"billing": {"model": "postpaid", "credit_limit": "500.00"}},
            "billing.credit_limit: expected a limit in JPY, the currency of campaign plumbing, such as {JPY: 50000}",
        ),
        (
            YEN,
            {"billing": {"model": "postpaid", "credit_limit": {"JPY": "1.5"}}},
            "credit_limit: expected an amount with at most 0 decimals, as JPY has for JPY",
        ),
        (
            YEN,
            {"billing": {"model": "postpaid", "credit_limit": {"yen": "15"}}},
            "credit_limit: expected a currency code such as USD, and its amount",
        ),
    ],
)
def test_money_in_the_wrong_currency_is_refused(
    campaign: dict[str, Any], advertiser: dict[str, Any], finding: str
) -> None:
    assert finding in refusal(campaign, advertiser=advertiser)


# What a call meets


def test_a_call_is_pinned_to_its_campaigns_currency() -> None:
    of, record = market(), make_call(money=None)
    found = attribution(of)
    pin(record, found, of.currency_of(found.campaign))
    assert record.money is not None
    assert (record.money.currency, record.money.price, record.money.payout) == ("JPY", 4200, 3000)


@pytest.mark.parametrize(
    ("part", "path"),
    [
        ({"campaign": {"currency": "XXQ"}}, "campaigns.plumbing.currency"),
        (
            {"advertiser": {"caps": [{"max_amount": "9.00", "per": "day", "currency": "XXQ"}]}},
            "advertisers.acme.caps[0].currency",
        ),
        (
            {"destination": {"caps": [{"max_amount": "9.00", "per": "day", "currency": "XXQ"}]}},
            "destinations.one.caps[0].currency",
        ),
        (
            {
                "advertiser": {
                    "billing": {"model": "postpaid", "credit_limit": {"USD": "9.00", "XXQ": "9.00"}}
                }
            },
            "advertisers.acme.billing.credit_limit",
        ),
    ],
)
def test_a_code_that_is_no_currency_is_refused_wherever_it_stands(part: dict[str, Any], path: str) -> None:
    made = document(**{"campaign": {}} | part)
    with pytest.raises(DocumentError, match=re.escape(f"{path}: there is no currency 'XXQ' in ISO 4217")):
        parse(json.dumps(made), "test.yaml")


def test_a_marketplaces_own_currency_is_one_that_there_is() -> None:
    with pytest.raises(DocumentError, match="currency: there is no currency 'XXQ' in ISO 4217"):
        parse(json.dumps(document({}) | {"currency": "XXQ"}), "test.yaml")


def test_what_was_applied_in_another_currency_stays_readable() -> None:
    assert from_document(document({}) | {"currency": "XXQ"}).currency == "XXQ"


@pytest.mark.parametrize(("currency", "credit"), [("JPY", 50_000), ("USD", 0)])
def test_a_call_is_covered_by_funds_and_credit_of_its_own_currency(currency: str, credit: int) -> None:
    billing = {"model": "postpaid", "credit_limit": {"JPY": "50000"}}
    of = market(advertiser={"billing": billing})
    funds = wish(of).funds
    assert funds is not None
    assert (funds.currency, funds.amount, funds.credit_limit) == ("JPY", 4200, 50_000)
    assert of.credit_of("acme", currency) == credit


def test_a_cap_of_money_counts_calls_in_its_own_currency_alone() -> None:
    caps = [{"max_amount": "90000", "per": "day", "currency": "JPY"}, {"max_amount": "900.00", "per": "day"}]
    found = wish(market(advertiser={"caps": caps}, destination={"caps": caps}))
    keys = [claim.key for claim in (*found.claims, *found.destinations["one"])]
    assert keys == ["advertiser:acme:amount:day:JPY", "destination:one:amount:day:JPY"]


def test_a_campaigns_cap_is_in_its_currency_without_a_word() -> None:
    [claim] = wish(market(YEN | {"caps": [{"max_amount": "90000", "per": "day"}]})).claims
    assert (claim.key, claim.amount, claim.limit) == ("campaign:plumbing:amount:day:JPY", 4200, 90_000)
    assert claim.words.endswith("its cap of 90000 JPY a day")
