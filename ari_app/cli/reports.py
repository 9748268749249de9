"""`callrace reports`: counts, rates and money, and the calls behind each number."""

from __future__ import annotations

import sys
from typing import BinaryIO, TextIO, get_args
from zoneinfo import ZoneInfo

import click

from ari_app.cli.common import acting, site
from ari_app.cli.forensics import forensics
from ari_app.cli.output import json_option, show_json, tell
from ari_app.cli.period import given, period_options, warn_of_uncounted
from ari_app.cli.reportview import calls_command, show
from ari_app.desk import reports as desk
from ari_app.domain.reports.report import By
from ari_app.views.reports.report import about, report_json, write_report


@click.group()
def reports() -> None:
    """Count calls, rates and money, and follow each number to its calls.

    Calls are counted when they are saved, in the hour in which they began. Money is counted in the hour in which it
    moved, net of corrections. So it equals what the ledger moved for calls in the same period.
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
    zone: ZoneInfo,
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
    revenue, payout   what was charged and paid in the period, net, whenever the call began
    corrected_*   of it, by disputes, adjustments and repeats judged again; negative: taken back
    later_*       of it, decided after the call, by a conversion
    profit        revenue - payout - cost

    By destination, offers are counted: an agent who is rung twice for a call counts twice. `late` is
    how long after the winner the lost ones accepted, on average.

    Campaigns, publishers, destinations and advertisers have their caps beside them, as `callrace caps list`
    shows them now, whatever the period of the report is.

    The name of a column of counts or of such money is what `callrace calls list --counted-as` takes. Each
    line's calls are listed by the command under `calls` in JSON and CSV; that gives the latest 10000.

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
    report = desk.by(
        site(),
        by,
        zone,
        since=given(since, zone),
        until=given(until, zone),
        only=only,
        cost_a_minute=cost_per_minute,
    )
    warn_of_uncounted(report.uncounted_since)
    if as_json:
        show_json(report_json(report, calls_command))
    elif csv_file:
        write_report(csv_file, report, calls_command)
    elif png_file:
        from ari_app.views.reports.plot import draw_report  # matplotlib takes half a second to load

        draw_report(png_file, f"{about(report)}\n{report.period}", by, report.lines)
    else:
        show(report)


@reports.command()
@json_option
def rebuild(as_json: bool) -> None:
    """Recount all calls: needed for calls saved by an older version, or after a repair by hand.

    A running switch goes on saving calls; none is lost or counted twice.
    If this was stopped half-way, run it again.
    """
    asked = site()
    with click.progressbar(desk.days_to_count(asked), label="counting calls", file=sys.stderr) as days:
        counted = sum(desk.count_day(asked, acting(), day_at) for day_at in days)
    tell({"calls": counted}, f"counted calls: {counted}", as_json)
