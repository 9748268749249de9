"""`callrace spool`: ended calls that are not yet saved in the database."""

from __future__ import annotations

from dataclasses import asdict

import click

from ari_app.cli.common import Failed, acting, site
from ari_app.cli.output import json_option, show_json, show_table, tell
from ari_app.desk import spool as desk
from ari_app.settings import Settings
from ari_app.views.spool import COLUMNS, spooled_json, spooled_row


@click.group()
def spool() -> None:
    """Look after settled calls that the database has not taken yet.

    While the database cannot be reached, a running switch keeps them in HOME/spool. It saves them when the database
    is back, oldest first. Calls that the database refuses go to HOME/spool/refused.
    """


@spool.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the calls that wait to be saved, and those that were refused, with the reason.

    \b
    Example:
      callrace spool list --json
    """
    kept = desk.kept(Settings.from_env())
    if as_json:
        show_json([spooled_json(c.call_id, c.settled_at, c.reason, c.path) for c in kept])
    elif not kept:
        click.echo("the spool is empty")
    else:
        show_table(COLUMNS, [spooled_row(c.call_id, c.settled_at, c.reason) for c in kept])


@spool.command()
@json_option
def retry(as_json: bool) -> None:
    """Save the calls in the spool now, including those refused before.

    A running switch does it by itself, except for the refused calls. Each call is saved once, however often this
    is run. Exit code 1 when some are refused again.

    \b
    Example, after the cause of a refusal was repaired:
      callrace spool retry
    """
    done = desk.retry(site(), acting())
    tell(asdict(done), f"{done.saved} call{'' if done.saved == 1 else 's'} saved", as_json)
    if done.left:
        raise Failed(f"{done.left} not taken by the database; see `callrace spool list` for the reasons")
