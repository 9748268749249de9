"""Where callers of old calls may still stand in files of HOME beside the records, and how they are taken out there.

As `traces` does for one number: calls that were set aside, the dialplan's lines, the journal, the database's log and
free space. A file that has no dates to go by, and that nobody has written to since, is named.
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
)  # of a call: when it began, and its caller's number

# Files that nothing dates but when they were last written to.
_UNDATED = (
    "*.log*",
    "asterisk/log/*",
    "journal/*.unreadable",
    "journal/*.part",
    "spool/*.part",
    "spool/refused/*.part",
)


class OldTraces:
    """The files of HOME that name callers of calls that began before a moment (ms)."""

    def __init__(self, settings: Settings, before: int) -> None:
        self._settings = settings
        self._before = before

    def sweep(self, now: int) -> None:
        """Before the records, at `now` (ms): calls that were set aside, and what the dialplan told. Raises OSError."""
        is_read = running.running_pid(self._settings, "agi") is not None
        for file in self._settings.fallback_files:
            mine = [] if is_read else [file, file.with_suffix(".aside"), file.with_suffix(".open")]
            for path in (*mine, refused_file(file)):
                with suppress(FileNotFoundError):
                    self._blank_lines(path)
        erase_callers(self._settings.journal / ASIDE, lambda record: record.started_at < self._before, now)

    def after(self, engine: Engine, callers: Collection[str]) -> list[str]:
        """After the records: the journal, and what the database keeps of these callers beside its rows; what is left.

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
        if not has_switch:  # whoever was forgotten before, beside a switch, is in free space, too
            sqlite.rewrite(engine)
        if not sqlite.empty_log(engine):
            yield f"{file}-wal: somebody reads the database for long; run this again"
        elif _has_any(file, callers):
            where = "free space, or in what people wrote; run this again while no switch runs"
            yield f"{file}: in {where if has_switch else 'what people wrote, such as a block or a reason'}"

    def _undated(self) -> Iterator[str]:
        for pattern in _UNDATED:
            for path in sorted(self._settings.home.glob(pattern)):
                with suppress(FileNotFoundError):  # it went meanwhile
                    if path.is_file() and path.stat().st_size and self._is_old(path):
                        yield f"{path}: not written to since; it may name callers: delete it"

    def _is_old(self, path: Path) -> bool:
        return path.stat().st_mtime * 1000 < self._before


def _has_any(path: Path, callers: Collection[str]) -> bool:
    """Whether a file has one of these numbers; a database has other fields right beside it."""
    wanted = {number.encode() for number in callers}
    lengths = {len(number) for number in wanted}
    with path.open("rb") as file:
        for at, length in found_in(file, _NUMBER) if wanted else ():
            there = os.pread(file.fileno(), length, at)
            if any(there[:n] in wanted for n in lengths):
                return True
    return False
