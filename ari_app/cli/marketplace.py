"""`callrace marketplace`: creates the marketplace."""

from __future__ import annotations

import click

from ari_app.cli.desk import change
from ari_app.cli.output import json_option
from ari_app.desk import marketplaces


@click.group()
def marketplace() -> None:
    """Begin a marketplace; then add to it by commands, or by `callrace apply`."""


@marketplace.command()
@click.option(
    "--currency", metavar="CODE", default="USD", show_default=True, help="Of all money that says no other."
)
@json_option
def init(currency: str, as_json: bool) -> None:
    """Put an empty marketplace in force, to which advertisers, publishers and campaigns are then added.

    \b
    Example:
      callrace db upgrade && callrace marketplace init --currency USD
    """
    change(lambda site, actor: marketplaces.begin(site, actor, currency), as_json)
