"""`callrace reports`: counts, rates and money, and the calls behind each number."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, BinaryIO, Literal, TextIO, get_args

import click
from rich.console import Console
from sqlalchemy import Engine

from ari_app.cli.common import Refused, database
from ari_app.cli.csvtext import write_csv
from ari_app.cli.forensics import forensics
from ari_app.cli.output import json_option, show_json, show_table, show_title
from ari_app.cli.period import Period, period, period_options
from ari_app.cli.reportcolumns import Table, bar, call_tables, disposition_tables, offer_tables
from ari_app.domain import reporting
from ari_app.domain.clock import from_iso, iso
from ari_app.domain.money import exponent
from ari_app.domain.record import Disposition
from ari_app.domain.reporting import Group, Line
from ari_app.domain.rollups import HOUR_MS
from ari_app.ops import running
from ari_app.ops.running import SwitchNotRunning
from ari_app.settings import Settings
from ari_app.store import rollups
from ari_app.store.rebuild import rebuild as rebuild_rollups

By = Literal[
    "campaign", "publisher", "source", "destination", "advertiser", "state", "hour", "day", "disposition"
]
"""What a report has a line for each of."""

OFFER_FILTERS = frozenset({"campaign", "advertiser"})
DEFAULT_DAYS = 30
LISTED = 10_000  # as many as `calls list` gives


@dataclass(frozen=True, slots=True)
class Report:
    """A report: its lines and their sum, for the calls of a period that have the parties in `only`."""

    by: By
    period: Period
    only: dict[str, str]
    lines: list[Line]
    total: Line

    @property
    def counts_offers(self) -> bool:
        """Whether it counts offers to destinations, not calls."""
        return self.by == "destination"

    def largest(self, line: Line) -> int:
        """The count that the others of the line are parts of."""
        return line.counts["offered" if self.counts_offers else "incoming"]


@click.group()
def reports() -> None:
    """Count calls, rates and money, and follow each number to its calls.

    Calls are counted as they are saved, by the hour they began in. Money is what the calls moved when
    they were settled; later adjustments are in `callrace ledger`.
    """


reports.add_command(forensics)


@reports.command("by")
@click.argument("by", metavar="WHAT", type=click.Choice(get_args(By)))
@period_options
@click.option("--campaign", metavar="ID", help="Only this campaign's calls.")
@click.option("--advertiser", metavar="ID", help="Only this advertiser's.")
@click.option("--publisher", metavar="ID", help="Only this publisher's.")
@click.option("--source", metavar="NAME", help="Only from this placement.")
@click.option("--state", metavar="CODE", help="Only from callers in this state.")
@click.option(
    "--cost-per-minute", metavar="AMOUNT", help="What your carrier takes for a minute of a caller's line."
)
@click.option("--csv", "csv_file", type=click.File("w", lazy=True, atomic=True), help="Write a CSV file.")
@click.option("--png", "png_file", type=click.File("wb", lazy=True, atomic=True), help="Draw a picture.")
@json_option
def by_(
    by: By,
    since: str | None,
    until: str | None,
    zone: Any,
    cost_per_minute: str | None,
    csv_file: TextIO | None,
    png_file: BinaryIO | None,
    as_json: bool,
    **parties: str | None,
) -> None:
    """Report by WHAT: campaign, publisher, source, destination, advertiser, state, hour, day or disposition.

    TIME is a date (its midnight) or a full hour, in --tz. The default is the last 30 days, and today
    for `hour`. Without --json, --csv or --png it is text, with bars on a terminal.

    \b
    incoming      calls that came in; live are under way now, and not counted elsewhere
    answered      the caller heard us          offered   agents were rung
    connected     an agent talked to the caller
    qualified     the terms were met: charged and paid
    conversion    qualified of incoming        margin    profit of revenue
    wait, talk    averages of the offered, of the connected
    repeat        the terms' repeat window caught the caller
    profit        revenue - payout - cost

    By destination, offers are counted: an agent who is rung twice for a call counts twice. `late` is
    how long after the winner the lost ones accepted, on average.

    The name of a column of calls or offers is what `callrace calls list --counted-as` takes.

    \b
    Examples:
      callrace reports by campaign --since 2026-11-01 --until 2026-12-01 --tz America/New_York
      callrace reports by hour --publisher homefix
      callrace reports by destination --campaign emergency-plumbing --json
      callrace reports by day --cost-per-minute 0.012 --csv days.csv
      callrace reports by publisher --png publishers.png
    """
    if sum(map(bool, (as_json, csv_file, png_file))) > 1:
        raise click.UsageError("give one of --json, --csv and --png")
    only = {name: value for name, value in parties.items() if value is not None}
    if by == "destination" and not OFFER_FILTERS.issuperset(only):
        raise click.UsageError(
            "offers are counted by campaign and advertiser alone: leave the other options out"
        )
    when = period(since, until, zone, days=0 if by == "hour" else DEFAULT_DAYS)
    report = _report(database(), by, when, only, cost_per_minute)
    if as_json:
        show_json(_json(report))
    elif csv_file:
        _write_csv(csv_file, report)
    elif png_file:
        _draw(png_file, report)
    else:
        _show(report)


@reports.command()
def rebuild() -> None:
    """Count all calls anew: those that were saved before this version, or after a repair by hand.

    A running switch's calls wait to be saved while a day is counted, and none is lost or counted twice.
    """
    click.echo(f"counted calls: {rebuild_rollups(database())}")


# Making a report


def _report(engine: Engine, by: By, when: Period, only: dict[str, str], cost: str | None) -> Report:
    if by == "destination":
        groups = rollups.offers_by_destination(engine, when.since, when.until, only)
    else:
        column = {"hour": "hour_at", "day": "hour_at", "disposition": "campaign"}.get(by, by)
        groups = rollups.calls_by(engine, column, when.since, when.until, only)
    lines = reporting.lines(groups, lambda key: _label(by, when, key), _cost_a_minute(cost, groups))
    total = reporting.total(lines)
    if by == "disposition":
        return Report(by, when, only, reporting.by_disposition(total, get_args(Disposition)), total)
    live = _live_keys(by, when, only)
    if live is not None:
        lines = reporting.with_live(lines, live)
        total = reporting.total(lines)
    if by in ("hour", "day"):
        hours = range(when.since, when.until, HOUR_MS)
        lines = reporting.in_time(lines, (_time_label(by, when, hour_at) for hour_at in hours))
    return Report(by, when, only, lines, total)


def _label(by: By, when: Period, key: str | int) -> str | None:
    return _time_label(by, when, key) if isinstance(key, int) else key or None


def _time_label(by: By, when: Period, at: int) -> str:
    return (reporting.local_hour if by == "hour" else reporting.local_day)(at - at % HOUR_MS, when.zone)


def _cost_a_minute(text: str | None, groups: Sequence[Group]) -> Fraction:
    """The minor units that --cost-per-minute is."""
    if text is None:
        return Fraction(0)
    if not re.fullmatch(r"\d{1,6}(\.\d{1,8})?", text, re.ASCII):
        raise click.BadParameter(f"{text!r} is not an amount such as 0.012", param_hint="--cost-per-minute")
    currencies = {group.currency for group in groups if group.currency}
    if len(currencies) > 1:
        raise Refused(
            f"a cost is of one currency, and the calls have {', '.join(sorted(currencies))}; give --campaign"
        )
    return Fraction(text) * Fraction(10) ** exponent(next(iter(currencies), "USD"))


def _live_keys(by: By, when: Period, only: dict[str, str]) -> list[str | None] | None:
    """The line of each call under way in the period; None when no switch runs."""
    try:
        under_way = running.ask(Settings.from_env(), "/live")
    except SwitchNotRunning:
        return None
    keys = []
    for call in under_way:
        began = from_iso(call["started_at"])
        if not when.since <= began < when.until or any(
            (call.get(name) or "") != value for name, value in only.items()
        ):
            continue
        if by == "destination":
            keys += [call["winner"]] if call["winner"] else []
        else:
            keys.append(_time_label(by, when, began) if by in ("hour", "day") else call.get(by))
    return keys


# What a reader gets


def calls_command(report: Report, line: Line | None) -> str:
    """The command that lists the calls that a line counts; None is the whole report."""
    since, until, chosen = report.period.since, report.period.until, dict(report.only)
    if line is not None:
        if report.by in ("hour", "day"):
            begin, end = _bounds(report, line)
            since, until = max(since, begin), min(until, end)
        else:
            chosen[report.by] = line.key or ""
    words = ["callrace", "calls", "list", "--since", iso(since), "--until", iso(until)]
    for name, value in sorted(chosen.items()):
        words += [f"--{name}", value]
    return shlex.join([*words, "--limit", str(LISTED)])


def _bounds(report: Report, line: Line) -> tuple[int, int]:
    assert line.key is not None
    if report.by == "hour":
        return reporting.hour_bounds(line.key)
    return reporting.day_bounds(line.key, report.period.zone)


def _tables(report: Report) -> list[Table]:
    if report.by == "disposition":
        return disposition_tables(report.total.counts["incoming"])
    return offer_tables() if report.counts_offers else call_tables(sorted(report.total.takings))


def _values(report: Report, line: Line) -> dict[str, Any]:
    """What a program reads of a line."""
    found: dict[str, Any] = {}
    for table in _tables(report):
        values = {column.name: column.value(line) for column in table.columns}
        if table.currency is None:
            found |= values
        else:
            found.setdefault("money", []).append({"currency": table.currency, **values})
    return found


def _json(report: Report) -> dict[str, Any]:
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


def _write_csv(file: TextIO, report: Report) -> None:
    columns = [
        (f"{column.name}_{table.currency}" if table.currency else column.name, column)
        for table in _tables(report)
        for column in table.columns
    ]
    rows = [
        [line.key, *(column.value(line) for _, column in columns), calls_command(report, line)]
        for line in report.lines
    ]
    write_csv(file, [report.by, *(name for name, _ in columns), "calls"], rows)


def _draw(file: BinaryIO, report: Report) -> None:
    from ari_app.cli import reportplot  # matplotlib takes half a second to load

    title = f"{'Offers' if report.counts_offers else 'Calls'} by {report.by}\n{report.period}"
    reportplot.draw_report(file, title, report.by, report.lines)


def _show(report: Report) -> None:
    what = "offers" if report.counts_offers else "calls"
    for name, value in report.only.items():
        what += f" of {name} {value or 'not known'}"
    if not report.lines:
        click.echo(f"no {what} from {report.period}")
        return
    click.echo(f"{what[0].upper()}{what[1:]} by {report.by}, {report.period}")
    for table in _tables(report):
        _show_part(report, table)
    click.echo("\nThe calls of the first line (add --counted-as COLUMN for one of its numbers):")
    click.echo(f"  {calls_command(report, report.lines[0])}")


def _show_part(report: Report, table: Table) -> None:
    columns = [
        column
        for column in table.columns
        if any(value or (value is not None and not table.sparse) for value in map(column.value, report.lines))
    ]
    if not columns:
        return
    bars = [bar(report.largest(line), max(map(report.largest, report.lines))) for line in report.lines]
    has_bars = table is _tables(report)[0] and Console().is_terminal
    rows = []
    for line, drawn in (*zip(report.lines, bars, strict=True), (report.total, "")):
        name = "total" if line is report.total else line.key or "(not known)"
        values = [column.value(line) for column in columns]
        cells = [None if v is None else column.shown(v) for column, v in zip(columns, values, strict=True)]
        rows.append([name, *([drawn] if has_bars else []), *cells])
    click.echo()
    show_title(table.title)
    show_table([report.by, *([""] if has_bars else []), *(column.header for column in columns)], rows)
