"""`callrace db`: the database's tables."""

from __future__ import annotations

import click

from ari_app.cli.common import Refused
from ari_app.cli.output import json_option, show_json, tell
from ari_app.settings import Settings
from ari_app.store.db import schema
from ari_app.store.db.engine import open_engine


@click.group()
def db() -> None:
    """Bring the database to this version's tables, or see where it is.

    It is SQLite in CALLRACE_HOME, or what CALLRACE_DATABASE_URL says.
    """


@db.command()
@json_option
def upgrade(as_json: bool) -> None:
    """Bring the database to this version's tables. Does nothing when it is there."""
    engine = open_engine(Settings.from_env().database_url)
    before = schema.current(engine)
    schema.upgrade(engine)
    where = engine.url.render_as_string(hide_password=True)
    change = "was there already" if before == schema.head() else f"upgraded from {before or 'nothing'}"
    told = {"database": where, "revision": schema.head(), "was": before}
    tell(told, f"{where} is at revision {schema.head()} ({change})", as_json)


@db.command()
@json_option
def status(as_json: bool) -> None:
    """Tell which revision the database is at, and which is needed. Exit code 1 when they differ."""
    engine = open_engine(Settings.from_env().database_url)
    where = engine.url.render_as_string(hide_password=True)
    current, head = schema.current(engine), schema.head()
    if as_json:
        show_json({"database": where, "revision": current, "needed": head, "migrated": current == head})
    else:
        click.echo(f"{where} is at revision {current or 'none'}, {head} is needed")
    if current != head:
        raise Refused("the database is not migrated; run `callrace db upgrade`")
