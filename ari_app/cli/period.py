"""Times as people give them: a date or a time, in a time zone."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, available_timezones

import click

from ari_app.domain.basics.clock import iso, ms_of
from ari_app.domain.reports.span import Span

Command = TypeVar("Command", bound=Callable[..., Any])

LISTED = 10_000  # the most that `calls list` gives
_LOCALTIME = Path("/etc/localtime")


def moment(text: str, zone: tzinfo) -> int:
    """The ms of an ISO 8601 time; in the time zone, unless the time has an offset. A date is its midnight.

    Raises click.BadParameter.
    """
    try:
        return ms_of(datetime.fromisoformat(text), zone)
    except ValueError as error:
        example = "2026-11-23, 2026-11-23T10:00 or 2026-11-23T10:00-05:00"
        raise click.BadParameter(f"{text!r} is not a time such as {example}") from error


def utc_moment(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """An option's time in ms, in UTC unless it has an offset."""
    return None if value is None else moment(value, UTC)


def time_zone(ctx: click.Context, param: click.Parameter, value: str | None) -> ZoneInfo:
    """An option's time zone, by default the system's."""
    name = value or system_timezone()
    if name not in available_timezones():
        raise click.BadParameter(f"{name!r} is not a time zone such as America/New_York")
    return ZoneInfo(name)


def system_timezone() -> str:
    """The name of this machine's time zone: from TZ, else the system's, else UTC."""
    linked = str(_LOCALTIME.resolve()).partition("/zoneinfo/")[2]
    return next((name for name in (os.environ.get("TZ"), linked) if name in available_timezones()), "UTC")


def calls_command(when: Span, *options: str) -> str:
    """The command that lists the calls of the period that the options select."""
    since, until = iso(when.since), iso(when.until)
    command = ("callrace", "calls", "list", "--since", since, "--until", until, *options)
    return shlex.join((*command, "--limit", str(LISTED)))


def given(text: str | None, zone: tzinfo) -> int | None:
    """An optional time, read by `moment`. Raises click.BadParameter."""
    return moment(text, zone) if text else None


def warn_of_uncounted(since: int | None) -> None:
    """Warns on stderr that reports do not count the calls from `since` (ms) on yet; does nothing for None."""
    if since is not None:
        click.echo(
            f"calls since {iso(since)} were saved before reports counted them, and are missing here: "
            "run `callrace reports rebuild`",
            err=True,
        )


def period_options(command: Command) -> Command:
    """Adds the options --since, --until and --tz."""
    for option in (
        click.option(
            "--tz", "zone", metavar="ZONE", callback=time_zone, help="Your time zone. Default: the system's."
        ),
        click.option("--until", metavar="TIME", help="Only calls that began before. Default: now."),
        click.option(
            "--since", metavar="TIME", help="Only calls that began then or later. Default: see above."
        ),
    ):
        command = option(command)
    return command
