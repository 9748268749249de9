"""`callrace reports`: counts, rates and money, and the calls behind each number."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, BinaryIO, TextIO, get_args
from zoneinfo import ZoneInfo

import click
from sqlalchemy import Engine

from ari_app.cli.caps import standing
from ari_app.cli.common import Refused, database
from ari_app.cli.forensics import forensics
from ari_app.cli.output import json_option, show_json, tell
from ari_app.cli.period import period, period_options, warn_of_uncounted
from ari_app.cli.reportview import calls_command, show
from ari_app.domain.basics.clock import from_iso
from ari_app.domain.basics.money import exponent
from ari_app.domain.calls.record import Disposition
from ari_app.domain.caps import counters
from ari_app.domain.caps.standing import Standing
from ari_app.domain.reports import reporting
from ari_app.domain.reports.report import HAVE_CAPS, By, Report, Span
from ari_app.domain.reports.reporting import Group
from ari_app.domain.reports.rollups import HOUR_MS
from ari_app.serving import running
from ari_app.serving.running import SwitchNotRunning
from ari_app.settings import Settings
from ari_app.store.calls import rebuild as rebuilding
from ari_app.store.market import marketplaces
from ari_app.store.reports import rollups
from ari_app.views.reports.report import about, report_json, write_report

OFFER_FILTERS = frozenset({"campaign", "advertiser"})
DEFAULT_DAYS = 30


@click.group()
def reports() -> None:
    """Count calls, rates and money, and follow each number to its calls.

    Calls are counted as they are saved, by the hour they began in. Money is counted by the hour it moved in,
    net of corrections, so it is what `callrace ledger` moved for calls in the same period.
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
    if by == "destination" and not OFFER_FILTERS.issuperset(only):
        raise click.UsageError(
            "offers are counted by campaign and advertiser alone: leave the other options out"
        )
    when = period(since, until, zone, days=0 if by == "hour" else DEFAULT_DAYS)
    engine = database()
    warn_of_uncounted(engine, when)
    report = _report(engine, by, when, only, cost_per_minute)
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
    """Count all calls anew: those that were saved before this version, or after a repair by hand.

    A running switch's calls are saved meanwhile, and none is lost or counted twice.
    Stopped half-way, it may be begun again.
    """
    engine = database()
    with click.progressbar(rebuilding.days(engine), label="counting calls", file=sys.stderr) as days:
        counted = sum(rebuilding.rebuild_day(engine, day_at) for day_at in days)
    tell({"calls": counted}, f"counted calls: {counted}", as_json)


# Making a report


def _report(engine: Engine, by: By, when: Span, only: dict[str, str], cost: str | None) -> Report:
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
    return Report(by, when, only, lines, total, _caps(engine, by))


def _caps(engine: Engine, by: By) -> dict[str, list[Standing]]:
    """The caps in force of each that the report is by, with their use now, by id."""
    loaded = marketplaces.load(engine) if by in HAVE_CAPS else None
    if loaded is None:
        return {}
    owners = [whose for whose in counters.owners(loaded.marketplace) if whose.kind == by]
    found: defaultdict[str, list[Standing]] = defaultdict(list)
    for cap in standing(engine, owners):
        found[cap.owner.id].append(cap)
    return found


def _label(by: By, when: Span, key: str | int) -> str | None:
    return _time_label(by, when, key) if isinstance(key, int) else key or None


def _time_label(by: By, when: Span, at: int) -> str:
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


def _live_keys(by: By, when: Span, only: dict[str, str]) -> list[str | None] | None:
    """The line of each call under way in the period; None when no switch runs."""
    try:
        under_way = running.ask(Settings.from_env(), "/live")
    except SwitchNotRunning:
        return None
    found = [call for call in under_way if _is_of(call, when, only)]
    if by == "destination":
        return [call["winner"] for call in found if call["winner"]]
    if by in ("hour", "day"):
        return [_time_label(by, when, from_iso(call["started_at"])) for call in found]
    return [call.get(by) for call in found]


def _is_of(call: dict[str, Any], when: Span, only: dict[str, str]) -> bool:
    began = from_iso(call["started_at"])
    return when.since <= began < when.until and all((call.get(k) or "") == only[k] for k in only)
