"""`callrace payouts`: publishers are paid what they have earned, and get statements."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import date, datetime
from functools import partial
from typing import IO

import click

from ari_app.cli.amounts import currency_option
from ari_app.cli.bills import Delivery, bill_options, dry_run_option, issue
from ari_app.cli.common import acting, site
from ari_app.cli.files import Writable, writing_down
from ari_app.cli.items import deliver_items, items_option
from ari_app.cli.output import json_option, show_json, show_table
from ari_app.desk import payouts as desk
from ari_app.domain.ledger.payouts import Paid, Reason, Run, Waiting
from ari_app.views.csvtext import write_csv
from ari_app.views.payouts import COLUMNS, RUN_COLUMNS, rows, run_json, run_row, waiting_text

_SEE: dict[Reason, str] = {
    "young": "see --hold-days",
    "later": "see --until",
    "disputed": "see `callrace disputes list`",
    "minimum": "see --minimum",
}

csv_option = click.option(
    "--csv",
    "csv_file",
    type=Writable("w"),
    metavar="FILE",
    help="Write the payouts as CSV; - is stdout.",
)


@click.group()
def payouts() -> None:
    """Pay publishers what they earned, and look at what was paid."""


@payouts.command()
@click.option("--until", required=True, metavar="DATE", help="The last day (UTC) whose calls are paid.")
@click.option("--minimum", default="0", show_default=True, help="What a publisher must have due, at least.")
@click.option(
    "--hold-days",
    type=click.IntRange(0, desk.LONGEST_HOLD_DAYS),
    default=desk.HOLD_DAYS,
    show_default=True,
    help="How many days ago a call must have ended.",
)
@click.option("--key", required=True, help="The run's own name: the same key pays once.")
@dry_run_option
@currency_option
@csv_option
@json_option
def run(
    until: str,
    minimum: str,
    hold_days: int,
    key: str,
    dry_run: bool,
    currency: str | None,
    csv_file: IO[str] | None,
    as_json: bool,
) -> None:
    """Pay every publisher's earnings of calls that are old enough and not in open dispute.

    A run pays in one currency. Each earning is paid once. An earning that is reversed after it was paid is deducted
    from the publisher's next payout. The same --key again shows the same run, writes the same file, and moves nothing.
    A run that pays nobody says why, and its key can be used again.

    \b
    Examples:
      callrace payouts run --until 2026-11-30 --minimum 50.00 --key 2026-11 --dry-run
      callrace payouts run --until 2026-11-30 --minimum 50.00 --key 2026-11 --csv payouts.csv
    """
    asked = site()
    wanted = desk.asked(
        asked,
        key=key,
        until=_day(until),
        minimum=minimum,
        hold_days=hold_days,
        currency=currency,
    )
    paid = desk.plan(asked, wanted) if dry_run else desk.run(asked, acting(), wanted)
    if not paid.is_new:
        click.echo(f"payout run {key} was done before: nothing moved now", err=True)
    elif dry_run:
        click.echo("nothing is paid: this is what a run would pay now", err=True)
    with (
        writing_down(f"payout run {key} is paid", csv_file) if paid.payouts and not dry_run else nullcontext()
    ):
        _deliver(paid, as_json, csv_file)
    if not as_json and (dry_run or not paid.payouts):
        for line in map(partial(_waiting, wanted), paid.waits):
            click.echo(line, err=True)


@payouts.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the payout runs, the oldest first."""
    runs = desk.every(site())
    if as_json:
        show_json([run_json(paid) for paid in runs])
    elif not runs:
        click.echo("no payout runs")
    else:
        show_table(RUN_COLUMNS, map(run_row, runs))


@payouts.command()
@click.argument("key")
@items_option
@csv_option
@json_option
def show(key: str, items: bool, csv_file: IO[str] | None, as_json: bool) -> None:
    """Show the payout run of this KEY.

    \b
    Examples:
      callrace payouts show 2026-11 --csv payouts.csv
      callrace payouts show 2026-11 --items      each earning, with its call
    """
    asked = site()
    paid = desk.get(asked, key)
    if items:
        deliver_items(desk.items(asked, paid), as_json, csv_file)
    else:
        _deliver(paid, as_json, csv_file)


@payouts.command()
@click.option("--publisher", required=True, metavar="ID", help="Whose statement.")
@click.option("--period", required=True, metavar="YYYY-MM", help="The month, in the publisher's time zone.")
@click.option("--force-open", is_flag=True, help="State a month that is not over, as it is now.")
@dry_run_option
@currency_option
@bill_options
def statement(
    publisher: str,
    period: str,
    force_open: bool,
    dry_run: bool,
    currency: str | None,
    delivery: Delivery,
) -> None:
    """Issue a publisher's statement for a month. The same month again gives the same statement.

    It shows what the publisher's calls have earned, what was reversed, and what was paid out, in one currency.

    \b
    Example:
      callrace payouts statement --publisher homefix --period 2026-11 --pdf statement.pdf
    """
    issue(
        "statement",
        publisher,
        period,
        currency=currency,
        force_open=force_open,
        dry_run=dry_run,
        delivery=delivery,
    )


def _deliver(paid: Paid, as_json: bool, csv_file: IO[str] | None) -> None:
    if csv_file is not None:
        write_csv(csv_file, COLUMNS, rows(paid))
    if as_json:
        show_json(run_json(paid))
    elif csv_file is None and not paid.payouts:
        click.echo("nobody has enough due: nothing was paid")
    elif csv_file is None:
        show_table(COLUMNS, rows(paid))


def _waiting(run: Run, waiting: Waiting) -> str:
    """The earnings that are not paid and why, and how to see or change that."""
    said = waiting_text(run, waiting)
    return f"{said}; {_SEE[waiting.reason]}" if waiting.reason in _SEE else said


def _day(text: str) -> date:
    """A day from an option; any other text is wrong usage."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError as error:
        raise click.BadParameter(
            f"expected a day such as 2026-11-30, got {text!r}", param_hint="--until"
        ) from error
