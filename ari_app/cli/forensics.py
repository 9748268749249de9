"""`callrace reports forensics`: connections that end near the second from which they are paid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO, TextIO
from zoneinfo import ZoneInfo

import click
from rich.console import Console

from ari_app.cli.common import site
from ari_app.cli.output import json_option, show_json, show_table, show_title
from ari_app.cli.period import calls_command, given, period_options, warn_of_uncounted
from ari_app.desk import reports
from ari_app.domain.reports.forensics import JUST_S, Findings
from ari_app.domain.reports.span import Span
from ari_app.views.reports.forensics import (
    about,
    calls_of,
    findings_json,
    nearness_text,
    parties_table,
    payable_text,
    seconds_table,
    write_seconds,
)


def _command(when: Span, chosen: Mapping[str, str]) -> str:
    """The command that lists the calls of a period with these values."""
    return calls_command(when, *(word for name, value in chosen.items() for word in (f"--{name}", value)))


@click.command()
@period_options
@click.option("--campaign", metavar="ID", help="Only this campaign's calls.")
@click.option("--destination", metavar="ID", help="Only those that this agent took.")
@click.option("--publisher", metavar="ID", help="Only this publisher's.")
@click.option("--csv", "csv_file", type=click.File("w", lazy=True, atomic=True), help="Write a CSV file.")
@click.option("--png", "png_file", type=click.File("wb", lazy=True, atomic=True), help="Draw a picture.")
@json_option
def forensics(
    since: str | None,
    until: str | None,
    zone: ZoneInfo,
    csv_file: TextIO | None,
    png_file: BinaryIO | None,
    as_json: bool,
    **parties: str | None,
) -> None:
    """Show how many connections end around the second that the terms pay for.

    If nobody watches the clock, as many connections end just before that second as just after (skew 1). Many just
    before: somebody hangs up in time to avoid paying. Many just after: somebody keeps callers on the line until the
    call is paid. Connections further away than 15 s are in the first and the last row. The default is the last 30 days.

    \b
    Examples:
      callrace reports forensics --campaign emergency-plumbing
      callrace reports forensics --destination agent-1 --since 2026-11-01 --png agent-1.png
    """
    if sum(map(bool, (as_json, csv_file, png_file))) > 1:
        raise click.UsageError("give one of --json, --csv and --png")
    only = {name: value for name, value in parties.items() if value is not None}
    found = reports.forensics(site(), zone, since=given(since, zone), until=given(until, zone), only=only)
    warn_of_uncounted(found.uncounted_since)
    if as_json:
        show_json(findings_json(found, _command))
    elif csv_file:
        write_seconds(csv_file, found, _command)
    elif png_file:
        from ari_app.views.reports import plot  # matplotlib takes half a second to load

        title = f"Connections that end around the payable second\n{about(found)}"
        plot.draw_endings(png_file, title, found.seconds, found.payable_ms)
    else:
        _show(found)


# For people


def _show(found: Findings) -> None:
    if not found.destinations:
        click.echo(f"no connections under terms with connected_at_least: {about(found)}")
        return
    show_title(f"Connections that end around the payable second: {about(found)}")
    click.echo(f"{payable_text(found)}\n")
    show_table(*seconds_table(found.seconds, has_bars=Console().is_terminal))
    click.echo(f"\n{nearness_text(found.total)}")
    for name, endings in (("destination", found.destinations), ("publisher", found.publishers)):
        click.echo()
        show_table(*parties_table(name, endings))
    _show_commands(found)


def _show_commands(found: Findings) -> None:
    before, after = calls_of(found, -JUST_S, -1), calls_of(found, 0, JUST_S - 1)
    if before is None or after is None:
        click.echo(
            "\nFor the commands that list the calls, choose one --campaign, and one duration's period."
        )
        return
    commands = _command(found.period, before), _command(found.period, after)
    click.echo("\nThe calls just before, and just after:\n  {}\n  {}".format(*commands))
