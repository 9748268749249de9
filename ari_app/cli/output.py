"""The output of commands: tables and colours on a terminal, plain text in a pipe, JSON.

In a pipe there are no colours, no boxes and nothing is cut off: columns are separated by at least two spaces, and every
row is one line.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ari_app.views.sections import Listing, Section

_STYLES = {
    "ok": "green",
    "won": "green",
    "passed": "green",
    "connected": "green",
    "qualified": "green",
    "failed": "bold red",
    "FAILED": "bold red",
    "paused": "yellow",
    "lost": "dim",
    "cancelled": "dim",
}
_NUMBERS = frozenset("0123456789.,+-")

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def show_json(value: Any) -> None:
    """Prints a value as indented JSON."""
    click.echo(json.dumps(value, indent=2))


def tell(value: Any, text: str, as_json: bool) -> None:
    """Prints the result of a command: a value as JSON for programs, or a text for people."""
    if as_json:
        show_json(value)
    else:
        click.echo(text)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints a table; None is an empty cell. Columns that hold only numbers are aligned right."""
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if _is_terminal():
        _show_rich(columns, cells)
    else:
        _show_plain(columns, cells)


def show_title(text: str) -> None:
    """Prints a heading."""
    click.echo(click.style(text, bold=True))


def show_sections(sections: Iterable[Section]) -> None:
    """Prints sections with an empty line between them. Lines are wrapped on a terminal, but not in a pipe."""
    for n, section in enumerate(sections):
        if n:
            click.echo()
        show_title(section.title)
        for line in section.lines:
            click.echo(_coloured(_indented(line)))


def show_listings(listings: Iterable[Listing]) -> None:
    """Prints tables under their headings, an empty line before each."""
    for listing in listings:
        click.echo()
        show_title(listing.title)
        show_table(listing.columns, listing.rows)


def _is_terminal() -> bool:
    return Console().is_terminal


def _indented(line: str) -> str:
    hanging = "    " if line.startswith("- ") else "  "
    if not _is_terminal():
        return f"  {line}"
    width = max(Console().width, 40)
    return textwrap.fill(line, width, initial_indent="  ", subsequent_indent=hanging, break_on_hyphens=False)


def _coloured(line: str) -> str:
    """The line; if it begins with a result, that word is in colour. click removes colours in a pipe."""
    for word, colour in (("passed", "green"), ("FAILED", "red")):
        if line.startswith(f"  - {word}:"):
            return line.replace(word, click.style(word, fg=colour, bold=True), 1)
    return line


def _is_numeric(cells: Sequence[Sequence[str]], column: int) -> bool:
    values = [row[column] for row in cells if row[column]]
    return bool(values) and all(_NUMBERS.issuperset(value) and value[:1] != "+" for value in values)


def _show_rich(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for n, name in enumerate(columns):
        justify: Literal["left", "right"] = "right" if _is_numeric(cells, n) else "left"
        # The first column is needed for the next command, so it is never cut off.
        table.add_column(name, justify=justify, overflow="fold", no_wrap=n == 0)
    for row in cells:
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    Console().print(table)


def _show_plain(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    right = [_is_numeric(cells, n) for n in range(len(columns))]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    for row in [columns, *cells]:
        padded = (
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(row, widths, right, strict=True)
        )
        click.echo("  ".join(padded).rstrip())
