"""`callrace disputes`: an advertiser questions a charge, and it is given back or not."""

from __future__ import annotations

from typing import get_args

import click
from sqlalchemy import Engine

from ari_app.cli.amounts import amount as minor_units
from ari_app.cli.common import Refused, database, marketplace_in_force, now_ms, reason_given, who
from ari_app.cli.output import json_option, show_json, show_table, show_title
from ari_app.cli.parties import advertiser_of
from ari_app.domain.basics.money import format_amount
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.ledger.disputes import Dispute, State
from ari_app.store.calls import calls as stored_calls
from ari_app.store.money import disputes as stored
from ari_app.views.disputes import COLUMNS, EVENT_COLUMNS, dispute_json, event_row, row

SERIAL = click.IntRange(1, 2**31 - 1)


@click.group()
def disputes() -> None:
    """Open disputes about charges, and decide them.

    A call in open dispute is not paid out. Accepting one credits the advertiser, and takes from the
    publisher in proportion: the paid share of all that was credited for the call, rounded down.
    """


@disputes.command("open")
@click.argument("call_id", metavar="CALL")
@click.option(
    "--reason",
    required=True,
    callback=reason_given,
    help="What is wrong with the call; kept with the dispute.",
)
@click.option("--amount", help="What is wanted back. [default: all that is left of the charge]")
@json_option
def open_(call_id: str, reason: str, amount: str | None, as_json: bool) -> None:
    """Dispute the charge of a CALL, within the advertiser's dispute window (7 days by default).

    \b
    Examples:
      callrace disputes open 0199c0ffee --reason "the caller was a robot"
      callrace disputes open 0199c0ffee --reason "too short" --amount 10.00
    """
    engine = database()
    record, currency = charged_call(engine, call_id)
    claimed = _positive(amount, currency, "--amount")
    window_ms = _window_ms(engine, record)
    dispute = stored.open_(engine, record.id, claimed, window_ms, now_ms(), who(), reason)
    _tell(dispute, as_json, f"is open: {_money(dispute, dispute.claimed)} of call {record.id}")


@disputes.command("list")
@click.option("--state", type=click.Choice(get_args(State)), help="Only those in this state.")
@click.option("--advertiser", metavar="ID", help="Only this advertiser's.")
@json_option
def list_(state: State | None, advertiser: str | None, as_json: bool) -> None:
    """List the disputes in the order they were opened.

    \b
    Example:
      callrace disputes list --state open
    """
    found = stored.list_(database(), state=state, advertiser=advertiser)
    if as_json:
        show_json([dispute_json(dispute) for dispute in found])
    elif not found:
        click.echo("no disputes")
    else:
        show_table(COLUMNS, [row(dispute) for dispute in found])


@disputes.command()
@click.argument("dispute_id", metavar="ID", type=SERIAL)
@json_option
def show(dispute_id: int, as_json: bool) -> None:
    """Show one dispute and what happened to it.

    \b
    Example:
      callrace disputes show 7
    """
    dispute = stored.get(database(), dispute_id)
    if as_json:
        show_json(dispute_json(dispute))
        return
    show_title(f"Dispute {dispute.id}: {dispute.state}")
    click.echo(f"  call        {dispute.call_id}")
    click.echo(f"  advertiser  {dispute.advertiser}")
    click.echo(f"  publisher   {dispute.publisher}\n")
    show_table(EVENT_COLUMNS, [event_row(event, dispute.currency) for event in dispute.events])


@disputes.command()
@click.argument("dispute_id", metavar="ID", type=SERIAL)
@click.option("--amount", help="What the advertiser is given back. [default: all that is claimed]")
@click.option("--payout", help="What the publisher loses. [default: in proportion]")
@click.option("--reason", callback=reason_given, help="Why; kept with the dispute and the transfers.")
@json_option
def accept(
    dispute_id: int, amount: str | None, payout: str | None, reason: str | None, as_json: bool
) -> None:
    """Accept a dispute in whole or in part: the money moves at once, and once.

    \b
    Examples:
      callrace disputes accept 7
      callrace disputes accept 7 --amount 10.00 --payout 0.00 --reason "goodwill"
    """
    engine = database()
    currency = stored.get(engine, dispute_id).currency
    credit = _positive(amount, currency, "--amount")
    clawback = None if payout is None else minor_units(payout, currency, "--payout")
    dispute = stored.accept(engine, dispute_id, credit, clawback, now_ms(), who(), reason or "")
    credited, taken = _money(dispute, dispute.credited), _money(dispute, dispute.events[-1].clawback or 0)
    moved = f"{credited} back to {dispute.advertiser}, {taken} from {dispute.publisher}"
    _tell(dispute, as_json, f"is accepted: {moved}")


@disputes.command()
@click.argument("dispute_id", metavar="ID", type=SERIAL)
@click.option("--reason", required=True, callback=reason_given, help="Why; kept with the dispute.")
@json_option
def reject(dispute_id: int, reason: str, as_json: bool) -> None:
    """Reject a dispute: the money stays where it is.

    \b
    Example:
      callrace disputes reject 7 --reason "the recording has a customer on it"
    """
    dispute = stored.reject(database(), dispute_id, now_ms(), who(), reason)
    _tell(dispute, as_json, "is rejected")


def _tell(dispute: Dispute, as_json: bool, what: str) -> None:
    """The dispute after what was done to it."""
    if as_json:
        show_json(dispute_json(dispute))
    else:
        click.echo(f"dispute {dispute.id} {what}")


def charged_call(engine: Engine, call_id: str) -> tuple[CallRecord, str]:
    """The call of this id, or the beginning of one, and its currency. Raises Refused where it has none."""
    record = stored_calls.get(engine, call_id)
    if record is None:
        raise Refused(f"there is no call {call_id}; see `callrace calls list`")
    if record.money is None:
        raise Refused(f"call {record.id} belongs to no campaign, so no money moved by it")
    return record, record.money.currency


def _window_ms(engine: Engine, record: CallRecord) -> int:
    """The advertiser's dispute window, also of one that left the marketplace."""
    assert record.advertiser is not None, "a call that has money has an advertiser"
    marketplace = marketplace_in_force(engine).marketplace
    return advertiser_of(engine, marketplace, record.advertiser).dispute_window


def _positive(text: str | None, currency: str, option: str) -> int | None:
    """The amount, which must be more than zero; None stays None."""
    if text is None:
        return None
    minor = minor_units(text, currency, option)
    if minor == 0:
        raise click.BadParameter("expected more than zero", param_hint=option)
    return minor


def _money(dispute: Dispute, minor: int) -> str:
    return f"{format_amount(minor, dispute.currency)} {dispute.currency}"
