"""docs/interop.md is what the live tests say of themselves."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.kit.interop import PAGE, SECTIONS, Row, page, rows

POINTS = {f"A{n}" for n in range(1, 9)} | {f"B{n}" for n in (9, 10, 11, 12, 13, 14, 16)} | {"D20"}
"""Of the carrier's side, the agent's side and strangers' programs; each has to have a live test."""


@pytest.fixture(scope="module")
def found() -> list[Row]:
    return rows()


def test_the_page_is_what_the_live_tests_say(found: list[Row]) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(found), "write it anew: make interop"


def test_every_point_has_a_live_test(found: list[Row]) -> None:
    assert {row.point for row in found} == POINTS
    assert {point[0] for point in POINTS} == SECTIONS.keys()


def test_no_kind_is_told_twice_and_each_is_told_in_full(found: list[Row]) -> None:
    assert [row for row, count in Counter((r.point, r.kind) for r in found).items() if count > 1] == []
    for row in found:
        assert row.kind and row.does and not re.search(r"\n|\.$", row.kind + row.does), row


def test_a_page_has_a_table_for_each_section() -> None:
    told = page(
        [
            Row("A1", "a | b", "it is taken", "test_x.py", "test_y"),
            Row("D20", "c", "d", "test_x.py", "test_z"),
        ]
    )
    assert r"| a \| b | it is taken | [test_y](../tests/live/test_x.py) |" in told
    assert [line for line in told.splitlines() if line.startswith("## ")] == [
        f"## {SECTIONS['A']}",
        f"## {SECTIONS['D']}",
    ]
    assert told.count("|---|---|---|") == 2
