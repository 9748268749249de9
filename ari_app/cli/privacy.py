"""`callrace privacy`: forgetting callers, one on request, all of them by age."""

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
    erased = desk.expire(site(), acting(), age_ms)
    tell({"calls": erased.calls, "left": erased.left}, f"erased from {_calls(erased.calls)}", as_json)
    if erased.left:
        raise Failed("\n".join(f"callers may still be in {where}" for where in erased.left))


def _calls(count: int) -> str:
    return f"{count} call{'' if count == 1 else 's'}"
