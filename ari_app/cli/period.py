"""Times as people give them: a date or a time, on a clock of theirs."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, available_timezones

import click
from sqlalchemy import Engine

from ari_app.cli.common import now_ms
from ari_app.domain.basics.clock import iso, ms_of
from ari_app.domain.reports.report import Span
from ari_app.domain.reports.reporting import check_hours, midnight
from ari_app.domain.reports.rollups import HOUR_MS
from ari_app.store.reports import rollups

Command = TypeVar("Command", bound=Callable[..., Any])

LISTED = 10_000  # as many as `calls list` gives
LONGEST_MS = 3_660 * 24 * HOUR_MS
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


def period(since: str | None, until: str | None, zone: ZoneInfo, days: int) -> Span:
    """What --since and --until say. Without them: since midnight `days` ago, until the hour under way is over.

    Raises click.BadParameter for times that no report can be cut at.
    """
    now = now_ms()
    today = datetime.fromtimestamp(now // 1000, zone).date()
    since_ms = moment(since, zone) if since else midnight(today - timedelta(days=days), zone)
    until_ms = moment(until, zone) if until else now - now % HOUR_MS + HOUR_MS
    if not since_ms < until_ms <= since_ms + LONGEST_MS:
        raise click.BadParameter("the period ends before it begins, or is longer than ten years")
    try:
        check_hours(since_ms, until_ms, zone)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return Span(since_ms, until_ms, zone)


def warn_of_uncounted(engine: Engine, when: Span) -> None:
    """Says so, on stderr, when the period has calls that reports do not count yet."""
    first = rollups.first_uncounted(engine)
    if first is not None and first < when.until:
        click.echo(
            f"calls since {iso(first)} were saved before reports counted them, and are missing here: "
            "run `callrace reports rebuild`",
            err=True,
        )


def period_options(command: Command) -> Command:
    """The options --since, --until and --tz, which `period` understands."""
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
