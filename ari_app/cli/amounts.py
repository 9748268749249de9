"""Amounts of money as options of a command."""

from __future__ import annotations

import click

from ari_app.cli.common import as_option
from ari_app.desk import checked

currency_option = click.option(
    "--currency",
    metavar="CODE",
    callback=as_option(checked.currency),
    help="Of the money; default: the marketplace's.",
)
