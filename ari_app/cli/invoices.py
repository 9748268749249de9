"""`callrace invoices`: an advertiser's charges, credits and payments of a month."""

from __future__ import annotations

import click

from ari_app.cli.amounts import currency_option
from ari_app.cli.bills import Delivery, bill_options, deliver, dry_run_option
from ari_app.cli.bills import issue as issue_bill
from ari_app.cli.common import site
from ari_app.cli.disputes import SERIAL
from ari_app.cli.output import json_option, show_json, show_table
from ari_app.desk import bills as desk
from ari_app.views.bills.bill import LIST_COLUMNS, bill_json, list_row


@click.group()
def invoices() -> None:
    """Issue invoices to advertisers, and look at them.

    Invoices are numbered without gaps and never change. Each charge, credit and payment is on one invoice. If it
    is booked after its month was billed, it is on the next invoice. Balances are the account's: a negative balance
    is what the advertiser owes.
    """


@invoices.command()
@click.option("--advertiser", required=True, metavar="ID", help="Whom to bill.")
@click.option("--period", required=True, metavar="YYYY-MM", help="The month, in the advertiser's time zone.")
@click.option("--force-open", is_flag=True, help="Bill a month that is not over, as it is now.")
@dry_run_option
@currency_option
@bill_options
def issue(
    advertiser: str,
    period: str,
    force_open: bool,
    dry_run: bool,
    currency: str | None,
    delivery: Delivery,
) -> None:
    """Issue an advertiser's invoice for a month. The same month again gives the same invoice.

    Each currency has its own invoice.

    \b
    Examples:
      callrace invoices issue --advertiser acme-plumbing --period 2026-11 --dry-run
      callrace invoices issue --advertiser acme-plumbing --period 2026-11
      callrace invoices issue --advertiser acme-plumbing --period 2026-11 --force-open --pdf invoice.pdf
    """
    issue_bill(
        "invoice",
        advertiser,
        period,
        currency=currency,
        force_open=force_open,
        dry_run=dry_run,
        delivery=delivery,
    )


@invoices.command("list")
@click.option("--advertiser", metavar="ID", help="Only this advertiser's.")
@json_option
def list_(advertiser: str | None, as_json: bool) -> None:
    """List the invoices by number.

    \b
    Examples:
      callrace invoices list
      callrace invoices list --json
    """
    found = desk.list_(site(), "invoice", advertiser)
    if as_json:
        show_json([bill_json(bill) for bill in found])
    elif not found:
        click.echo("no invoices")
    else:
        show_table(LIST_COLUMNS, map(list_row, found))


@invoices.command()
@click.argument("number", type=SERIAL)
@bill_options
def show(number: int, delivery: Delivery) -> None:
    """Show the invoice of this NUMBER.

    \b
    Examples:
      callrace invoices show 1 --pdf invoice-1.pdf
      callrace invoices show 1 --items          each charge, with its call
    """
    asked = site()
    bill = desk.get(asked, "invoice", number)
    deliver(bill, delivery, lambda: desk.items(asked, bill))
