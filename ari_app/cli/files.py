"""Files that a command writes after it has booked something.

They are checked before; if writing fails after, the message says what was booked.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import click

from ari_app.cli.common import Failed


class Writable(click.File):
    """An option's file, opened when it is first written. A file that cannot be written is wrong usage, at once."""

    def __init__(self, mode: str) -> None:
        super().__init__(mode, encoding=None if "b" in mode else "utf-8", lazy=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The file, not opened yet. `-` is stdout."""
        if isinstance(value, str) and value != "-":
            why_not = _why_not(Path(value))
            if why_not is not None:
                self.fail(f"{value!r} cannot be written: {why_not}", param, ctx)
        return super().convert(value, param, ctx)


def _why_not(path: Path) -> str | None:
    """Why a file cannot be written there, as far as this is known without trying."""
    if path.is_dir():
        return os.strerror(errno.EISDIR)
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    if path.exists():
        return None if os.access(path, os.W_OK) else os.strerror(errno.EACCES)
    return None if os.access(path.parent, os.W_OK | os.X_OK) else f"nothing can be put into {path.parent}"


@contextmanager
def writing_down(booked: str, *files: IO[Any] | None) -> Iterator[None]:
    """Wraps the writing after a booking (`invoice 7 is issued`). Raises Failed, which names the booking, on failure."""
    try:
        yield
    except click.FileError as error:
        raise _not_written(booked, error.message) from error
    except OSError as error:
        if error.errno == errno.EPIPE:  # the reader of our output has closed it; click ends the command
            raise
        _give_up(files)
        raise _not_written(booked, error.strerror or str(error)) from error


def _give_up(files: Iterable[IO[Any] | None]) -> None:
    """Closes the files, so that nothing tries again to write what could not be written."""
    for file in files:
        close = getattr(file, "close_intelligently", None)  # click's own: stdout stays open
        if close is not None:
            with suppress(OSError):
                close()


def _not_written(booked: str, why: str) -> Failed:
    return Failed(
        f"{booked}, but a file was not written ({why}): give the same command again, with another file; "
        "it books nothing more"
    )
