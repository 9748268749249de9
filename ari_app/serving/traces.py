"""Erases one caller's number from the files in HOME, other than the call records.

These are the database's own log, the journal, files set aside or refused, the dialplan's files, and logs. In a file to
which another program may be appending, the number is overwritten in place by as many spaces, so no line is lost. Files
that still have the number are reported by name.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Engine

from ari_app.serving import running
from ari_app.settings import Settings
from ari_app.store.calls import journal
from ari_app.store.calls.aside import erase_callers
from ari_app.store.db import sqlite

PATIENCE_S = 3.0
_POLL_S = 0.1
_PART_S = 60.0  # an unfinished file that is older than this was left by a process that died
_CHUNK = 1 << 20  # bytes
_LONGEST = 192  # bytes: longer than any spelling of a number and the characters looked at around it
_BETWEEN = rb"(?:[ ().-]|%2[089DdEe]){0,3}"  # separators between digits; URL-encoded in the dialplan's files
_BEFORE = rb"(?:(?<!\d)|(?<=%\d[\dA-Fa-f]))(?:\+|%2[Bb])?"

# Files under HOME in which the number is overwritten; those of the dialplan only while no program will read them.
_TEXTS = (
    "*.log*",
    "asterisk/log/*",
    "journal/*.unreadable",
    "journal/aside/*",
    "spool/refused/*",
    "journal/*.part",
    "spool/*.part",
    "fallback.refused",
    "asterisk/spool/fallback.refused",
)
_DIALPLANS = tuple(
    f"{folder}fallback.{kind}"
    for folder in ("", "asterisk/spool/")
    for kind in ("csv", "aside", "open", "open.part", "pins")
)
_NOT_CALLERS = frozenset({"prompts", "creatives", "recordings", "secrets"})  # have no callers' numbers


class Traces:
    """The files in HOME that may contain this caller's number (E.164)."""

    def __init__(self, settings: Settings, number: str) -> None:
        digits = number.removeprefix("+")
        national = digits[1:] if len(digits) == 11 and digits.startswith("1") else digits
        country = digits.removesuffix(national)
        self._settings = settings
        self._number = number
        self._spelt = re.compile(_spelt(country, national))
        self._bare = re.compile(national.encode())  # a database file has other fields right beside it

    def before(self, now: int) -> None:
        """To be done before the records: lets the AGI server save the dialplan's lines; erases lines not to be saved.

        `now` in ms. Raises OSError.
        """
        if running.running_pid(self._settings, "agi") is not None:
            _wait(lambda: not any(self._has(path) for path in self._files(_DIALPLANS)))
        else:
            self._blank(_DIALPLANS)
        aside = self._settings.journal / journal.ASIDE
        erase_callers(aside, lambda record: record.ani == self._number, now)

    def after(self, engine: Engine) -> list[str]:
        """To be done after the records: erases the number from the other files.

        Returns the files that still have it and the reason, one line each.

        Raises SwitchError, OSError.
        """
        if forget_ended(self._settings):
            _wait(lambda: not any(self._has(path) for path in self._files(("journal/*.jsonl",))))
        self._blank(_TEXTS)
        return [*self._in_database(engine), *self._left()]

    def _in_database(self, engine: Engine) -> Iterator[str]:
        file = sqlite.file_of(engine)
        if file is None:
            return
        if not sqlite.empty_log(engine):
            yield f"{file}-wal: somebody reads the database for long"
        elif self._has(file, self._bare):
            if running.running_pid(self._settings) is None:
                sqlite.rewrite(engine)
                if self._has(file, self._bare):
                    yield f"{file}: in what people wrote, such as a block or a reason"
            else:
                yield f"{file}: in free space, or in what people wrote; run this again while no switch runs"

    def _left(self) -> Iterator[str]:
        for folder, folders, names in os.walk(self._settings.home):
            here = Path(folder)
            folders[:] = [
                name
                for name in folders
                if here / name != self._settings.asterisk_root
                and not (here == self._settings.home and name in _NOT_CALLERS)
            ]
            for path in sorted(here / name for name in names):
                if not re.search(r"\.db(-wal|-shm|-journal)?$", path.name) and self._has(path):
                    yield f"{path}: in a call that is not over, or not saved"

    def _files(self, patterns: tuple[str, ...]) -> Iterator[Path]:
        for pattern in patterns:
            yield from filter(Path.is_file, self._settings.home.glob(pattern))

    def _has(self, path: Path, spelt: re.Pattern[bytes] | None = None) -> bool:
        try:
            if not path.is_file():  # such as a socket or a pipe
                return False
            with path.open("rb") as file:
                return any(True for _ in found_in(file, spelt or self._spelt))
        except FileNotFoundError:  # removed meanwhile
            return False

    def _blank(self, patterns: tuple[str, ...]) -> None:
        for path in self._files(patterns):
            with suppress(FileNotFoundError):  # removed meanwhile
                if not _is_being_written(path) and self._has(path):
                    blank(path, self._spelt)


def forget_ended(settings: Settings) -> bool:
    """Removes ended calls from the journal. Returns whether a running switch will do it, within two seconds.

    Raises SwitchError, OSError.
    """
    if running.running_pid(settings) is None:
        with running.only_switch(settings):
            journal.forget_ended(settings.journal)
        return False
    running.renew_journal(settings)
    return True


def _is_being_written(path: Path) -> bool:
    return path.suffix == ".part" and time.time() - path.stat().st_mtime < _PART_S


def blank(path: Path, spelt: re.Pattern[bytes]) -> None:
    """Overwrites each match in place by as many spaces, as others may be appending to the file. Raises OSError."""
    with path.open("r+b") as file:
        for at, length in list(found_in(file, spelt)):
            os.pwrite(file.fileno(), b" " * length, at)


def found_in(file: BinaryIO, spelt: re.Pattern[bytes]) -> Iterator[tuple[int, int]]:
    """The position and length of each match in a file, which is read piece by piece."""
    buffer, begins_at, seen_to = b"", 0, 0
    while True:
        chunk = file.read(_CHUNK)
        buffer += chunk
        sure_to = begins_at + len(buffer) - (_LONGEST if chunk else 0)
        for match in spelt.finditer(buffer):
            at = begins_at + match.start()
            if seen_to <= at < sure_to:
                yield at, match.end() - match.start()
        if not chunk:
            return
        seen_to = max(sure_to, seen_to)
        rest = buffer[-2 * _LONGEST :]
        begins_at += len(buffer) - len(rest)
        buffer = rest


def _spelt(country: str, national: str) -> bytes:
    """The pattern of a number with or without its country code, and not as a part of a longer number."""
    own, rest = (_BETWEEN.join(digit.encode() for digit in text) for text in (country, national))
    return _BEFORE + (b"(?:" + own + _BETWEEN + b")?" if own else b"") + rest + rb"(?!\d)"


def _wait(is_done: Callable[[], bool]) -> None:
    """Waits until `is_done`, for PATIENCE_S at most."""
    until = time.monotonic() + PATIENCE_S
    while not is_done() and time.monotonic() < until:
        time.sleep(_POLL_S)
