"""`callrace daily`: the daily jobs, to be run by a timer, by cron or by a container."""

from __future__ import annotations

import click

from ari_app.cli.common import Failed, acting, site
from ari_app.cli.output import json_option, tell
from ari_app.cli.remedies import told
from ari_app.desk import daily as desk


@click.command()
@json_option
def daily(as_json: bool) -> None:
    """Do what is due once a day: give up on conversions that never came, delete recordings that are kept no longer, and
    lines of the outbox that nobody took in 30 days.

    If one job fails, the others are done all the same, and the exit code is 1. To run it twice does no harm.

    \b
    Example:
      callrace daily
    """
    done = desk.do(site(), acting())
    tell(done.counts, "\n".join(f"{name}: {count}" for name, count in done.counts.items()), as_json)
    if done.failed:
        raise Failed("\n".join(f"{name}: {told(error)}" for name, error in done.failed.items()))
