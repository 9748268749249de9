"""A report as its readers get it: text with bars, JSON, CSV, a picture, and the command that lists a line's calls."""

from __future__ import annotations

from typing import Any, BinaryIO, TextIO

import click
from rich.console import Console

from ari_app.cli import caps, period
from ari_app.cli.output import show_table, show_title
from ari_app.domain.basics.clock import iso
from ari_app.domain.reports.report import HAVE_CAPS, Report
from ari_app.domain.reports.reporting import Line
from ari_app.views.csvtext import write_csv
from ari_app.views.reports.columns import (
    Column,
    Table,
    bar,
    call_tables,
    caps_table,
    disposition_tables,
    offer_tables,
)


def calls_command(report: Report, line: Line | None) -> str:
    """The command that lists the calls that a line counts; without a line those of the whole report."""
    when, chosen = report.calls_of(line)
    return period.calls_command(
        when, *(word for name, value in sorted(chosen.items()) for word in (f"--{name}", value))
    )


def to_json(report: Report) -> dict[str, Any]:
    """The report for programs. Rates are shares of one, times ms, amounts decimal strings."""
    return {
        "by": report.by,
        "timezone": report.period.zone.key,
        "since": iso(report.period.since),
        "until": iso(report.period.until),
        "only": report.only,
        "lines": [
            {report.by: line.key, **_values(report, line), "calls": calls_command(report, line)}
            for line in report.lines
        ],
        "total": {**_values(report, report.total), "calls": calls_command(report, None)},
    }


def _values(report: Report, line: Line) -> dict[str, Any]:
    found: dict[str, Any] = {}
    money = []
    for table in _tables(report):
        values = {column.name: column.value(line) for column in table.columns}
        if table.currency is None:
            found |= values
        else:
            money.append({"currency": table.currency, **values})
    return {**found, "money": money} if report.counts_calls else found


def write_as_csv(report: Report, file: TextIO) -> None:
    """A line of CSV for each of the report's, its money in columns for each currency."""
    columns = [
        (f"{column.name}_{table.currency}" if table.currency else column.name, column)
        for table in _tables(report)
        for column in table.columns
    ]
    rows = [
        [line.key, *(_cell(column, line) for _, column in columns), calls_command(report, line)]
        for line in report.lines
    ]
    write_csv(file, [report.by, *(name for name, _ in columns), "calls"], rows)


def _cell(column: Column, line: Line) -> Any:
    """What programs get, or people's text of a list: CSV has none."""
    value = column.value(line)
    return column.shown(value) if isinstance(value, list) else value


def draw(report: Report, file: BinaryIO) -> None:
    """The report as a PNG picture."""
    from ari_app.views.reports import plot  # matplotlib takes half a second to load

    plot.draw_report(file, f"{_about(report)}\n{report.period}", report.by, report.lines)


def show(report: Report) -> None:
    """Prints the report for people: a table for each kind of column, with bars on a terminal."""
    if not report.lines:
        click.echo(f"{_about(report)}, {report.period}: none")
        return
    click.echo(f"{_about(report)}, {report.period}")
    for n, table in enumerate(_tables(report)):
        _show_part(report, table, has_bars=n == 0 and Console().is_terminal)
    click.echo(
        "\nThe calls of the first line (add --counted-as COLUMN for one of its numbers, of money too):"
    )
    click.echo(f"  {calls_command(report, report.lines[0])}")


def _about(report: Report) -> str:
    parties = "".join(f", {name} {value or 'not known'}" for name, value in report.only.items())
    return f"{'Offers' if report.counts_offers else 'Calls'} by {report.by}{parties}"


def _show_part(report: Report, table: Table, has_bars: bool) -> None:
    columns = [column for column in table.columns if _is_worth_showing(report, column)]
    if not columns:
        return
    largest = max(map(report.largest, report.lines))
    rows = []
    for line in (*report.lines, report.total):
        name, drawn = line.key or "(not known)", bar(report.largest(line), largest)
        if line is report.total:
            name, drawn = "total", ""
        values = [column.value(line) for column in columns]
        cells = [None if v is None else column.shown(v) for column, v in zip(columns, values, strict=True)]
        if any(cell is not None for cell in cells):
            rows.append([name, *([drawn] if has_bars else []), *cells])
    click.echo()
    show_title(table.title)
    show_table([report.by, *([""] if has_bars else []), *(column.header for column in columns)], rows)


def _is_worth_showing(report: Report, column: Column) -> bool:
    """Not a column of which nothing is known, nor one that says `nothing`."""
    return any(column.value(line) not in (None, column.nothing) for line in report.lines)


def _tables(report: Report) -> list[Table]:
    if report.by == "disposition":
        return disposition_tables(report.total.counts["incoming"])
    tables = offer_tables() if report.counts_offers else call_tables(sorted(report.total.takings))
    if report.by not in HAVE_CAPS:
        return tables
    standing = {name: list(map(caps.to_json, its)) for name, its in report.caps.items()}
    return [*tables, caps_table(standing)]
