"""What differs between two marketplaces is told object by object, as people write it."""

from dataclasses import fields

import pytest

from ari_app.domain.document.changes import _PARTS, _WHOLE, Terms, changes, words
from ari_app.domain.document.reading import parse
from ari_app.domain.market.marketplace import Marketplace
from tests.unit.domain.documents import DEMO, SMALL, changed

BEFORE = parse(SMALL, "before.yaml")
NUMBER = '"+18005550101": {campaign: plumbing, publisher: homefix, source: sidebar}'


def told(text: str, terms: dict[str, Terms] | None = None) -> list[str]:
    """The words for what this text changes in SMALL."""
    return words(changes(BEFORE, parse(text, "after.yaml"), terms or {}))


def with_numbers(*lines: str) -> str:
    return changed(NUMBER, "\n  ".join(lines))


def test_every_part_of_a_marketplace_is_compared() -> None:
    assert {*_WHOLE, *_PARTS} == {field.name for field in fields(Marketplace)}


def test_the_same_marketplace_changes_nothing() -> None:
    assert changes(BEFORE, parse(SMALL, "again.yaml"), {"plumbing": Terms(1, 1, False)}) == []


def test_a_default_that_is_written_out_changes_nothing() -> None:
    assert told(changed("other: {name: Other}", "other: {name: Other, timezone: UTC}")) == []


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ('price: "42.00"', 'price: "45.50"', ["campaign plumbing changed", "  price: 42.00 -> 45.50"]),
        (
            "after: 12s",
            "after: 90s",
            ["campaign plumbing changed", "  route.waves[0].after: 12s -> 90s"],
        ),
        (
            "    flow: intake",
            "    flow: intake\n    status: paused",
            ["campaign plumbing changed", "  status: live -> paused"],
        ),
        (
            "radius_miles: 50}",
            "radius_miles: 50, states: [NY, NJ]}",
            ["destination agent-1 changed", "  covers.states: NJ, NY added"],
        ),
        (
            "      - {connected_at_least: 90s}",
            "      - {caller_in: {states: [NY, NJ]}}\n      - {connected_at_least: 90s}",
            ["campaign plumbing changed", "  qualify[0] added: caller_in states NJ, NY"],
        ),
        (
            "      - {connected_at_least: 90s}",
            "      []",
            ["campaign plumbing changed", "  qualify[0] removed: connected_at_least 90s"],
        ),
        (
            "    covers: {anywhere: true}",
            "    covers: {anywhere: true}\n    hours: {open: [daily 08:00-20:00], timezone: UTC}",
            ["destination agent-2 changed", "  hours added: open daily 08:00-20:00; timezone UTC"],
        ),
        ("radius_miles: 50", "radius_miles: 7.5", ["destination agent-1 changed", "  covers.radius_miles: 50 -> 7.5"]),
        (
            'credit_limit: "500.00"',
            'credit_limit: "750.00"',
            ["advertiser acme changed", "  billing.credit_limit: 500.00 -> 750.00"],
        ),
        (
            '"tts:Press 1 or 2."',
            '"tts:Press 2 or 1."',
            [
                "flow intake changed",
                "  nodes.ask.menu.prompt: tts:Press 1 or 2. -> tts:Press 2 or 1.",
            ],
        ),
        ("currency: USD", "currency: EUR", ["marketplace changed", "  currency: USD -> EUR"]),
    ],
)  # fmt: skip
def test_a_field_is_told_with_what_it_was_and_what_it_becomes(old: str, new: str, lines: list[str]) -> None:
    assert told(changed(old, new)) == lines


def test_what_comes_to_a_list_and_what_goes_is_told_and_otherwise_the_order() -> None:
    def with_wave(names: str) -> Marketplace:
        text = changed("advertiser: other", "advertiser: acme")
        return parse(text.replace("destinations: [agent-1]", f"destinations: [{names}]"), "a.yaml")

    one, other, both, turned = map(with_wave, ("agent-1", "agent-2", "agent-1, agent-2", "agent-2, agent-1"))
    path = "  route.waves[0].destinations"
    assert words(changes(one, other, {})) == [
        "campaign plumbing changed",
        f"{path}: agent-2 added; agent-1 removed",
    ]
    assert words(changes(both, turned, {})) == [
        "campaign plumbing changed",
        f"{path}: agent-1, agent-2 -> agent-2, agent-1",
    ]


def test_an_object_that_is_added_is_told_without_its_defaults() -> None:
    third = "  agent-3:\n    advertiser: acme\n    dial: {extension: agent-3}\n    covers: {states: [NY]}\n"
    assert told(changed("flows:\n", f"{third}flows:\n")) == [
        "destination agent-3 added: advertiser acme; dial extension agent-3; covers states NY"
    ]


def test_an_object_that_is_removed_is_named() -> None:
    gone = "  agent-2:\n    advertiser: other\n    dial: {extension: agent-2}\n    covers: {anywhere: true}\n"
    assert told(changed(gone, "")) == ["destination agent-2 removed"]


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (Terms(1, 2, True), "  terms: version 1 -> version 2 (new)"),
        (Terms(3, 1, False), "  terms: version 3 -> version 1 (as it was before)"),
    ],
)
def test_terms_are_told_with_their_version(step: Terms, line: str) -> None:
    assert told(changed('price: "42.00"', 'price: "45.00"'), {"plumbing": step})[-1] == line


def test_terms_that_change_by_the_advertisers_zone_are_told_at_the_campaign() -> None:
    lines = told(changed("America/New_York", "America/Chicago"), {"plumbing": Terms(1, 2, True)})
    assert lines[-2:] == ["campaign plumbing changed", "  terms: version 1 -> version 2 (new)"]


def test_a_number_that_changes_hands_is_moved() -> None:
    text = with_numbers('"+18005550101": {campaign: plumbing, publisher: bluebird}')
    assert told(text.replace("homefix: {name: HomeFix}", "homefix: {name: HomeFix}\n  bluebird: {name: B}")) == [
        "publisher bluebird added: name B",
        "number +18005550101 moved",
        "  publisher: homefix -> bluebird",
        "  source removed: sidebar",
    ]  # fmt: skip


def test_many_numbers_that_change_alike_share_a_line() -> None:
    many = (f'"+1800556{n:04d}": {{campaign: plumbing, publisher: homefix}}' for n in range(2000))
    assert told(with_numbers(NUMBER, *many)) == [
        "numbers +18005560000, +18005560001, +18005560002, +18005560003, +18005560004 and 1,995 more "
        "added: campaign plumbing; publisher homefix"
    ]


def test_the_first_marketplace_adds_everything() -> None:
    demo = parse(DEMO, "demo.yaml")
    terms = {campaign: Terms(None, 1, True) for campaign in demo.campaigns}
    lines = words(changes(None, demo, terms))
    assert lines[0] == "marketplace added: currency USD"
    assert (
        "destination agent-3 added: advertiser acme-plumbing; dial uri sip:agent-3@127.0.0.1:5073; "
        "covers (zip 10001; radius_miles 50)" in lines
    )
    assert "flow plumbing-intake added: start service; nodes (service, zip, offer, goodbye)" in lines
    assert all("added: " in line for line in lines)
    assert [line for line in lines if line.startswith("campaign")][1].endswith("terms version 1 (new)")
