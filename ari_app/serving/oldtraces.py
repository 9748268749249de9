"""Erases the callers of old calls from the files in HOME, other than the call records.

It does for all old calls what `traces` does for one number: in calls that were set aside, the dialplan's lines, the
journal, and the database's log and free space. A file whose lines have no dates is reported by name when its last
change is old.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Engine

from ari_app.serving import running
from ari_app.serving.traces import blank, forget_ended, found_in
from ari_app.settings import Settings, refused_file
from ari_app.store.calls.aside import erase_callers
from ari_app.store.calls.journal import ASIDE
from ari_app.store.db import sqlite

_NUMBER = re.compile(rb"\+\d{7,15}")
_ANY_NUMBER = re.compile(rb"\+?\d{7,15}")
_LINE = re.compile(
    rb"(?m)^(\d{13}),[^,\n]*,[^,\n]*,(\+\d{7,15}),"
)  # a call's beginning, and its caller's number

# Files whose only date is their last change.
_UNDATED = (
    "*.log*",
    "asterisk/log/*",
    "journal/*.unreadable",
    "journal/*.part",
    "spool/*.part",
    "spool/refused/*.part",
)


class OldTraces:
    """The files in HOME that have the numbers of callers whose calls began before a time (ms)."""

    def __init__(self, settings: Settings, before: int) -> None:
        self._settings = settings
        self._before = before

    def sweep(self, now: int) -> None:
        """To be done at `now` (ms), before the records: calls set aside, and the dialplan's lines. Raises OSError."""
        is_read = running.running_pid(self._settings, "agi") is not None
        for file in self._settings.fallback_files:
            mine = [] if is_read else [file, file.with_suffix(".aside"), file.with_suffix(".open")]
            for path in (*mine, refused_file(file)):
                with suppress(FileNotFoundError):
                    self._blank_lines(path)
        erase_callers(self._settings.journal / ASIDE, lambda record: record.started_at < self._before, now)

    def after(self, engine: Engine, callers: Collection[str]) -> list[str]:
        """To be done after the records: the journal, and the database's log and free space. Returns what is left.

        Raises SwitchError, OSError.
        """
        forget_ended(self._settings)
        return [*self._in_database(engine, callers), *self._undated()]

    def _blank_lines(self, path: Path) -> None:
        if self._is_old(path):
            blank(path, _ANY_NUMBER)
            return
        with path.open("r+b") as file:
            for line in _LINE.finditer(file.read()):
                if int(line[1]) < self._before:
                    os.pwrite(file.fileno(), b" " * len(line[2]), line.start(2))

    def _in_database(self, engine: Engine, callers: Collection[str]) -> Iterator[str]:
        file = sqlite.file_of(engine)
        if file is None:
            return
        has_switch = running.running_pid(self._settings) is not None
        if not has_switch:  # callers erased earlier while a switch ran are still in free space
            sqlite.rewrite(engine)
        if not sqlite.empty_log(engine):
            yield f"{file}-wal: somebody reads the database for long; run this again"
        elif _has_any(file, callers):
            where = "free space, or in what people wrote; run this again while no switch runs"
            yield f"{file}: in {where if has_switch else 'what people wrote, such as a block or a reason'}"

    def _undated(self) -> Iterator[str]:
        for pattern in _UNDATED:
            for path in sorted(self._settings.home.glob(pattern)):
                with suppress(FileNotFoundError):  # removed meanwhile
                    if path.is_file() and path.stat().st_size and self._is_old(path):
                        yield f"{path}: not written to since; it may name callers: delete it"

    def _is_old(self, path: Path) -> bool:
        return path.stat().st_mtime * 1000 < self._before


def _has_any(path: Path, callers: Collection[str]) -> bool:
    """Whether a file has one of these numbers. In a database file, other fields may stand right beside a number."""
    wanted = {number.encode() for number in callers}
    lengths = {len(number) for number in wanted}
    with path.open("rb") as file:
        for at, length in found_in(file, _NUMBER) if wanted else ():
            there = os.pread(file.fileno(), length, at)
            if any(there[:n] in wanted for n in lengths):
                return True
    return False
