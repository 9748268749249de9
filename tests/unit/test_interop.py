"""docs/interop.md is what the live tests say of themselves."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Literal

import pytest

from tests.kit.interop import PAGE, SECTIONS, PageWriter, Row, page, rows

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


def ran(test: str, outcome: Literal["passed", "failed"] = "passed", file: str = "") -> pytest.TestReport:
    where = f"tests/live/{file}"
    return pytest.TestReport(f"{where}::{test}", (where, 1, test), {}, outcome, None, "call")


@pytest.mark.parametrize(
    ("damage", "is_written"),
    [("", True), ("one did not run", False), ("one failed", False), ("broken off", False)],
)
def test_the_page_is_written_when_all_its_tests_have_passed(
    tmp_path: Path, found: list[Row], damage: str, is_written: bool
) -> None:
    writer = PageWriter(tmp_path / "interop.md")
    absent = found[0].test if damage in ("one did not run", "one failed") else ""
    for row in [row for row in found if row.test != absent]:
        writer.pytest_runtest_logreport(ran(f"{row.test}[{row.kind}]", file=row.file))
    if damage == "one failed":
        writer.pytest_runtest_logreport(ran(found[0].test, "failed", found[0].file))
    writer.pytest_sessionfinish(2 if damage == "broken off" else 0)
    assert (tmp_path / "interop.md").exists() is is_written
