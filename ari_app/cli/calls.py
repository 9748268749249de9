"""`callrace calls`: what happened to calls, and why."""

from __future__ import annotations

from typing import get_args

import click
from sqlalchemy import Engine

from ari_app.cli.common import Refused, database, phone_number
from ari_app.cli.explain import explain
from ari_app.cli.output import json_option, show_json, show_sections, show_table
from ari_app.cli.show import show
from ari_app.domain.clock import iso
from ari_app.domain.money import format_amount
from ari_app.domain.record import CallRecord, Disposition, to_json
from ari_app.ops import running
from ari_app.settings import Settings
from ari_app.store import calls as stored
from ari_app.store import ledger
from ari_app.store.engine import open_engine


@click.group()
def calls() -> None:
    """Look at calls: a list, a record, an explanation, those under way."""


@calls.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many.")
@click.option("--campaign", metavar="ID", help="Only this campaign's.")
@click.option("--publisher", metavar="ID", help="Only this publisher's.")
@click.option("--ani", metavar="NUMBER", callback=phone_number, help="Only from this caller.")
@click.option("--did", metavar="NUMBER", callback=phone_number, help="Only to this tracking number.")
@click.option("--disposition", type=click.Choice(get_args(Disposition)), help="Only those that ended so.")
@json_option
def list_(
    limit: int,
    campaign: str | None,
    publisher: str | None,
    ani: str | None,
    did: str | None,
    disposition: Disposition | None,
    as_json: bool,
) -> None:
    """List the calls that began last, newest first.

    \b
    Examples:
      callrace calls list --disposition connected
      callrace calls list --publisher homefix --limit 100 --json
    """
    records = stored.latest(
        database(),
        limit,
        campaign=campaign,
        publisher=publisher,
        did=did,
        ani=ani,
        disposition=disposition,
    )
    if as_json:
        show_json([to_json(record) for record in records])
    elif not records:
        click.echo("no calls")
    else:
        show_table(_COLUMNS, [_row(record) for record in records])


_COLUMNS = (
    "id",
    "started (UTC)",
    "from",
    "to",
    "campaign",
    "disposition",
    "winner",
    "talked s",
    "charged",
    "paid",
)


def _row(record: CallRecord) -> tuple[object, ...]:
    money = record.money
    return (
        record.id,
        iso(record.started_at)[:19].replace("T", " "),
        record.ani or "anonymous",
        record.did,
        record.campaign,
        record.disposition,
        record.winner,
        f"{record.durations_ms.connected / 1000:.1f}" if record.connected_at else None,
        format_amount(money.charged, money.currency) if money else None,
        format_amount(money.paid, money.currency) if money else None,
    )


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
    _, record = _find(call_id)
    if as_json:
        show_json(to_json(record))
    else:
        show(record)


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
    engine, record = _find(call_id)
    sections = explain(record, ledger.of_call(engine, record.id))
    if as_json:
        show_json([{"title": section.title, "lines": section.lines} for section in sections])
    else:
        show_sections(sections)


@calls.command("live")
@json_option
def live(as_json: bool) -> None:
    """List the calls under way in the running switch."""
    under_way = running.ask(Settings.from_env(), "/live")
    if as_json:
        show_json(under_way)
    elif not under_way:
        click.echo("no calls")
    else:
        columns = ("id", "started_at", "ani", "did", "campaign", "stage", "winner")
        show_table(columns, [[call[name] for name in columns] for call in under_way])


def _find(call_id: str) -> tuple[Engine, CallRecord]:
    """The call, and the database it is in: the one of the settings, or that of the last `callrace demo`."""
    demo = Settings.from_env().home / "demo" / "callrace.db"
    if demo.exists():
        engine = open_engine(f"sqlite:///{demo}")
        record = stored.get(engine, call_id)
        if record is not None:
            click.echo(f"a call of the demo, from {demo}", err=True)
            return engine, record
    engine = database()
    record = stored.get(engine, call_id)
    if record is None:
        raise Refused(f"there is no call {call_id}; see `callrace calls list`")
    return engine, record
