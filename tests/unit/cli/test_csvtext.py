"""CSV that a spreadsheet opens without running anything."""

from io import StringIO

import pytest

from ari_app.cli.csvtext import write_csv


def written(*cells: object) -> str:
    file = StringIO()
    write_csv(file, ["a"] * len(cells), [cells])
    return file.getvalue().splitlines()[1]


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-1+2", "@SUM(A1)", "\tx", "+18005550101", "-", "--1"])
def test_a_text_that_a_spreadsheet_would_run_is_quoted(text: str) -> None:
    assert written(text) == f"'{text}"


@pytest.mark.parametrize("cell", ["-12.50", "0.00", 7, -7, 0.25, "plain", "a=b"])
def test_numbers_and_other_texts_stay_as_they_are(cell: object) -> None:
    assert written(cell) == str(cell)


def test_nothing_is_an_empty_cell_and_commas_are_quoted() -> None:
    assert written(None, "a,b") == ',"a,b"'
