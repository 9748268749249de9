"""`callrace publishers`: the producers of calls."""

from __future__ import annotations

import click

from ari_app.cli.desk import add_common_commands, change, given
from ari_app.cli.output import json_option
from ari_app.desk import documents


@click.group()
def publishers() -> None:
    """Add, see and remove publishers: the producers of calls."""


@publishers.command("add")
@click.argument("name", metavar="ID")
@click.option("--name", "title", required=True, help="For people to read.")
@click.option("--timezone", metavar="ZONE", help="Of its caps and statements; default: UTC.")
@json_option
def add_(name: str, title: str, timezone: str | None, as_json: bool) -> None:
    """Add the publisher ID to the marketplace in force.

    \b
    Example:
      callrace publishers add homefix --name HomeFix --timezone America/New_York
    """
    entry = given(name=title, timezone=timezone)
    change(lambda site, actor: documents.add(site, actor, "publishers", name, entry), as_json)


add_common_commands(publishers, "publishers", "publisher", "homefix", ("name", "timezone"))
