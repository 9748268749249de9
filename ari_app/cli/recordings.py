"""`callrace recordings`: recordings of calls, listed and deleted."""

from __future__ import annotations

import click

from ari_app.cli.common import acting, one_line, site
from ari_app.cli.output import json_option, show_json, show_table, tell
from ari_app.desk import recordings as desk
from ari_app.views.recordings import COLUMNS, recording_json, recording_row


@click.group()
def recordings() -> None:
    """Look after recorded calls: two WAV files each, of the caller and of the agent, in HOME/recordings."""


@recordings.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many.")
@json_option
def list_(limit: int, as_json: bool) -> None:
    """List the newest recordings, newest first, including deleted ones.

    A recording is `missing` when its files do not exist or are empty: the disk was full, or somebody has moved them.

    \b
    Example:
      callrace recordings list --limit 100 --json
    """
    found = desk.latest(site(), limit)
    if as_json:
        show_json([recording_json(one.recording, one.state, one.files) for one in found])
    elif not found:
        click.echo("no recordings")
    else:
        show_table(COLUMNS, [recording_row(one.recording, one.state) for one in found])


@recordings.command()
@click.argument("call_id", metavar="CALL")
@click.option(
    "--reason", metavar="TEXT", required=True, callback=one_line, help="Kept in the call's timeline."
)
@json_option
def delete(call_id: str, reason: str, as_json: bool) -> None:
    """Delete a call's recording. The rest of the call is kept; its record says who deleted it, when and why.

    \b
    Example:
      callrace recordings delete 019abc --reason "the caller asked for it"
    """
    deleted = desk.delete(site(), acting(), call_id, reason)
    tell({"call": deleted}, f"the recording of call {deleted} is deleted", as_json)


@recordings.command()
@json_option
def expire(as_json: bool) -> None:
    """Delete recordings older than their campaign's `keep` at the time of the recording. Run it daily.

    \b
    Example:
      callrace recordings expire
    """
    count = desk.expire(site(), acting())
    tell({"deleted": count}, f"{count} recording{'' if count == 1 else 's'} deleted", as_json)
