"""`callrace privacy`: erases callers' data, of one caller on request, or of all old calls."""

from __future__ import annotations

import click

from ari_app.cli.common import Failed, acting, phone_number, site
from ari_app.cli.output import json_option, tell
from ari_app.desk import privacy as desk
from ari_app.domain.basics.durations import parse_duration


@click.group()
def privacy() -> None:
    """Forget callers. Records keep their money and lose the person."""


@privacy.command()
@click.argument("number", callback=phone_number)
@json_option
def erase(number: str, as_json: bool) -> None:
    """Erase the caller with this NUMBER from every call, saved or in the spool, and delete the recordings.

    The number, the keys pressed and the ZIP code are erased; times, legs, verdict, money and the state stay. Then the
    number is erased from all other files in HOME: the database's log, the journal, files set aside, the dialplan's
    files, logs. A running switch still knows the number, for rapid redials and repeat callers, until it is restarted.
    Calls under way are not erased. If the caller has one, or if any file still has the number, the exit code is 1: run
    it again later.

    \b
    Example:
      callrace privacy erase +12125550142
    """
    erased = desk.erase(site(), acting(), number)
    tell(
        {"calls": erased.calls, "under_way": erased.under_way, "left": erased.left},
        f"erased from {_calls(erased.calls)}",
        as_json,
    )
    if erased.under_way:
        raise Failed(
            f"call {', '.join(erased.under_way)} is under way: run this again some seconds after its end"
        )
    if erased.left:
        raise Failed("\n".join(f"the number is still in {where}" for where in erased.left))


@privacy.command()
@click.option("--older-than", metavar="DURATION", required=True, help="Such as 400d.")
@json_option
def expire(older_than: str, as_json: bool) -> None:
    """Erase the callers from all calls that began longer ago than a duration, and delete the recordings.

    They are also erased from calls that were set aside, the dialplan's lines, the journal, and the database's log and
    free space. Files that may still have them, such as a log not written to for so long, are shown, and the exit code
    is 1.

    Run it daily. Repeat callers are recognized by the number: keep it for as long as your longest repeat window.

    \b
    Example:
      callrace privacy expire --older-than 400d
    """
    try:
        age_ms = parse_duration(older_than)
    except ValueError as error:
        raise click.BadParameter(f"{error}, got {older_than!r}", param_hint="--older-than") from error
    erased = desk.expire(site(), acting(), age_ms)
    tell({"calls": erased.calls, "left": erased.left}, f"erased from {_calls(erased.calls)}", as_json)
    if erased.left:
        raise Failed("\n".join(f"callers may still be in {where}" for where in erased.left))


def _calls(count: int) -> str:
    return f"{count} call{'' if count == 1 else 's'}"
