"""A currency as a word of a command: what is none is wrong usage."""

from __future__ import annotations

import click

from ari_app.desk import checked
from ari_app.desk.refused import Refused


def _currency(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    try:
        return None if value is None else checked.currency(value)
    except Refused as error:
        raise click.BadParameter(str(error.facts["why"])) from error


currency_option = click.option(
    "--currency", metavar="CODE", callback=_currency, help="Of the money; default: the marketplace's."
)
