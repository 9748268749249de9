"""docs/interop.md: kinds of INVITE and of phone, what Callrace does, and the live test that holds it.

The tests are the only source: `@interop(...)` on a live test is one row for each kind, and `make interop` writes the
page when all of these tests have passed.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

LIVE = Path(__file__).parents[1] / "live"
PAGE = Path(__file__).parents[2] / "docs" / "interop.md"
MARK = "interop"

SECTIONS = {"A": "The carrier's side", "B": "The agent's side", "D": "Programs that nobody here wrote"}

_HEAD = """# Kinds of INVITE and of phone, and what Callrace does

Each row is held by a live test: real SIP through a real Asterisk, in `tests/live`. These tests write the page, when all
of them have passed (`make interop`), and a test fails when it is not what they say: it is not edited by hand.
"""


class Row(NamedTuple):
    """`point`: a letter of SECTIONS and a number, such as A2; rows of one point stand together."""

    point: str
    kind: str
    does: str
    file: str
    test: str


def interop(point: str, *kinds: str, does: str) -> pytest.MarkDecorator:
    """Marks a live test as the one that holds what Callrace does with these kinds of INVITE or phone."""
    return pytest.mark.interop(point, kinds, does)


def rows() -> list[Row]:
    """The rows of all live tests, in the page's order."""
    return sorted(_found(), key=lambda row: (row.point[0], int(row.point[1:])))


def _found() -> Iterator[Row]:
    for file in sorted(LIVE.glob("test_*.py")):
        module = importlib.import_module(f"tests.live.{file.stem}")
        tests = {
            name: test for name, test in vars(module).items() if name.startswith("test_") and callable(test)
        }
        for name, test in tests.items():
            for mark in reversed(getattr(test, "pytestmark", [])):
                if mark.name == MARK:
                    point, kinds, does = mark.args
                    yield from (Row(point, kind, does, file.name, name) for kind in kinds)


def page(found: Iterable[Row]) -> str:
    """The page of these rows."""
    lines, section = [_HEAD.rstrip()], ""
    for row in found:
        if row.point[0] != section:
            section = row.point[0]
            lines += [
                "",
                f"## {SECTIONS[section]}",
                "",
                "| Kind | What Callrace does | Test |",
                "|---|---|---|",
            ]
        kind, does = (text.replace("|", r"\|") for text in (row.kind, row.does))
        lines.append(f"| {kind} | {does} | [{row.test}](../tests/live/{row.file}) |")
    return "\n".join(lines) + "\n"


class PageWriter:
    """A plugin of pytest: writes the page when every test that has a row in it has passed in this session."""

    def __init__(self, file: Path = PAGE) -> None:
        self._file = file
        self._passed: set[tuple[str, str]] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test has ended."""
        if report.when == "call" and report.passed:
            file, _, test = report.location
            self._passed.add((Path(file).name, test.partition("[")[0]))

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """The page is written, or stays as it was."""
        found = rows()
        if exitstatus == 0 and {(row.file, row.test) for row in found} <= self._passed:
            self._file.write_text(page(found), encoding="utf-8")
