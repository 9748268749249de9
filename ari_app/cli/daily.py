"""`callrace daily`: what is due once a day, for a timer, cron or a container to run."""

from __future__ import annotations

from collections.abc import Callable

import click
from sqlalchemy import Engine

from ari_app.cli.common import Refused, database, now_ms
from ari_app.cli.output import json_option, tell
from ari_app.settings import Settings
from ari_app.store.calls import recordings
from ari_app.store.db import outbox
from ari_app.store.db.errors import StoreError
from ari_app.store.money import conversions

OUTBOX_KEPT_MS = 30 * 86_400_000

JOBS: dict[str, Callable[[Engine, Settings, int], int]] = {
    "conversions expire": lambda engine, _, now: conversions.expire(engine, now),
    "outbox forget": lambda engine, _, now: outbox.forget(engine, now - OUTBOX_KEPT_MS),
    "recordings expire": lambda engine, settings, now: recordings.expire(engine, settings.recordings, now),
}
"""What is done, in this order, by the command that does it alone (`outbox forget` has none); now is in ms. Each says
how many it was done to."""


@click.command()
@json_option
def daily(as_json: bool) -> None:
    """Do what is due once a day: give up on conversions that never came, delete recordings that are kept no longer, and
    lines of the outbox that nobody took in 30 days.

    One job that fails does not keep the next from being done; the exit code is 1 then. Running it twice does no harm.

    \b
    Example:
      callrace daily
    """
    settings, engine = Settings.from_env(), database()
    done: dict[str, int] = {}
    failed: dict[str, Exception] = {}
    for name, job in JOBS.items():
        try:
            done[name] = job(engine, settings, now_ms())
        except (StoreError, OSError) as error:
            failed[name] = error
    tell(done, "\n".join(f"{name}: {count}" for name, count in done.items()), as_json)
    if failed:
        raise Refused("\n".join(f"{name}: {error}" for name, error in failed.items()))
