"""`callrace recordings`: what was recorded, and deleting it."""

from __future__ import annotations

from pathlib import Path

import click

from ari_app.cli.common import Refused, database, now_ms, one_line, who
from ari_app.cli.output import json_option, show_json, show_table, tell
from ari_app.domain.calls.recording import Recording
from ari_app.settings import Settings
from ari_app.store.calls import calls
from ari_app.store.calls import recordings as stored
from ari_app.views.recordings import COLUMNS, recording_json, recording_row


@click.group()
def recordings() -> None:
    """Look after recorded calls: two WAV files each, of the caller and of the agent, in HOME/recordings."""


@recordings.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many.")
@json_option
def list_(limit: int, as_json: bool) -> None:
    """List the recordings that began last, newest first, with those that were deleted.

    One whose files are not there, or are empty, is `missing`: the disk was full, or somebody has moved them.

    \b
    Example:
      callrace recordings list --limit 100 --json
    """
    folder = Settings.from_env().recordings
    found = stored.latest(database(), limit)
    if as_json:
        show_json(
            [recording_json(kept, _state(kept, folder), stored.paths(folder, kept.call_id)) for kept in found]
        )
    elif not found:
        click.echo("no recordings")
    else:
        show_table(COLUMNS, [recording_row(kept, _state(kept, folder)) for kept in found])


@recordings.command()
@click.argument("call_id", metavar="CALL")
@click.option(
    "--reason", metavar="TEXT", required=True, callback=one_line, help="Kept in the call's timeline."
)
@json_option
def delete(call_id: str, reason: str, as_json: bool) -> None:
    """Delete a call's recording. The call keeps all else, and says who deleted it, when and why.

    \b
    Example:
      callrace recordings delete 019abc --reason "the caller asked for it"
    """
    engine = database()
    record = calls.get(engine, call_id)
    if record is None:
        raise Refused(f"there is no call {call_id}; see `callrace recordings list`")
    why = f"by {who()}: {reason}"
    if not stored.delete(engine, Settings.from_env().recordings, record.id, why, now_ms()):
        raise Refused(f"call {record.id} has no recording; see `callrace recordings list`")
    tell({"call": record.id}, f"the recording of call {record.id} is deleted", as_json)


@recordings.command()
@json_option
def expire(as_json: bool) -> None:
    """Delete the recordings that are kept no longer, by their campaign's `keep` when they were made. Run it daily.

    \b
    Example:
      callrace recordings expire
    """
    count = stored.expire(database(), Settings.from_env().recordings, now_ms())
    tell({"deleted": count}, f"{count} recording{'' if count == 1 else 's'} deleted", as_json)


def _state(kept: Recording, folder: Path) -> str:
    if kept.deleted_at is not None:
        return "deleted"
    return "kept" if stored.is_there(folder, kept.call_id) else "missing"
