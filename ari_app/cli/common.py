"""What many commands need: the actor, the exchange of the settings, and checked options."""

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
    """A command cannot do what was asked; the message says why and what to do. Exit code 1."""

    def show(self, file: Any = None) -> None:
        """Prints the message on stderr; each of its lines begins with `callrace:`."""
        for line in self.format_message().splitlines():
            click.echo(f"{click.style('callrace:', fg='red')} {line}", file=file, err=file is None)


def as_option(check: Callable[[str, str], str]) -> Callable[..., str | None]:
    """Makes an option's callback from a function of `desk.checked`; a value that it refuses is wrong usage."""

    def checked_value(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
        try:
            return None if value is None else check(value, param.name or "")
        except Refused as error:
            raise click.BadParameter(str(error.facts["why"])) from error

    return checked_value


phone_number = as_option(checked.phone_number)
"""Checks a phone number in E.164."""
one_line = as_option(checked.line)
"""Checks a line of text that is saved and shown to people."""
owned_id = as_option(checked.owned_id)
"""Checks an id of the marketplace."""
_reason = as_option(checked.reason)


def reason_given(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Checks a reason: one line of any length; None when the option was not given."""
    return value if value == "" and not param.required else _reason(ctx, param, value)


def moment(ctx: click.Context, param: click.Parameter, value: str | None) -> int:
    """An option's time in ms, by default now; any other text is wrong usage."""
    try:
        return now_ms() if value is None else from_iso(value)
    except ValueError as error:
        example = "2026-11-23T10:00 or 2026-11-23T10:00-05:00"
        raise click.BadParameter(f"{value!r} is not a time such as {example}") from error


def database() -> Engine:
    """The database of the settings; its tables are at the revision needed. Raises StoreError."""
    return schema.opened(Settings.from_env().database_url)


def site() -> Site:
    """The exchange of the settings, for use cases. Raises StoreError, SettingsError."""
    return Site(Settings.from_env(), database(), now_ms)


def acting() -> Actor:
    """The operator who runs this command: CALLRACE_OPERATOR, or else the login name, or else the numeric user id.

    Raises SettingsError.
    """
    try:
        return operator(os.environ.get("CALLRACE_OPERATOR") or getpass.getuser())
    except (KeyError, OSError):
        return operator(f"uid {os.getuid()}")
    except ValueError as error:
        raise SettingsError(f"CALLRACE_OPERATOR: {error}") from error


def text_of(file: TextIO) -> str:
    """The whole text of a file. Raises Failed when it is not UTF-8."""
    try:
        return file.read()
    except UnicodeDecodeError as error:
        raise Failed(f"{file.name}: not UTF-8 text ({error.reason} at byte {error.start})") from error


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return int(time.time() * 1000)
