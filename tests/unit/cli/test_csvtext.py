"""What a spreadsheet would run is text; what is a number stays one."""

from __future__ import annotations

import csv
from io import StringIO

import pytest

from ari_app.views.csvtext import write_csv


def written(*cells: object) -> list[str]:
    """The cells of one row, read back."""
    file = StringIO()
    write_csv(file, ["column"] * len(cells), [cells])
    return list(csv.reader(StringIO(file.getvalue())))[1]


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1+1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "=cmd|' /C calc'!A0",
        "-",
        "+18005550101",
        "-1.",
        "--1",
    ],
)
def test_what_would_run_is_made_text(text: str) -> None:
    assert written(text) == [f"'{text}"]


@pytest.mark.parametrize("cell", ["42.00", "-42.00", -42, 0, "acme", "it's = 1", "", 'a "quote", a comma'])
def test_anything_else_is_as_it_was(cell: object) -> None:
    assert written(cell) == [str(cell)]


def test_none_is_an_empty_cell() -> None:
    assert written(None, 1) == ["", "1"]


def test_a_header_is_made_text_too() -> None:
    file = StringIO()
    write_csv(file, ["=1"], [])
    assert file.getvalue() == "'=1\r\n"
