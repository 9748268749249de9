"""`callrace invoices`: what an advertiser's calls of a month came to."""

from __future__ import annotations

import click

from ari_app.cli.amounts import currency_option
from ari_app.cli.bills import Delivery, bill_options, deliver, dry_run_option
from ari_app.cli.bills import issue as issue_bill
from ari_app.cli.common import Refused, database, marketplace_in_force
from ari_app.cli.disputes import SERIAL
from ari_app.cli.output import json_option, show_json, show_table
from ari_app.cli.parties import advertiser_of
from ari_app.domain.ledger.bills import Period, period_of
from ari_app.store.money import bills
from ari_app.store.money.bills import Party
from ari_app.views.bills.bill import LIST_COLUMNS, bill_json, list_row


@click.group()
def invoices() -> None:
    """Issue invoices to advertisers, and look at them.

    An invoice is numbered without gaps and never changes. Each charge, credit and payment is on one
    invoice; what is written down after its month was billed is on the next. Balances are the account's:
    negative is what the advertiser owes.
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
    """Issue an advertiser's invoice for a month. The same month again is the same invoice.

    Money of each currency is billed on its own.

    \b
    Examples:
      callrace invoices issue --advertiser acme-plumbing --period 2026-11 --dry-run
      callrace invoices issue --advertiser acme-plumbing --period 2026-11
      callrace invoices issue --advertiser acme-plumbing --period 2026-11 --force-open --pdf invoice.pdf
    """
    engine = database()
    marketplace = marketplace_in_force(engine).marketplace
    buyer = advertiser_of(engine, marketplace, advertiser)
    party = Party("invoice", advertiser, buyer.name, currency or marketplace.currency)
    issue_bill(engine, party, month(period, buyer.timezone), force_open, dry_run, delivery)


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
    found = bills.list_(database(), "invoice", advertiser)
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
    engine = database()
    bill = bills.get(engine, "invoice", number)
    if bill is None:
        raise Refused(f"there is no invoice {number}; see `callrace invoices list`")
    deliver(bill, delivery, lambda: bills.items(engine, bill))


def month(text: str, timezone: str) -> Period:
    """The month that an option names; anything else is wrong usage."""
    try:
        return period_of(text, timezone)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--period") from error
