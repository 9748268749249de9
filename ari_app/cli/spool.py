"""`callrace spool`: settled calls that the database has not taken yet."""

from __future__ import annotations

from dataclasses import asdict

import click

from ari_app.cli.common import Refused, site
from ari_app.cli.output import json_option, show_json, show_table, tell
from ari_app.desk import spool as desk
from ari_app.domain.basics.clock import iso
from ari_app.settings import Settings
from ari_app.store.calls.spool import Kept


@click.group()
def spool() -> None:
    """Look after settled calls that the database has not taken yet.

    While the database is away a running switch keeps them in HOME/spool, and saves them when it is
    back, oldest first. Those that the database will not take as they are go to HOME/spool/refused.
    """


@spool.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the calls that wait, and those that were refused with the reason.

    \b
    Example:
      callrace spool list --json
    """
    kept = desk.kept(Settings.from_env())
    if as_json:
        show_json([_json(call) for call in kept])
    elif not kept:
        click.echo("the spool is empty")
    else:
        rows = [(call.call_id, iso(call.settled_at), _state(call), call.reason) for call in kept]
        show_table(("id", "settled at", "state", "reason"), rows)


def _state(call: Kept) -> str:
    return "waits" if call.reason is None else "refused"


def _json(call: Kept) -> dict[str, str | None]:
    return {
        "id": call.call_id,
        "settled_at": iso(call.settled_at),
        "state": _state(call),
        "reason": call.reason,
        "file": str(call.path),
    }


@spool.command()
@json_option
def retry(as_json: bool) -> None:
    """Save what is in the spool now, what was refused before too.

    A running switch does it by itself, but for the refused. Each call is saved once, however often it
    is tried. Exit code 1 when some are refused again.

    \b
    Example, after the cause of a refusal was mended:
      callrace spool retry
    """
    done = desk.retry(site())
    tell(asdict(done), f"{done.saved} call{'' if done.saved == 1 else 's'} saved", as_json)
    if done.left:
        raise Refused(f"{done.left} not taken by the database; see `callrace spool list` for the reasons")
