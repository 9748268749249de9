"""The transfers behind a bill or a payout run, a line each: from a sum to its calls."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO

import click

from ari_app.cli.output import show_json, show_table
from ari_app.domain.basics.clock import iso
from ari_app.domain.basics.money import format_amount
from ari_app.domain.ledger.transfers import Transfer
from ari_app.views.csvtext import write_csv

items_option = click.option("--items", is_flag=True, help="List the transfers behind it, with their calls.")

_COLUMNS = ("at", "account", "call", "campaign", "amount", "currency", "reason")


def deliver_items(
    items: Iterable[tuple[Transfer, str | None]], as_json: bool, csv_file: IO[str] | None
) -> None:
    """Shows the transfers with their calls' campaigns, as their party's account saw them."""
    rows = [_row(transfer, campaign) for transfer, campaign in items]
    if csv_file is not None:
        write_csv(csv_file, _COLUMNS, rows)
    elif as_json:
        show_json([dict(zip(_COLUMNS, row, strict=True)) for row in rows])
    else:
        show_table(_COLUMNS, rows)


def _row(transfer: Transfer, campaign: str | None) -> tuple[object, ...]:
    is_credit = transfer.credit.startswith(("advertiser:", "publisher:"))
    account, sign = (transfer.credit, 1) if is_credit else (transfer.debit, -1)
    amount = format_amount(sign * transfer.amount, transfer.currency)
    return iso(transfer.at), account, transfer.call_id, campaign, amount, transfer.currency, transfer.reason
