"""Times as people give them: a date or a time, on a clock of theirs."""

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

LISTED = 10_000  # as many as `calls list` gives
_LOCALTIME = Path("/etc/localtime")


def moment(text: str, zone: tzinfo) -> int:
    """Milliseconds of an ISO 8601 time, on the zone's clock unless it has an offset; a date is its midnight.

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
    """An option's time zone; without one the system's."""
    name = value or system_timezone()
    if name not in available_timezones():
        raise click.BadParameter(f"{name!r} is not a time zone such as America/New_York")
    return ZoneInfo(name)


def system_timezone() -> str:
    """The name of the zone that this machine's clock shows: TZ's, else the system's, else UTC."""
    linked = str(_LOCALTIME.resolve()).partition("/zoneinfo/")[2]
    return next((name for name in (os.environ.get("TZ"), linked) if name in available_timezones()), "UTC")


def calls_command(when: Span, *options: str) -> str:
    """The command that lists the period's calls that the options choose."""
    since, until = iso(when.since), iso(when.until)
    command = ("callrace", "calls", "list", "--since", since, "--until", until, *options)
    return shlex.join((*command, "--limit", str(LISTED)))


def given(text: str | None, zone: tzinfo) -> int | None:
    """A time that may be left out, as `moment` reads it. Raises click.BadParameter."""
    return moment(text, zone) if text else None


def warn_of_uncounted(since: int | None) -> None:
    """Says so, on stderr, when the period has calls, from `since` (ms) on, that reports do not count yet."""
    if since is not None:
        click.echo(
            f"calls since {iso(since)} were saved before reports counted them, and are missing here: "
            "run `callrace reports rebuild`",
            err=True,
        )


def period_options(command: Command) -> Command:
    """The options --since, --until and --tz, which `given` understands."""
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
