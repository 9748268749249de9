"""A marketplace is checked against the world: prompts, ZIP codes, trunks and the numbers that they may dial."""

import pytest

from ari_app.domain.document.reading import parse
from tests.unit.domain.documents import GEOGRAPHY, SMALL, changed, findings


def test_a_prompt_that_cannot_be_played_is_refused_where_it_is_used() -> None:
    def missing(prompt: str) -> str | None:
        return "there is no such recording" if prompt.startswith("file:") else None

    assert findings(SMALL, prompts=missing) == [
        "my.yaml:42: campaigns.plumbing.route.fallback.play: there is no such recording"
    ]


def test_a_trunk_that_does_not_exist_is_refused() -> None:
    [line] = findings(SMALL, trunks={"mains"})
    assert line.endswith("dial.trunk: there is no trunk 'main'; did you mean 'mains'?")


@pytest.mark.parametrize("zip", ["09001", "99999"])
def test_a_radius_around_a_zip_of_unknown_position_is_refused(zip: str) -> None:
    [line] = findings(changed('"10001"', f'"{zip}"'), geography=GEOGRAPHY)
    assert line == f"my.yaml:11: destinations.agent-1.covers.zip: the position of ZIP {zip} is not known"


def test_a_zip_that_does_not_exist_is_refused() -> None:
    [line] = findings(changed("{anywhere: true}", '{zips: ["10001", "00000"]}'), geography=GEOGRAPHY)
    assert line == "my.yaml:17: destinations.agent-2.covers.zips: there is no ZIP code 00000"


@pytest.mark.parametrize(
    ("section", "finding"),
    [
        (
            "trunks: {main: {concurrent: 0}}",
            "trunks.main.concurrent: expected a whole number from 1 to 100000, got 0",
        ),
        (
            'trunks: {main: {allow: ["44*"]}}',
            "trunks.main.allow[0]: expected a phone number or a prefix such as",
        ),
        (
            'trunks: {main: {spend: {max_amount: "5.00", per: day}}}',
            "trunks.main.spend: expected a cost_per_minute too",
        ),
        (
            "trunks: {main: {cost_per_minute: 0.0125}}",
            'trunks.main.cost_per_minute: expected a rate in quotes such as "0.0125", with at most 6 decimals',
        ),
        ("screen: {per_ani: {max: 5}}", "screen.per_ani.within: this field is required"),
        ("screen: {per_ani: {max: 5, per: 10m}}", "screen.per_ani.per: unknown field 'per'"),
        ("screen: {attestation: [D]}", 'screen.attestation[0]: expected A, B, C or none, got "D"'),
        (
            "screen: {per_did: {max: 5, within: 0s}}",
            "screen.per_did.within: expected a duration of more than 0",
        ),
    ],
)
def test_what_a_marketplace_says_against_abuse_is_checked(section: str, finding: str) -> None:
    assert any(finding in found for found in findings(f"{SMALL}{section}\n"))


def test_a_trunk_that_asterisk_does_not_have_is_named() -> None:
    assert findings(f"{SMALL}trunks: {{mian: {{concurrent: 5}}}}\n", trunks=["main"]) == [
        "my.yaml:47: trunks.mian: there is no trunk 'mian'; did you mean 'main'?"
    ]


def test_a_destination_whose_trunk_may_not_dial_it_is_refused_with_its_line_and_the_way_out() -> None:
    jamaica = changed("+12125550123", "+18765550123")
    assert findings(jamaica) == [
        "my.yaml:10: destinations.agent-1.dial.phone: +18765550123 is a number abroad, in North America's numbering "
        'that trunk main may not dial; put "+1876*" into trunks.main.allow to permit it'
    ]
    assert parse(f'{jamaica}trunks: {{main: {{allow: ["+1*", "+1876*"]}}}}\n', "my.yaml").trunks


@pytest.mark.parametrize(
    ("dialled", "field"),
    [
        ('{phone: "+18005550101", trunk: main}', "phone"),
        ("{uri: sip:+18005550101@gateway.example}", "uri"),
        ("{uri: sip:8005550101@gateway.example}", "uri"),
        ("{uri: 'sip:18005550101@gateway.example'}", "uri"),
    ],
)
def test_a_destination_that_leads_back_to_a_tracking_number_is_refused(dialled: str, field: str) -> None:
    looping = changed('{phone: "+12125550123", trunk: main}', dialled)
    assert findings(looping) == [
        f"my.yaml:10: destinations.agent-1.dial.{field}: +18005550101 is a tracking number (numbers.+18005550101): "
        "the call would come in again; dial the agent"
    ]
