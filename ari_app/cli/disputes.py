"""`callrace disputes`: an advertiser questions a charge, and it is given back or not."""

from __future__ import annotations

from typing import get_args

import click

from ari_app.cli.common import acting, reason_given, site
from ari_app.cli.output import json_option, show_json, show_table, show_title
from ari_app.desk import disputes as desk
from ari_app.domain.basics.money import format_amount
from ari_app.domain.ledger.disputes import Dispute, DisputeState
from ari_app.views.disputes import COLUMNS, EVENT_COLUMNS, dispute_json, event_row, row

SERIAL = click.IntRange(1, 2**31 - 1)


@click.group()
def disputes() -> None:
    """Open disputes about charges, and decide them.

    A call in open dispute is not paid out. An accepted dispute credits the advertiser, and takes the same
    proportion from the publisher: the publisher's share of all that was credited for the call, rounded down.
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
    dispute = desk.open_(site(), acting(), call_id=call_id, reason=reason, amount=amount)
    _show(dispute, as_json, f"is open: {_money(dispute, dispute.claimed)} of call {dispute.call_id}")


@disputes.command("list")
@click.option("--state", type=click.Choice(get_args(DisputeState)), help="Only those in this state.")
@click.option("--advertiser", metavar="ID", help="Only this advertiser's.")
@json_option
def list_(state: DisputeState | None, advertiser: str | None, as_json: bool) -> None:
    """List the disputes in the order they were opened.

    \b
    Example:
      callrace disputes list --state open
    """
    found = desk.list_(site(), state=state, advertiser=advertiser)
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
    dispute = desk.get(site(), dispute_id)
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
    """Accept a dispute in whole or in part: the money moves at once, and only once.

    \b
    Examples:
      callrace disputes accept 7
      callrace disputes accept 7 --amount 10.00 --payout 0.00 --reason "goodwill"
    """
    dispute = desk.accept(
        site(),
        acting(),
        dispute_id=dispute_id,
        amount=amount,
        payout=payout,
        reason=reason or "",
    )
    credited, taken = _money(dispute, dispute.credited), _money(dispute, dispute.events[-1].clawback or 0)
    moved = f"{credited} back to {dispute.advertiser}, {taken} from {dispute.publisher}"
    _show(dispute, as_json, f"is accepted: {moved}")


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
    dispute = desk.reject(site(), acting(), dispute_id=dispute_id, reason=reason)
    _show(dispute, as_json, "is rejected")


def _show(dispute: Dispute, as_json: bool, what: str) -> None:
    """Prints the dispute after a step."""
    if as_json:
        show_json(dispute_json(dispute))
    else:
        click.echo(f"dispute {dispute.id} {what}")


def _money(dispute: Dispute, minor: int) -> str:
    return f"{format_amount(minor, dispute.currency)} {dispute.currency}"
