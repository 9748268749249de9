"""The transfers of a bill or a payout run, one line each: they lead from a sum to its calls."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO

import click

from ari_app.cli.output import show_json, show_table
from ari_app.domain.ledger.transfers import Transfer
from ari_app.views.bills.items import COLUMNS, item_row
from ari_app.views.csvtext import write_csv

items_option = click.option("--items", is_flag=True, help="List the transfers behind it, with their calls.")


def deliver_items(
    items: Iterable[tuple[Transfer, str | None]], as_json: bool, csv_file: IO[str] | None
) -> None:
    """Shows the transfers with their calls' campaigns, from the view of the party's account."""
    rows = [item_row(transfer, campaign) for transfer, campaign in items]
    if csv_file is not None:
        write_csv(csv_file, COLUMNS, rows)
    elif as_json:
        show_json([dict(zip(COLUMNS, row, strict=True)) for row in rows])
    else:
        show_table(COLUMNS, rows)
