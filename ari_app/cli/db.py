"""`callrace db`: the database's tables."""

from __future__ import annotations

import click

from ari_app.cli.common import Failed
from ari_app.cli.output import json_option, show_json, tell
from ari_app.desk import database
from ari_app.settings import Settings


@click.group()
def db() -> None:
    """Bring the database to this version's tables, or see where it is.

    The database is SQLite in CALLRACE_HOME, or the one in CALLRACE_DATABASE_URL.
    """


@db.command()
@json_option
def upgrade(as_json: bool) -> None:
    """Bring the database to this version's tables. Does nothing when it has them already."""
    was = database.upgrade(Settings.from_env())
    change = "was there already" if was.is_migrated else f"upgraded from {was.revision or 'nothing'}"
    told = {"database": was.where, "revision": was.needed, "was": was.revision}
    tell(told, f"{was.where} is at revision {was.needed} ({change})", as_json)


@db.command()
@json_option
def status(as_json: bool) -> None:
    """Show the revision of the database, and the one needed. Exit code 1 when they differ."""
    now = database.status(Settings.from_env())
    if as_json:
        show_json(
            {
                "database": now.where,
                "revision": now.revision,
                "needed": now.needed,
                "migrated": now.is_migrated,
            }
        )
    else:
        click.echo(f"{now.where} is at revision {now.revision or 'none'}, {now.needed} is needed")
    if not now.is_migrated:
        raise Failed("the database is not migrated; run `callrace db upgrade`")
