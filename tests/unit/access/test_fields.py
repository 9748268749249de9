"""Who sees what: each documented field of what parties are shown has a row, and the documentation has the same."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ari_app.access.fields import FIELDS, HOLDS
from ari_app.access.sights import TOPICS, Sight, Unsightly, check
from tests.kit.accesspage import PAGE, text
from tests.kit.documented import tables
from tests.kit.shapes import Shapes

ENTRIES = ("Advertiser", "Publisher", "Destination", "Campaign", "Flow", "Creative")
"""Entries of the marketplace, each with its id; of what they hold, what is another's to see has paths of its own."""
WITHIN = {
    "Campaign": {
        *(f"{of}bonus[].{field}" for of in ("", "staged.") for field in ("name", "when", "price", "payout")),
        *(f"staged.{row['Field'].strip('`')}" for row in tables("marketplace.md")["Staged"]),
    }
}
NOUNS: dict[str, Any] = {
    **Shapes().nouns,
    **{
        noun: {
            "id",
            *(row["Field"].strip("`") for row in tables("marketplace.md")[noun]),
            *WITHIN.get(noun, ()),
        }
        for noun in ENTRIES
    },
}
OPERATORS = {
    "Status", "LabStatus", "Entry", "FlowsOfAFile", "AuditEntry", "NumberHistory", "NumberReleased",
    "NumbersTaken", "Stock", "RecordingDeleted", "RecordingsExpired", "Proof", "Payment", "Adjustment", "Replay",
    "Finding", "SpooledCall", "SpoolRetried", "Erased", "CallsDone", "DatabaseStatus", "DatabaseUpgrade", "Person",
    "Link", "Removed", "Visibility", "VisibilitySet", "ApiKey", "ApiKeyRevoked",
}  # fmt: skip
"""Nouns that only the operator is told of. People of a party, and its entries, have pages of their own."""


def test_each_noun_is_shown_to_parties_or_is_the_operators() -> None:
    assert set(FIELDS) | OPERATORS == set(NOUNS)
    assert set(FIELDS) & OPERATORS == set()


@pytest.mark.parametrize("noun", FIELDS)
def test_each_field_has_a_topic_and_each_row_a_field(noun: str) -> None:
    assert set(FIELDS[noun]) == set(NOUNS[noun])
    assert set(FIELDS[noun].values()) <= set(TOPICS)


def test_each_topic_is_some_fields() -> None:
    assert {topic for fields in FIELDS.values() for topic in fields.values()} == set(TOPICS)


def test_a_field_that_holds_another_noun_says_which() -> None:
    held = {
        (noun, field): match[1]
        for noun in set(FIELDS) - set(ENTRIES)
        for field, type_ in NOUNS[noun].items()
        if (match := re.search(r"\b([A-Z]\w+)", type_)) and noun != "Report"
    }
    assert {key: noun for key, noun in held.items() if noun in FIELDS} == HOLDS
    assert {key for key, noun in held.items() if noun not in FIELDS} == {("Live", "switch")}


def test_the_other_sides_money_is_hidden() -> None:
    assert TOPICS["payout"].advertiser is TOPICS["price"].publisher is Sight.HIDDEN
    assert TOPICS["margin"].advertiser is TOPICS["margin"].publisher is TOPICS["margin"].agent is Sight.HIDDEN


def test_what_has_no_mask_is_not_masked() -> None:
    for name, topic in TOPICS.items():
        for kind in ("advertiser", "publisher", "agent"):
            check(name, topic.of(kind))
    with pytest.raises(Unsightly, match="there is no mask for it"):
        check("price", Sight.MASKED)
    with pytest.raises(Unsightly, match="they are whole"):
        check("facts", Sight.HIDDEN)
    with pytest.raises(Unsightly, match="expected one of facts"):
        check("weather", Sight.WHOLE)


def test_the_tables_are_documented() -> None:
    assert PAGE.read_text(encoding="utf-8") == text(), "write it anew: python -m tests.kit.accesspage"
