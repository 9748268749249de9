"""`callrace privacy`: forgetting callers, one on request, all of them by age."""

from __future__ import annotations

import click

from ari_app.cli.common import database, now_ms, phone_number
from ari_app.cli.output import json_option, tell
from ari_app.domain.fields import parse_duration
from ari_app.store import privacy as stored


@click.group()
def privacy() -> None:
    """Forget callers. Records keep their money and lose the person."""


@privacy.command()
@click.argument("number", callback=phone_number)
@json_option
def erase(number: str, as_json: bool) -> None:
    """Take the caller with this NUMBER out of every call that is recorded.

    The number, what was keyed in and the ZIP code go; times, legs, verdict, money and the state stay. A
    running switch still knows the number for rapid redials and repeat callers, until it is restarted. A call
    that is under way, or waits in the spool, is not reached: run it again when that is saved.

    \b
    Example:
      callrace privacy erase +12125550142
    """
    calls = stored.erase_caller(database(), number, now_ms())
    tell({"calls": calls}, f"erased from {calls} calls", as_json)


@privacy.command()
@click.option("--older-than", metavar="DURATION", required=True, help="Such as 400d.")
@json_option
def expire(older_than: str, as_json: bool) -> None:
    """Take the callers out of all calls that began longer ago than a duration. Run it daily.

    A repeat caller is told by the number: keep it for as long as your longest repeat window.

    \b
    Example:
      callrace privacy expire --older-than 400d
    """
    try:
        age_ms = parse_duration(older_than)
    except ValueError as error:
        raise click.BadParameter(f"{error}, got {older_than!r}", param_hint="--older-than") from error
    now = now_ms()
    calls = stored.erase_before(database(), now - age_ms, now)
    tell({"calls": calls}, f"erased from {calls} calls", as_json)
