"""A report on the terminal: tables with bars, and the command that lists the calls of a line."""

from __future__ import annotations

from collections.abc import Mapping

import click
from rich.console import Console

from ari_app.cli import period
from ari_app.cli.output import show_listings
from ari_app.domain.reports.report import Report
from ari_app.domain.reports.span import Span
from ari_app.views.reports.report import about, listings


def calls_command(when: Span, chosen: Mapping[str, str]) -> str:
    """The command that lists the calls of a period with these parties."""
    return period.calls_command(
        when, *(word for name, value in sorted(chosen.items()) for word in (f"--{name}", value))
    )


def show(report: Report) -> None:
    """Prints the report for people: a table for each kind of column, with bars on a terminal."""
    if not report.lines:
        click.echo(f"{about(report)}, {report.period}: none")
        return
    click.echo(f"{about(report)}, {report.period}")
    show_listings(listings(report, has_bars=Console().is_terminal))
    click.echo(
        "\nThe calls of the first line (add --counted-as COLUMN for one of its numbers, of money too):"
    )
    click.echo(f"  {calls_command(*report.calls_of(report.lines[0]))}")
