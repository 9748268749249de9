"""`callrace caps`: limits on calls, and what is left of each."""

from __future__ import annotations

import click

from ari_app.cli.common import site
from ari_app.cli.output import json_option, show_json, show_table
from ari_app.desk import caps as desk
from ari_app.views.caps import COLUMNS, cap_json
from ari_app.views.sections import listed


@click.group()
def caps() -> None:
    """Look at caps: how many calls, or how much money, may still come."""


@caps.command("list")
@click.option("--owner", metavar="ID", help="Only the caps of what has this id.")
@json_option
def list_(owner: str | None, as_json: bool) -> None:
    """List every cap of the marketplace in force, with how much is used and left now.

    `used` is for ended calls, `reserved` is the most that calls under way may use. A call counts in the
    period in which it was offered. Periods begin in the owner's time zone.

    \b
    Examples:
      callrace caps list
      callrace caps list --owner emergency-plumbing --json
    """
    rows = [cap_json(one) for one in desk.standing(site(), owner=owner)]
    if as_json:
        show_json(rows)
    elif not rows:
        click.echo("no caps")
    else:
        show_table(*listed(COLUMNS, rows))
