"""`callrace calls`: what happened to calls, and why."""

from __future__ import annotations

from typing import Any, get_args

import click

from ari_app.cli.common import now_ms, phone_number, site
from ari_app.cli.output import json_option, show_json, show_listings, show_sections, show_table, show_title
from ari_app.cli.period import utc_moment
from ari_app.desk import calls as desk
from ari_app.desk.calls import Found
from ari_app.desk.site import Site
from ari_app.domain.basics.durations import parse_duration
from ari_app.domain.calls.record import Disposition
from ari_app.domain.calls.selection import Selection
from ari_app.settings import Settings
from ari_app.store.db import schema
from ari_app.store.db.engine import open_engine
from ari_app.views.calls import COLUMNS, call_json, row
from ari_app.views.callsheet import CallSheet, sheet
from ari_app.views.sections import section_json


def _duration(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """An option's duration in ms; anything else is wrong usage."""
    try:
        return None if value is None else parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}, got {value!r}") from error


@click.group()
def calls() -> None:
    """Look at calls: a list, a record, an explanation, those under way."""


@calls.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many.")
@click.option("--since", metavar="TIME", callback=utc_moment, help="Only those that began then or later.")
@click.option("--until", metavar="TIME", callback=utc_moment, help="Only those that began before.")
@click.option("--campaign", metavar="ID", help="Only this campaign's.")
@click.option("--advertiser", metavar="ID", help="Only this advertiser's.")
@click.option("--publisher", metavar="ID", help="Only this publisher's.")
@click.option("--source", metavar="NAME", help="Only from this placement.")
@click.option("--state", metavar="CODE", help="Only from callers in this state.")
@click.option("--ani", metavar="NUMBER", callback=phone_number, help="Only from this caller.")
@click.option("--did", metavar="NUMBER", callback=phone_number, help="Only to this tracking number.")
@click.option("--disposition", type=click.Choice(get_args(Disposition)), help="Only those that ended so.")
@click.option("--qualified/--not-qualified", default=None, help="Only those that met the terms, or did not.")
@click.option("--winner", metavar="ID", help="Only those that this agent took.")
@click.option("--destination", metavar="ID", help="Only those that were offered to this one.")
@click.option(
    "--counted-as",
    metavar="COLUMN",
    help="Only those that `callrace reports` counts in this column; with --destination, its offers'.",
)
@click.option("--corrected", is_flag=True, help="Only those whose money was corrected after their verdict.")
@click.option("--talked-from", metavar="DURATION", callback=_duration, help="Only those connected so long.")
@click.option("--talked-until", metavar="DURATION", callback=_duration, help="Only those connected for less.")
@json_option
def list_(
    limit: int,
    talked_from: int | None,
    talked_until: int | None,
    as_json: bool,
    **wanted: Any,
) -> None:
    """List the newest calls that match all options, newest first.

    TIME is ISO 8601, in UTC unless it has an offset; a date alone is its midnight. The value '' for a campaign,
    advertiser, publisher, source, state or winner selects calls that have none. With a column of money, such as
    `--counted-as corrected_revenue`, --since and --until are for the time at which the money moved.

    charged and paid are net amounts. `corrected` is the part of them that came after the verdict: by disputes,
    adjustments, and repeats judged again. In JSON they are `money.net_charged` and `net_paid`, beside the verdict's.

    \b
    Examples:
      callrace calls list --disposition connected
      callrace calls list --publisher homefix --limit 100 --json
      callrace calls list --since 2026-11-01 --until 2026-12-01 --winner agent-1 --not-qualified
      callrace calls list --destination agent-1 --counted-as declined
      callrace calls list --corrected
    """
    selection = Selection(talked_from_ms=talked_from, talked_until_ms=talked_until, **wanted)
    found = desk.latest(site(), limit, selection)
    if as_json:
        show_json([call_json(one.record, one.transfers) for one in found])
    elif not found:
        click.echo("no calls")
    else:
        show_table(COLUMNS, [row(one.record, one.transfers) for one in found])


@calls.command("show")
@click.argument("call_id", metavar="ID")
@json_option
def show_(call_id: str, as_json: bool) -> None:
    """Show one call's record: timeline, legs, verdict, money.

    ID is a call's id or the beginning of it. Offsets are seconds since the call began.

    \b
    Examples:
      callrace calls show 019abc
      callrace calls show 019abc --json
    """
    found = _find(call_id)
    if as_json:
        show_json(call_json(found.record, found.transfers, found.disputes))
    else:
        _show(sheet(found.record, found.transfers))


@calls.command("explain")
@click.argument("call_id", metavar="ID")
@json_option
def explain_(call_id: str, as_json: bool) -> None:
    """Explain one call in plain English: why it went where it went, and why it was or was not paid.

    ID is a call's id or the beginning of it.

    \b
    Example:
      callrace calls explain 019abc
    """
    from ari_app.views.explain import explain  # imported here, as a list need not load it

    found = _find(call_id)
    sections = explain(found.record, found.transfers, found.disputes)
    if as_json:
        show_json(list(map(section_json, sections)))
    else:
        show_sections(sections)


@calls.command("live")
@json_option
def live(as_json: bool) -> None:
    """List the calls under way in the running switch."""
    under_way = desk.under_way(Settings.from_env())
    if as_json:
        show_json(under_way)
    elif not under_way:
        click.echo("no calls")
    else:
        columns = ("id", "started_at", "ani", "did", "campaign", "stage", "winner")
        show_table(columns, [[call[name] for name in columns] for call in under_way])


def _show(call: CallSheet) -> None:
    show_title(call.title)
    for name, value in call.facts.items():
        click.echo(f"  {name:<12} {value}")
    show_listings(call.listings)


def _find(call_id: str) -> Found:
    """The call with its money, from the database of the last `callrace demo`, or else that of the settings."""
    settings = Settings.from_env()
    demo = settings.home / "demo" / "callrace.db"
    if demo.exists():
        engine = open_engine(f"sqlite:///{demo}")
        is_current = schema.current(engine) == schema.head()  # a demo of another version may lack tables
        if is_current and (found := desk.find(Site(settings, engine, now_ms), call_id)) is not None:
            click.echo(f"a call of the demo, from {demo}", err=True)
            return found
    return desk.whole(site(), call_id)
