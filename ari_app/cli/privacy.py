"""`callrace privacy`: forgetting callers, one on request, all of them by age."""

from __future__ import annotations

import click

from ari_app.cli.common import Refused, database, now_ms, phone_number
from ari_app.cli.output import json_option, tell
from ari_app.domain.basics.durations import parse_duration
from ari_app.serving import running
from ari_app.serving.oldtraces import OldTraces
from ari_app.serving.traces import Traces
from ari_app.settings import Settings
from ari_app.store.calls import privacy as stored
from ari_app.store.calls.spool import Spool


@click.group()
def privacy() -> None:
    """Forget callers. Records keep their money and lose the person."""


@privacy.command()
@click.argument("number", callback=phone_number)
@json_option
def erase(number: str, as_json: bool) -> None:
    """Take the caller with this NUMBER out of every call, saved or in the spool, and delete what was recorded.

    The number, what was keyed in and the ZIP code go; times, legs, verdict, money and the state stay. Then the
    number is taken out of every other file of HOME: the database's log, the journal, what was put aside, the
    dialplan's files, logs. A running switch still knows it for rapid redials and repeat callers, until it is
    restarted. A call that is under way is not reached: where the number is then, or any file still has it, the
    exit code is 1, to say that it has to be run again.

    \b
    Example:
      callrace privacy erase +12125550142
    """
    settings = Settings.from_env()
    engine = database()
    under_way = _under_way(settings, number)
    traces = Traces(settings, number)
    traces.before(now_ms())
    try:
        calls = stored.erase_caller(engine, Spool(settings.spool), settings.recordings, number, now_ms())
    finally:
        left = traces.after(engine)
    tell({"calls": calls, "under_way": under_way, "left": left}, f"erased from {_calls(calls)}", as_json)
    if under_way:
        raise Refused(f"call {', '.join(under_way)} is under way: run this again some seconds after its end")
    if left:
        raise Refused("\n".join(f"the number is still in {where}" for where in left))


@privacy.command()
@click.option("--older-than", metavar="DURATION", required=True, help="Such as 400d.")
@json_option
def expire(older_than: str, as_json: bool) -> None:
    """Take the callers out of all calls that began longer ago than a duration, and delete what was recorded.

    Also out of calls that were set aside, lines of the dialplan, the journal, the database's log and free space. What
    is left, such as a log that nobody has written to for so long, is named, and the exit code is 1.

    Run it daily. A repeat caller is told by the number: keep it for as long as your longest repeat window.

    \b
    Example:
      callrace privacy expire --older-than 400d
    """
    try:
        age_ms = parse_duration(older_than)
    except ValueError as error:
        raise click.BadParameter(f"{error}, got {older_than!r}", param_hint="--older-than") from error
    now, settings = now_ms(), Settings.from_env()
    engine = database()
    before = now - age_ms
    callers = stored.callers_before(engine, before)
    traces = OldTraces(settings, before)
    traces.sweep(now)
    try:
        calls = stored.erase_before(engine, Spool(settings.spool), settings.recordings, before, now)
    finally:
        left = traces.after(engine, callers)
    tell({"calls": calls, "left": left}, f"erased from {_calls(calls)}", as_json)
    if left:
        raise Refused("\n".join(f"callers may still be in {where}" for where in left))


def _under_way(settings: Settings, number: str) -> list[str]:
    """The ids of this caller's calls in the running switch, if one runs."""
    try:
        return [call["id"] for call in running.ask(settings, "/live") if call["ani"] == number]
    except running.SwitchNotRunning:
        return []


def _calls(count: int) -> str:
    return f"{count} call{'' if count == 1 else 's'}"
