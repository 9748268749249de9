"""An issued bill on the terminal, as JSON, as CSV and as PDF: the same rows in each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import IO, Any

import click

from ari_app.cli.common import acting, site
from ari_app.cli.files import Writable, writing_down
from ari_app.cli.items import deliver_items, items_option
from ari_app.cli.output import json_option, show_json, show_table, show_title
from ari_app.desk import bills as desk
from ari_app.desk.bills import Items
from ari_app.domain.ledger.bills import Bill, BillKind
from ari_app.views.bills.bill import COLUMNS, bill_facts, bill_json, bill_rows, write_bill


@dataclass(frozen=True, slots=True)
class Delivery:
    """The wanted form of a bill: text, JSON or files; or its transfers (`items`) instead."""

    items: bool
    as_json: bool
    csv_file: IO[str] | None
    pdf_file: IO[bytes] | None


def bill_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options for the form of a bill: `--json`, `--csv FILE`, `--pdf FILE` (default: text), or `--items`.

    The command gets them as `delivery`. An impossible combination is wrong usage, before the command does anything.
    """

    @wraps(command)
    def with_delivery(
        *args: Any, items: bool, as_json: bool, csv_file: IO[str], pdf_file: IO[bytes], **kwargs: Any
    ) -> Any:
        if items and pdf_file is not None:
            raise click.UsageError("--items are not written as PDF; use --csv or --json")
        if kwargs.get("dry_run") and pdf_file is not None:
            raise click.UsageError("--dry-run is not written as PDF: it would look like what is issued")
        return command(*args, delivery=Delivery(items, as_json, csv_file, pdf_file), **kwargs)

    csv = click.option(
        "--csv", "csv_file", type=Writable("w"), metavar="FILE", help="Write it as CSV; - is stdout."
    )
    pdf = click.option("--pdf", "pdf_file", type=Writable("wb"), metavar="FILE", help="Write it as PDF.")
    return items_option(json_option(csv(pdf(with_delivery))))


dry_run_option = click.option("--dry-run", is_flag=True, help="Show what would be booked, and book nothing.")


def issue(
    kind: BillKind,
    party: str,
    period: str,
    *,
    currency: str | None,
    force_open: bool,
    dry_run: bool,
    delivery: Delivery,
) -> None:
    """Issues a bill now and delivers it; a dry run only shows it. Raises Refused."""
    asked = site()
    if dry_run:
        issued = desk.draft(asked, kind, party, period, currency=currency, force_open=force_open)
    else:
        issued = desk.issue(asked, acting(), kind, party, period, currency=currency, force_open=force_open)
    bill = issued.bill
    if not issued.is_new:
        click.echo(f"{bill.kind} {bill.number} was issued before", err=True)
    if dry_run and issued.is_new:
        click.echo(f"nothing is issued: {bill.kind} {bill.number} would be this", err=True)
        deliver(bill, delivery, lambda: desk.items_of_draft(asked, bill))
        return
    with writing_down(f"{bill.kind} {bill.number} is issued", delivery.csv_file, delivery.pdf_file):
        deliver(bill, delivery, lambda: desk.items(asked, bill))


def deliver(bill: Bill, delivery: Delivery, items: Callable[[], Items]) -> None:
    """Shows the bill or its `items`, or writes it to the given files."""
    csv_file, pdf_file = delivery.csv_file, delivery.pdf_file
    if delivery.items:
        deliver_items(items(), delivery.as_json, csv_file)
        return
    if csv_file is not None:
        write_bill(csv_file, bill)
    if pdf_file is not None:
        from ari_app.views.bills.pdf import write_pdf  # its libraries take a while to load

        write_pdf(pdf_file, bill)
        pdf_file.flush()
    if delivery.as_json:
        show_json(bill_json(bill))
    elif csv_file is None and pdf_file is None:
        _show(bill)


def _show(bill: Bill) -> None:
    show_title(f"{bill.kind.capitalize()} {bill.number}")
    for name, value in bill_facts(bill).items():
        click.echo(f"  {name:<9} {value}")
    click.echo()
    show_table(COLUMNS, bill_rows(bill))
