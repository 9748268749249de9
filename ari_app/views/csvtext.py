"""CSV that a spreadsheet shows and does not run."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from typing import IO

# A spreadsheet takes a cell that begins so for a formula.
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


def write_csv(file: IO[str], columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Writes a header and the rows; None is an empty cell.

    Text that would be run as a formula gets an apostrophe in front, by which spreadsheets know text.
    Numbers, a negative amount among them, stay numbers.
    """
    writer = csv.writer(file)
    writer.writerow([_cell(column) for column in columns])
    for row in rows:
        writer.writerow([_cell(cell) for cell in row])
    file.flush()  # what a full disk does not take is told of here


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    if text.startswith(_STARTS) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text
