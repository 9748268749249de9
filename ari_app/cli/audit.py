"""`callrace audit`: who did what, and when."""

from __future__ import annotations

import click

from ari_app.cli.common import site
from ari_app.cli.output import json_option, show_json, show_table
from ari_app.desk import audit as desk
from ari_app.views.audit import COLUMNS, entry_json, entry_row


@click.group()
def audit() -> None:
    """See who did what: each change of the marketplace, of numbers, applications, agents and money."""


@audit.command("list")
@click.option("--actor", metavar="NAME", help="Only what this one did.")
@click.option("--subject", metavar="ID", help="Only what was done to this: a campaign, number, agent, ...")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most so many."
)
@json_option
def list_(actor: str | None, subject: str | None, limit: int, as_json: bool) -> None:
    """List what was done, newest first, by whom, and with which values.

    The name of an operator is CALLRACE_OPERATOR, or else the login name; Callrace itself is program:callrace.

    \b
    Examples:
      callrace audit list --subject plumbing
      callrace audit list --actor ada --limit 10 --json
    """
    found = desk.listed(site(), limit, actor=actor, subject=subject)
    if as_json:
        show_json([entry_json(entry) for entry in found])
    elif not found:
        click.echo("nothing was done")
    else:
        show_table(COLUMNS, map(entry_row, found))
