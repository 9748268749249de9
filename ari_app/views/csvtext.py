"""CSV in which no cell is run as a formula by a spreadsheet."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from typing import IO

# A spreadsheet reads a cell that begins with one of these as a formula.
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


def write_csv(file: IO[str], columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Writes a header and the rows; None is an empty cell.

    A text that would be run as a formula gets an apostrophe in front, which marks text in spreadsheets. Numbers,
    including negative amounts, stay numbers.
    """
    writer = csv.writer(file)
    writer.writerow([_cell(column) for column in columns])
    for row in rows:
        writer.writerow([_cell(cell) for cell in row])
    file.flush()  # an error of a full disk is raised here


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    if text.startswith(_STARTS) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text
