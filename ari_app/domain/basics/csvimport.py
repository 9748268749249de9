"""CSV files that people import: every mistake is named with its line. If there is any, nothing of the file is used."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING

from ari_app.domain.basics.errors import MAX_FINDINGS, DocumentError

MAX_ROWS = 500_000
_DELIMITERS = ",;\t"

if TYPE_CHECKING:
    from _csv import Reader as _Rows

Take = Callable[[dict[str, str]], Iterable[str]]
"""Takes a row, by column, with its values stripped; returns what is wrong with it."""


def read(text: str, file: str, columns: Sequence[str], take: Take) -> None:
    """Gives each row of a CSV text with these columns, in any order, to `take`. Raises DocumentError."""
    rows = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    header = _header(rows, file)
    if sorted(header) != sorted(columns):
        raise DocumentError([f"{file}:1: expected the columns {','.join(columns)}, got {header}"])
    _read(rows, file, header, take)


def read_export(
    text: str, file: str, columns: Mapping[str, Sequence[str]], needed: Sequence[str], take: Take
) -> None:
    """Gives each row of a file from another program to `take`, by our columns. Raises DocumentError.

    Fields may be separated by commas, semicolons or tabs. `columns`: for each of our columns, the names that it may
    have in the file (upper or lower case); the first name that is there counts. Other columns are ignored. The columns
    in `needed` must be in the file.
    """
    lines = text.removeprefix("\ufeff").splitlines(keepends=True)
    delimiter = max(_DELIMITERS, key=(lines[0] if lines else "").count)
    if lines and lines[0].lower().startswith("sep="):  # a spreadsheet's own word for it
        delimiter, lines[0] = lines[0].strip()[4:] or delimiter, "\n"
    rows = csv.reader(StringIO("".join(lines), newline=""), delimiter=delimiter, strict=True)
    header = _header(rows, file)
    named = {name.casefold(): name for name in header}
    ours = {
        named[there]: column
        for column, names in columns.items()
        if (there := next((name.casefold() for name in names if name.casefold() in named), None)) is not None
    }
    findings = [
        f"{file}:1: there is no column for {column}: none of {header} is {' or '.join(columns[column])}"
        for column in needed
        if column not in ours.values()
    ]
    findings += [
        f"{file}:1: two columns are named {name!r}"
        for name, count in Counter(map(str.casefold, header)).items()
        if count > 1 and named[name] in ours
    ]
    if findings:
        raise DocumentError(findings)
    _read(rows, file, header, lambda row: take({ours[name]: row[name] for name in header if name in ours}))


def _header(rows: Iterable[list[str]], file: str) -> list[str]:
    try:
        return [name.strip() for name in next((row for row in rows if row), [])]
    except csv.Error as error:
        raise DocumentError([f"{file}:1: not CSV: {error}"]) from error


def _read(rows: _Rows, file: str, header: Sequence[str], take: Take) -> None:
    findings: list[str] = []
    count = 0
    try:
        for row in filter(None, rows):
            findings += (f"{file}:{rows.line_num}: {said}" for said in _take(header, row, take))
            count += 1
            if count > MAX_ROWS or len(findings) > MAX_FINDINGS:
                findings.append(f"{file}:{rows.line_num}: this is too much; nothing after it was read")
                break
    except csv.Error as error:
        findings.append(f"{file}:{rows.line_num}: not CSV: {error}")
    if findings:
        raise DocumentError(findings)


def _take(header: Sequence[str], row: Sequence[str], take: Take) -> Iterable[str]:
    if len(row) != len(header):
        return [f"expected {len(header)} fields, got {len(row)}"]
    return take({name: value.strip() for name, value in zip(header, row, strict=True)})
