"""What `docs/` says is so: each field that it has is there, and each field that there is, it has."""

from __future__ import annotations

import pytest

from tests.kit.documented import records, tables, told_of

MARKETPLACE = tables("marketplace.md")
RECORDS = {record.__name__: record for record in records()}


def test_the_marketplaces_records_are_those_that_are_documented() -> None:
    assert set(MARKETPLACE) - {"How values are written"} == set(RECORDS)


@pytest.mark.parametrize("name", RECORDS)
def test_a_records_fields_are_documented_with_their_types_and_defaults(name: str) -> None:
    rows = {row["Field"].strip("`"): (row["Type"], row["Default"]) for row in MARKETPLACE[name]}
    assert rows == told_of(RECORDS[name])
    assert len(rows) == len(MARKETPLACE[name]), "a field is there twice"


@pytest.mark.parametrize("name", RECORDS)
def test_each_field_has_a_meaning_and_money_and_time_a_unit(name: str) -> None:
    for row in MARKETPLACE[name]:
        assert row["Meaning"], row
        assert row["Unit"] or not row["Type"].startswith(("amount", "duration", "share", "number of")), row
