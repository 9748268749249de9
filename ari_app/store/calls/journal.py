"""The journal: every call under way, so that the next switch can find it if this one dies.

    journal/N.jsonl   a line for each step of a call: the call as it stands, or that it is over;
                      for each call the last line counts
    journal/aside/    calls that could not be resumed, see `aside`
    journal/alive     when the switch was last alive, by the machine's monotonic clock: written with each step, and
                      every ALIVE_EVERY_S. After a reboot the modification time of the newest file says it

All calls are appended to one file, because a file for each call would cost more than everything else. The next file
begins when this one has grown to FILE_LIMIT and to GROWTH times its first size, or when it is KEPT_FOR_S old and has
calls that are over. The next file begins with the calls under way; the older files are deleted, so that callers'
numbers are not kept longer. So a line costs the same however many calls are under way. Calls that the spool or the
database has are not kept here.

A thread writes the lines within GATHER_S, so no call waits for the disk. While there are calls, the thread looks by
itself that often: to wake it for each step would cost more than the writing. What a killed
process had written stays written. (Nothing is synced: when the machine dies, its Asterisk and its calls die
too.) If the disk is full, calls go on; until there is room again, recovery would not find their new steps.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.routing.recovery import Timeline, UnderWay
from ari_app.domain.terms.wire import Unreadable, pack_over, pack_under_way, salvaged, unpack_line
from ari_app.store.calls.aside import Aside
from ari_app.store.calls.calls import Settlement
from ari_app.store.db.uptime import boot, monotonic_ms

log = logging.getLogger(__name__)

ALIVE_EVERY_S = 1.0
GATHER_S = 0.1
FILE_LIMIT = 64 * 1024 * 1024  # bytes
GROWTH = 3
KEPT_FOR_S = 600.0
CLOSE_S = 5.0
_UNREADABLE = ".unreadable"
ASIDE = "aside"  # a folder inside the journal's, see `store.calls.aside`

_Entries = Mapping[str, UnderWay | None]
"""Calls that are to be written, by id; None: the call is over."""


class Journal:
    """The journal in `folder`.

    `last_seen` (ms, by the system's clock): when the switch before this one was last alive, if there was one. See also
    `last_seen_by`. `aside`: the calls that could not be resumed. `lost`: the calls of which no line can be read; their
    records have only how the calls began.

    Only the newest entry of each call is written, so the calls under way bound what waits to be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._alive = folder / "alive"
        folder.mkdir(parents=True, exist_ok=True)
        files = [path for path in folder.iterdir() if path.is_file()]
        self.last_seen = max((int(path.stat().st_mtime * 1000) for path in files), default=None)
        self._last_alive = _last_alive(self._alive)
        self.aside = Aside(folder / ASIDE)
        self._under_way, self.lost = _read(folder)
        self._waiting: dict[str, UnderWay | None] = {}
        self._lock = threading.Lock()
        self._has_news = threading.Event()
        self._closing = threading.Event()
        self._file: BinaryIO | None = None  # none yet, or writing to it failed
        self._begun_at = 0.0
        self._limit = FILE_LIMIT
        self._has_ended_calls = False  # in the file
        self._is_to_begin = False
        self._is_usable = True
        self._thread = threading.Thread(target=self._run, name="callrace-journal", daemon=True)

    def left(self) -> list[UnderWay]:
        """The calls that an earlier switch left, in the order in which they began.

        They count as under way until they are forgotten. Ask for them before any other call is kept.
        """
        return [call for _, call in sorted(self._under_way.items())]

    def last_seen_by(self, timeline: Timeline | None) -> int | None:
        """When the switch before this one was last alive (ms), by the clock of one of its calls."""
        if timeline is None or self._last_alive is None or timeline.boot != self._last_alive[0]:
            return self.last_seen
        return timeline.offset_ms + self._last_alive[1]

    @property
    def is_usable(self) -> bool:
        """Whether the last write to the disk succeeded."""
        return self._is_usable

    def start(self) -> None:
        """Starts the thread that writes."""
        self._thread.start()

    def keep(self, call: UnderWay) -> None:
        """Has a call written as it stands now; this line replaces its earlier ones."""
        with self._lock:
            self._under_way[call.record.id] = self._waiting[call.record.id] = call
            self._end_rest()

    def settled(self, batch: Iterable[Settlement]) -> None:
        """These calls are safe, in the database or in the spool. The writer may say so more than once of a call."""
        safe = [settlement.record.id for settlement in batch]
        self.forget(safe)
        self.aside.forget(safe)

    def forget(self, call_ids: Iterable[str]) -> None:
        """These calls are over, and safe elsewhere."""
        with self._lock:
            for call_id in call_ids:
                if self._under_way.pop(call_id, None) is not None:
                    self._waiting[call_id] = None
            if self._waiting:
                self._end_rest()

    def compact(self) -> None:
        """Has the next file begun within two seconds. Then calls that are over are in no file any more."""
        self._is_to_begin = True
        self._has_news.set()

    def close(self) -> None:
        """Writes what is left, and stops the thread."""
        self._closing.set()
        self._has_news.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    def _end_rest(self) -> None:
        if not self._has_news.is_set():  # mostly it is set already, and this costs nothing
            self._has_news.set()

    # The thread

    def _run(self) -> None:
        while not self._closing.is_set():
            self._write(self._take())
            if self._has_news.wait(ALIVE_EVERY_S):
                self._write_what_comes()
        self._write(self._take())
        self._close_file()

    def _write_what_comes(self) -> None:
        """Until there was nothing to write for ALIVE_EVERY_S."""
        rest_at = time.monotonic() + ALIVE_EVERY_S
        while time.monotonic() < rest_at and not self._closing.wait(GATHER_S):
            entries = self._take()
            if entries:
                self._write(entries)
                rest_at = time.monotonic() + ALIVE_EVERY_S
        with self._lock:
            if not self._waiting:
                self._has_news.clear()

    def _take(self) -> _Entries:
        with self._lock:
            entries, self._waiting = self._waiting, {}
        return entries

    def _write(self, entries: _Entries) -> None:
        try:
            if self._file is None or self._file.tell() > self._limit or self._is_stale() or self._is_to_begin:
                self._begin_file()
            elif entries:
                _append(self._file, entries)
                self._has_ended_calls |= None in entries.values()
            self._alive.write_text(f"{boot()} {monotonic_ms()}")
            self._is_usable = True
        except OSError as error:
            self._close_file()  # its last line may be cut off; the next file will have every call
            if self._is_usable:
                message = "calls under way are not written down (%s: %s): a crash now would lose them"
                log.critical(message, self._folder, error.strerror)
            self._is_usable = False

    def _is_stale(self) -> bool:
        return self._has_ended_calls and time.monotonic() - self._begun_at > KEPT_FOR_S

    def _begin_file(self) -> None:
        """Begins the next file with every call under way; then deletes the files before it. Raises OSError."""
        self._close_file()
        self._is_to_begin = False
        with self._lock:
            under_way = dict(self._under_way)
        self._file = _begin(self._folder, under_way)
        self._begun_at, self._has_ended_calls = time.monotonic(), False
        self._limit = max(FILE_LIMIT, GROWTH * self._file.tell())

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None


def forget_ended(folder: Path) -> None:
    """Removes calls that are over from a journal that no switch writes. When its switch was last alive stays known.

    Raises OSError.
    """
    files = _files(folder)
    if files:
        lived_at = max(path.stat().st_mtime_ns for path in files)
        _begin(folder, _read(folder)[0]).close()
        os.utime(_files(folder)[-1], ns=(lived_at, lived_at))


def _begin(folder: Path, under_way: _Entries) -> BinaryIO:
    """Writes the next file with these calls; then deletes the files before it. Raises OSError."""
    older = _files(folder)
    unfinished = folder / "next.part"
    file = unfinished.open("wb", buffering=0)
    _append(file, under_way)
    number = int(older[-1].stem) + 1 if older else 1
    unfinished.rename(folder / f"{number}.jsonl")
    for path in older:
        path.unlink()
    return file


def _last_alive(path: Path) -> tuple[str, int] | None:
    """When a switch was last alive: the boot, and the ms of its monotonic clock; None: that is not known."""
    try:
        its_boot, at = path.read_text().split()
        return its_boot, int(at)
    except (OSError, ValueError):
        return None


def _append(file: BinaryIO, entries: _Entries) -> None:
    """Writes a line each. Raises OSError."""
    # The call goes on meanwhile. Its record is written as it stands, without giving up the interpreter.
    packed = [pack_over(name) if call is None else pack_under_way(call) for name, call in entries.items()]
    content = b"".join(line + b"\n" for line in packed)
    if file.write(content) != len(content):
        raise OSError(errno.ENOSPC, "the disk took only a part")


def _files(folder: Path) -> list[Path]:
    """The journal's files, oldest first. Other files in the folder are ignored."""
    ours = (path for path in folder.glob("*.jsonl") if path.stem.isdecimal())
    return sorted(ours, key=lambda path: int(path.stem))


def unreadable(folder: Path) -> list[Path]:
    """The files of a journal that had an unreadable line; copies of them were kept."""
    return sorted(folder.glob(f"*{_UNREADABLE}"))


def has_calls(folder: Path) -> bool:
    """Whether a switch that died left calls. Cheap to ask often: an unchanged journal is read once. Raises OSError."""
    try:
        stats = [(path, path.stat()) for path in _files(folder)]
        return _has_calls(tuple((path, stat.st_mtime_ns, stat.st_size) for path, stat in stats))
    except FileNotFoundError:  # a switch that starts writes another one
        return False


@lru_cache(maxsize=1)
def _has_calls(files: tuple[tuple[Path, int, int], ...]) -> bool:
    newest = {}
    for path, _, _ in files:
        for line in _lines(path):
            with suppress(Unreadable):
                name, call = unpack_line(line)
                newest[name] = call is not None
    return any(newest.values())


def _read(folder: Path) -> tuple[dict[str, UnderWay], list[CallRecord]]:
    """The calls under way, by id; and how the calls began of which no line can be read."""
    newest: dict[str, UnderWay | None] = {}
    unread: dict[str, CallRecord] = {}
    for path in _files(folder):
        for line in _lines(path):
            try:
                name, call = unpack_line(line)
                newest[name] = call
            except Unreadable as error:
                kept = shutil.copy(path, path.with_name(path.name + _UNREADABLE))
                log.error("%s has a line that is no call under way (%s); it is kept as %s", path, error, kept)
                if (record := salvaged(line)) is not None:
                    unread[record.id] = record
    lost = [record for name, record in sorted(unread.items()) if name not in newest]
    return {name: call for name, call in newest.items() if call is not None}, lost


def _lines(path: Path) -> list[bytes]:
    """What comes after the last newline was cut off."""
    return path.read_bytes().split(b"\n")[:-1]
