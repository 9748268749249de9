"""What many commands need: who acts, the exchange of the settings, options that are checked."""

from __future__ import annotations

import getpass
import os
import time
from collections.abc import Callable
from typing import Any, TextIO

import click
from sqlalchemy import Engine

from ari_app.access.actor import Actor, operator
from ari_app.desk import checked
from ari_app.desk.refused import Refused
from ari_app.desk.site import Site
from ari_app.domain.basics.clock import from_iso
from ari_app.settings import Settings, SettingsError
from ari_app.store.db import schema


class Failed(click.ClickException):
    """What a command was asked cannot be done; the message says why and what to do. Exit code 1."""

    def show(self, file: Any = None) -> None:
        """Prints the message on stderr, each of its lines named."""
        for line in self.format_message().splitlines():
            click.echo(f"{click.style('callrace:', fg='red')} {line}", file=file, err=file is None)


def as_option(check: Callable[[str, str], str]) -> Callable[..., str | None]:
    """An option's callback: its value as `check` (of `desk.checked`) lets it pass; any other is wrong usage."""

    def checked_value(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
        try:
            return None if value is None else check(value, param.name or "")
        except Refused as error:
            raise click.BadParameter(str(error.facts["why"])) from error

    return checked_value


phone_number = as_option(checked.phone_number)
"""A phone number in E.164."""
one_line = as_option(checked.line)
"""What is kept, and shown to people."""
owned_id = as_option(checked.owned_id)
"""An id of the marketplace."""
_reason = as_option(checked.reason)


def reason_given(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """What tells why, on one line, however long; nothing, where it may be left out."""
    return value if value == "" and not param.required else _reason(ctx, param, value)


def moment(ctx: click.Context, param: click.Parameter, value: str | None) -> int:
    """An option's time in ms, now when it is not given; anything else is wrong usage."""
    try:
        return now_ms() if value is None else from_iso(value)
    except ValueError as error:
        example = "2026-11-23T10:00 or 2026-11-23T10:00-05:00"
        raise click.BadParameter(f"{value!r} is not a time such as {example}") from error


def database() -> Engine:
    """The database of the settings, at the version that this Callrace needs. Raises StoreError."""
    return schema.opened(Settings.from_env().database_url)


def site() -> Site:
    """The exchange of the settings, for use cases. Raises StoreError, SettingsError."""
    return Site(Settings.from_env(), database(), now_ms)


def acting() -> Actor:
    """Who runs this: CALLRACE_OPERATOR, or else the login's name, or the number of one who has no name here.

    Raises SettingsError.
    """
    try:
        return operator(os.environ.get("CALLRACE_OPERATOR") or getpass.getuser())
    except (KeyError, OSError):
        return operator(f"uid {os.getuid()}")
    except ValueError as error:
        raise SettingsError(f"CALLRACE_OPERATOR: {error}") from error


def text_of(file: TextIO) -> str:
    """All that a file says. Raises Failed when it is not UTF-8."""
    try:
        return file.read()
    except UnicodeDecodeError as error:
        raise Failed(f"{file.name}: not UTF-8 text ({error.reason} at byte {error.start})") from error


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return int(time.time() * 1000)
