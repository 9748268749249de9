"""A report in its forms: tables for people, JSON, CSV."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import IO, Any

from ari_app.domain.basics.clock import iso
from ari_app.domain.reports.report import HAVE_CAPS, Report
from ari_app.domain.reports.reporting import ReportLine
from ari_app.domain.reports.span import Span
from ari_app.views import caps
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
from ari_app.views.sections import Listing

Link = Callable[[Span, dict[str, str]], str]
"""Makes a link to the calls of a period with these parties: a command, or a URL."""


def about(report: Report) -> str:
    """The subject and the period of the report, as text."""
    parties = "".join(f", {name} {value or 'not known'}" for name, value in report.only.items())
    return f"{'Offers' if report.counts_offers else 'Calls'} by {report.by}{parties}"


def _tables(report: Report) -> list[Table]:
    """The report's tables: one for each kind of column, and for the money of each currency."""
    if report.by == "disposition":
        return disposition_tables(report.total.counts["incoming"])
    found = offer_tables() if report.counts_offers else call_tables(sorted(report.total.takings))
    if report.by not in HAVE_CAPS:
        return found
    standing = {name: list(map(caps.cap_json, its)) for name, its in report.caps.items()}
    return [*found, caps_table(standing)]


def listings(report: Report, *, has_bars: bool) -> list[Listing]:
    """The report for people: a table for each kind of column, without empty columns; the first may have bars."""
    found = (_listing(report, table, has_bars and n == 0) for n, table in enumerate(_tables(report)))
    return [listing for listing in found if listing is not None]


def _listing(report: Report, table: Table, has_bars: bool) -> Listing | None:
    columns = [column for column in table.columns if _is_worth_showing(report, column)]
    if not columns:
        return None
    largest = max(map(report.largest, report.lines))
    rows: list[list[object]] = []
    for line in (*report.lines, report.total):
        name, drawn = line.key or "(not known)", bar(report.largest(line), largest)
        if line is report.total:
            name, drawn = "total", ""
        values = [column.value(line) for column in columns]
        cells = [None if v is None else column.shown(v) for column, v in zip(columns, values, strict=True)]
        if any(cell is not None for cell in cells):
            rows.append([name, *([drawn] if has_bars else []), *cells])
    headers = [report.by, *([""] if has_bars else []), *(column.header for column in columns)]
    return Listing(table.title, headers, rows)


def report_json(report: Report, link: Link) -> dict[str, Any]:
    """The report for programs. Rates are between 0 and 1, times are ms, amounts are decimal strings."""
    tables = _tables(report)
    return {
        "by": report.by,
        "timezone": report.period.zone.key,
        "since": iso(report.period.since),
        "until": iso(report.period.until),
        "only": report.only,
        "lines": [
            {report.by: line.key, **_values(report, tables, line), "calls": link(*report.calls_of(line))}
            for line in report.lines
        ],
        "total": {**_values(report, tables, report.total), "calls": link(*report.calls_of(None))},
    }


def _values(report: Report, tables: Sequence[Table], line: ReportLine) -> dict[str, Any]:
    found: dict[str, Any] = {}
    money = []
    for table in tables:
        values = {column.name: column.value(line) for column in table.columns}
        if table.currency is None:
            found |= values
        else:
            money.append({"currency": table.currency, **values})
    return {**found, "money": money} if report.counts_calls else found


def write_report(file: IO[str], report: Report, link: Link) -> None:
    """Writes a CSV line for each line of the report; each currency has its own columns of money."""
    columns = [
        (f"{column.name}_{table.currency}" if table.currency else column.name, column)
        for table in _tables(report)
        for column in table.columns
    ]
    rows = [
        [line.key, *(_cell(column, line) for _, column in columns), link(*report.calls_of(line))]
        for line in report.lines
    ]
    write_csv(file, [report.by, *(name for name, _ in columns), "calls"], rows)


def _cell(column: Column, line: ReportLine) -> Any:
    """The value for programs; but a list as the text for people, as CSV has no lists."""
    value = column.value(line)
    return column.shown(value) if isinstance(value, list) else value


def _is_worth_showing(report: Report, column: Column) -> bool:
    """False for a column whose values are all unknown, or all `nothing`."""
    return any(column.value(line) not in (None, column.nothing) for line in report.lines)
