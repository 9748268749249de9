"""Documents: what is accepted, and the one line that every mistake gets."""

import json

import pytest

from ari_app.domain.basics.errors import MAX_FINDINGS, DocumentError
from ari_app.domain.document.reading import from_document, parse, to_document
from ari_app.domain.market.marketplace import Marketplace
from tests.unit.domain.documents import DEMO, GEOGRAPHY, SMALL, changed, findings


def test_the_demo_marketplace_is_accepted() -> None:
    market = parse(DEMO, "demo.yaml")
    campaign = market.campaigns["emergency-plumbing"]
    assert (campaign.price, campaign.payout) == (4200, 3000)
    assert campaign.route.waves[1].after == 12_000
    assert market.flows["plumbing-intake"].nodes["zip"].collect.as_ == "zip"  # type: ignore[union-attr]
    assert market.destinations["agent-1"].dial.uri == "sip:agent-1@127.0.0.1:5071"


def test_the_small_marketplace_is_accepted_with_everything_it_is_checked_against() -> None:
    market = parse(SMALL, "my.yaml", prompts=lambda _: None, trunks={"main"}, geography=GEOGRAPHY)
    assert market.advertisers["acme"].billing.credit_limit == 50_000  # type: ignore[union-attr]
    assert market.campaigns["plumbing"].payout == 3000
    assert market.destinations["agent-1"].hours.closed == ("2026-12-25",)  # type: ignore[union-attr]


@pytest.mark.parametrize("text", [DEMO, SMALL])
def test_a_document_comes_back_from_json_as_it_was(text: str) -> None:
    market = parse(text, "my.yaml")
    written = json.dumps(to_document(market))
    assert from_document(json.loads(written)) == market
    assert parse(written, "again.yaml") == market


def test_amounts_and_durations_are_written_as_people_write_them() -> None:
    campaign = to_document(parse(SMALL, "my.yaml"))["campaigns"]["plumbing"]
    assert campaign["price"] == "42.00"
    assert campaign["qualify"] == [{"connected_at_least": "90s"}]


def test_equal_marketplaces_are_written_alike() -> None:
    one = parse(changed("{anywhere: true}", "{states: [NY, NJ, CT, PA]}"), "a.yaml")
    two = parse(changed("{anywhere: true}", "{states: [PA, CT, NJ, NY]}"), "b.yaml")
    assert json.dumps(to_document(one)) == json.dumps(to_document(two))


# One value at a time


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        (
            '    price: "42.00"',
            "    price: 42.00",
            'my.yaml:36: campaigns.plumbing.price: expected an amount in quotes, such as "42.00", got 42.00',
        ),
        (
            "    payout: 30",
            "    payuot: 30",
            "my.yaml:37: campaigns.plumbing.payuot: unknown field 'payuot'; did you mean 'payout'?",
        ),
        (
            "after: 12s",
            "after: 12",
            "my.yaml:41: campaigns.plumbing.route.waves[0].after: "
            'expected a duration with its unit, such as "12s", got 12',
        ),
        (
            'zip: "10001"',
            "zip: 07001",
            'my.yaml:11: destinations.agent-1.covers.zip: expected a ZIP code of five digits such as "10001" '
            "in quotes, as YAML reads bare digits as a number, got 07001",
        ),
        (
            "{anywhere: true}",
            "{states: [NY, NO]}",
            "my.yaml:17: destinations.agent-2.covers.states[1]: "
            'expected a state code; in quotes, such as "ON", where YAML reads true or false, got NO',
        ),
        (
            "{anywhere: true}",
            "{states: NY}",
            'my.yaml:17: destinations.agent-2.covers.states: expected a list, got "NY"',
        ),
        (
            "model: postpaid",
            "model: later",
            'my.yaml:3: advertisers.acme.billing.model: expected prepaid or postpaid, got "later"',
        ),
        (
            "homefix: {name: HomeFix}",
            "homefix:",
            "my.yaml:6: publishers.homefix: expected a mapping, got nothing",
        ),
        ("capacity: 1", 'capacity: "1"', None),
        ("name: Acme", "name: 7", None),
        ("currency: USD", "currency: dollars", None),
        ("America/New_York, billing", "New York, billing", None),
        ("offer: {offer: true}", "offer: {offer: false}", None),
        ('open: ["mon-fri 08:00-20:00"]', "open: [mon-fri 8-20]", None),
    ],
)
def test_a_value_that_cannot_be_is_one_line_with_its_place(old: str, new: str, finding: str | None) -> None:
    [line] = [line for line in findings(changed(old, new)) if "is required" not in line]
    assert line.startswith("my.yaml:")
    if finding is not None:
        assert line == finding


def test_a_missing_field_is_named_at_the_line_of_what_lacks_it() -> None:
    [line] = findings(changed("    advertiser: acme\n    price", "    price"))
    assert line == "my.yaml:34: campaigns.plumbing.advertiser: this field is required"


def test_every_mistake_is_reported_at_once() -> None:
    text = changed("after: 12s", "after: 12").replace("connected_at_least: 90s", "connected_at_least: 90")
    assert len(findings(text)) == 2


def test_of_very_many_mistakes_the_first_are_shown_and_the_rest_counted() -> None:
    bad = "".join(f'  "+1800555{n:04d}": {{campaign: plumbing}}\n' for n in range(1000, 1250))
    lines = findings(SMALL + bad)
    assert len(lines) == MAX_FINDINGS + 1
    assert lines[-1] == "my.yaml: and 150 more"


# References


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        (
            "    advertiser: acme\n    dial",
            "    advertiser: acne\n    dial",
            "destinations.agent-1.advertiser: there is no advertiser 'acne'; did you mean 'acme'?",
        ),
        (
            "    advertiser: acme\n    price",
            "    advertiser: zeta\n    price",
            "campaigns.plumbing.advertiser: there is no advertiser 'zeta'",
        ),
        (
            "flow: intake",
            "flow: intakes",
            "campaigns.plumbing.flow: there is no flow 'intakes'; did you mean 'intake'?",
        ),
        (
            "[agent-1]",
            "[agent-9]",
            "campaigns.plumbing.route.waves[0].destinations[0]: there is no destination 'agent-9'",
        ),
        ("[agent-1]", "[agent-2]", "'agent-2' belongs to other, not to the campaign's acme"),
        ("[agent-1]", "[agent-1, agent-1]", "destinations[1]: 'agent-1' is in this wave twice"),
        ("[agent-1]", "[]", "waves[0].destinations: expected at least one destination"),
        (
            "{campaign: plumbing,",
            "{campaign: plumbin,",
            "numbers.+18005550101.campaign: there is no campaign 'plumbin'; did you mean 'plumbing'?",
        ),
        (
            "publisher: homefix",
            "publisher: nobody",
            "numbers.+18005550101.publisher: there is no publisher 'nobody'",
        ),
    ],
)
def test_a_reference_to_what_is_not_there_is_refused(old: str, new: str, finding: str) -> None:
    assert finding in findings(changed(old, new))[0]


def test_a_campaign_without_waves_is_refused() -> None:
    text = changed("      waves:\n        - {destinations: [agent-1], after: 12s}\n", "      waves: []\n")
    assert "route.waves: expected at least one wave" in findings(text)[0]


# Exactly one of


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("{extension: agent-2}", "{}", "dial: expected exactly one of uri, extension or phone, got none"),
        ("{extension: agent-2}", '{extension: a, uri: "sip:a@b"}', "got uri and extension"),
        ("{extension: agent-2}", "{extension: a, trunk: main}", "dial.trunk: a trunk is only for a phone"),
        (", trunk: main", "", "expected a trunk to dial the phone by"),
        ("{anywhere: true}", "{}", "covers: expected states, zips, area_codes"),
        ("{anywhere: true}", "{anywhere: true, states: [NY]}", "expected only anywhere, got states as well"),
        ("{anywhere: true}", '{zip: "10001"}', "expected zip and radius_miles together"),
        ("{anywhere: true}", "{radius_miles: 5}", "expected zip and radius_miles together"),
        (
            "{connected_at_least: 90s}",
            "{connected_at_least: 90s, no_repeat_within: 1d}",
            "qualify[0]: expected exactly one of",
        ),
        ("{connected_at_least: 90s}", "{}", "qualify[0]: expected exactly one of"),
        ("{connected_at_least: 90s}", "{caller_in: {}}", "qualify[0].caller_in: expected states"),
        (
            "{connected_at_least: 90s}",
            "{answer_in: {servise: [a]}}",
            "no node of the flow sets the answer 'servise'; did you mean 'service'?",
        ),
        ("{connected_at_least: 90s}", "{answer_in: {service: []}}", "expected at least one value"),
        ("{connected_at_least: 90s}", "{answer_in: {}}", "expected an answer's name and its values"),
        (', credit_limit: "500.00"', "", "billing: expected a credit_limit"),
        (
            "    advertiser: acme\n    price",
            "    invited: [homefix]\n    advertiser: acme\n    price",
            "campaigns.plumbing.invited: a public campaign invites nobody",
        ),
        (
            "    advertiser: acme\n    price",
            "    visibility: invited\n    invited: [homefx]\n    advertiser: acme\n    price",
            "campaigns.plumbing.invited: there is no publisher 'homefx'; did you mean 'homefix'?",
        ),
        ("model: postpaid", "model: prepaid", "a prepaid advertiser has no credit_limit"),
    ],
)
def test_alternatives_must_be_given_exactly_once(old: str, new: str, finding: str) -> None:
    [line] = findings(changed(old, new))
    assert finding in line


# Caps


@pytest.mark.parametrize("owner", ["  other: {name: Other", "  homefix: {name: HomeFix"])
@pytest.mark.parametrize(
    ("caps", "finding"),
    [
        ("{}", "caps[0]: expected exactly one of max, max_amount or concurrent, got none"),
        ("{max: 1, concurrent: 1, per: day}", "got max and concurrent"),
        ("{max: 0, per: day}", "caps[0].max: expected a whole number from 1 to 1000000000, got 0"),
        ("{max: 1}", "caps[0]: expected per: hour, day, week, month or total"),
        ('{max_amount: "5.00"}', "caps[0]: expected per: hour"),
        ('{max_amount: "0.00", per: day}', "caps[0].max_amount: expected more than zero"),
        ("{max: 1, per: year}", "caps[0].per: expected hour, day, week, month or total"),
        ("{concurrent: 1, per: day}", "caps[0].per: a concurrent cap has no period"),
        ("{concurrent: 1, basis: attempts}", "caps[0].basis: a basis is only for max"),
        ("{max: 1, per: day}, {max: 2, per: day}", "caps[1]: this cap is there twice"),
        ("{max: 1, per: day, currency: EUR}", "caps[0].currency: a currency is only for max_amount"),
    ],
)
def test_a_cap_that_cannot_be_kept_is_refused(owner: str, caps: str, finding: str) -> None:
    [line] = findings(changed(owner, f"{owner}, caps: [{caps}]"))
    assert finding in line


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    capacity: 1\n", "    capacity: 1\n    caps: [{max: 0, per: day}]\n"),
        ("    payout: 30\n", "    payout: 30\n    caps: [{max: 0, per: day}]\n"),
    ],
)
def test_a_destinations_and_a_campaigns_caps_are_checked_too(old: str, new: str) -> None:
    assert "caps[0].max: expected a whole number" in findings(changed(old, new))[0]


def test_an_owner_may_have_a_cap_of_each_kind_and_period() -> None:
    caps = '[{max: 1, per: day}, {max: 1, per: day, basis: attempts}, {max_amount: "5.00", per: day}]'
    market = parse(changed("{name: Other}", f"{{name: Other, caps: {caps}}}"), "my.yaml")
    assert [cap.max_amount for cap in market.advertisers["other"].caps] == [None, None, 500]
    assert from_document(to_document(market)) == market


def test_without_a_word_of_billing_an_advertisers_funds_are_not_looked_at() -> None:
    assert parse(SMALL, "my.yaml").advertisers["other"].billing is None


# YAML itself


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("", "my.yaml:1: expected a mapping, got nothing"),
        ("- a", "my.yaml:1: expected a mapping, got a list"),
        ("a: [}", "my.yaml:1: not YAML: "),
        ("a: b\n  c: d", "my.yaml:2: not YAML: mapping values are not allowed"),
        ("a: \x01", "my.yaml:1: not YAML: control characters are not allowed"),
        ("a: 1\nb: 2\na: 3", "my.yaml:3: a: this key is there twice"),
        ("a: &x 1\nb: *x", "my.yaml:1: a: an anchor (&) is not allowed"),
        ("a: !!str 1", "my.yaml:1: a: a tag (!) is not allowed"),
        ("a: !!python/object/apply:os.system [ls]", "my.yaml:1: a: a tag (!) is not allowed"),
        ("1: a", 'my.yaml:1: 1: expected a key in quotes, such as "1"'),
        ("on: a", 'my.yaml:1: on: expected a key in quotes, such as "on"'),
        ("? [a]\n: b", "my.yaml:1: expected a key, got a mapping, list or alias"),
        ("a: 1\n---\nb: 2", "my.yaml:2: expected one document, got a second one"),
        ("[" * 100 + "]" * 100, "my.yaml:1: nested more than 32 deep"),
    ],
)
def test_yaml_that_is_broken_or_not_plain_is_refused(text: str, finding: str) -> None:
    assert findings(text)[0].startswith(finding)


def test_a_billion_laughs_are_not_laughed() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert "an anchor (&) is not allowed" in findings(bomb)[0]


def test_a_file_that_is_too_large_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ari_app.domain.basics.yamltext.MAX_CHARACTERS", 10)
    assert findings(SMALL)[0].startswith("my.yaml:1: the file is larger than")


def test_records_are_frozen() -> None:
    market = parse(SMALL, "my.yaml")
    with pytest.raises(AttributeError):
        market.currency = "EUR"  # type: ignore[misc]
    assert isinstance(market, Marketplace)


def test_a_key_that_breaks_lines_is_reported_on_one_line() -> None:
    with pytest.raises(DocumentError) as refused:
        parse('currency: USD\nadvertisers: {"a\\nb\\x1b[2J": null}\n', "a.yaml")
    assert all(line.startswith("a.yaml:") and line.isprintable() for line in refused.value.findings)
    assert any("a\\nb\\x1b[2J" in line for line in refused.value.findings)


def test_an_object_without_a_name_is_refused() -> None:
    with pytest.raises(DocumentError, match="lower-case letters"):
        parse("currency: USD\nadvertisers: {'': {'[]p': null}}\n", "test.yaml")
