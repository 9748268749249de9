"""CSV files that people import: every mistake is named with its line, and with one of them nothing is used."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from io import StringIO

from ari_app.domain.basics.errors import MAX_FINDINGS, DocumentError

MAX_ROWS = 500_000

Take = Callable[[dict[str, str]], Iterable[str]]
"""Takes a row in, by column, its values stripped; and says what is wrong with it."""


def read(text: str, file: str, columns: Sequence[str], take: Take) -> None:
    """Gives each row of a CSV text with these columns, in any order, to `take`. Raises DocumentError."""
    reader = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    findings: list[str] = []
    count = 0
    try:
        header = [name.strip() for name in next(reader, [])]
        if sorted(header) != sorted(columns):
            raise DocumentError([f"{file}:1: expected the columns {','.join(columns)}, got {header}"])
        for row in filter(None, reader):
            findings += (f"{file}:{reader.line_num}: {said}" for said in _take(header, row, take))
            count += 1
            if count > MAX_ROWS or len(findings) > MAX_FINDINGS:
                findings.append(f"{file}:{reader.line_num}: this is too much; nothing after it was read")
                break
    except csv.Error as error:
        findings.append(f"{file}:{reader.line_num}: not CSV: {error}")
    if findings:
        raise DocumentError(findings)


def _take(header: Sequence[str], row: Sequence[str], take: Take) -> Iterable[str]:
    if len(row) != len(header):
        return [f"expected {len(header)} fields, got {len(row)}"]
    return take({name: value.strip() for name, value in zip(header, row, strict=True)})
