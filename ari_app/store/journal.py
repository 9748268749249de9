"""The journal: every call under way, a file each, for the switch that comes after one that died.

    journal/ID.json   the call as it stood, a line each time that it took a step; the last whole line counts
    journal/alive     touched every ALIVE_EVERY_S: until when the switch is known to have lived

Written by a thread, so that no call waits for the disk: that a call has begun and is connected at once, its
other steps within GATHER_S, as waking the thread for each would cost a call more than all the rest. What a
killed process had written stays written. (Nothing is synced: when the machine dies, its Asterisk and its calls
die too.) Where the disk is full calls go on, and are lost to recovery only.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from pathlib import Path

from ari_app.domain.keeping import Unreadable, pack_under_way, unpack_under_way
from ari_app.domain.leftover import UnderWay
from ari_app.store.calls import Settlement
from ari_app.store.folder import listed

log = logging.getLogger(__name__)

ALIVE_EVERY_S = 1.0
GATHER_S = 0.05  # calls take several steps at a time: one entry does for them, and one waking for all calls
CLOSE_S = 5.0

_Entry = UnderWay | None
"""A call to be written down; None: its file is to go."""


class Journal:
    """The journal in `folder`. `last_seen` (ms) is when the switch before this one last lived, if one did.

    Of each call only the newest entry is written, so what waits is bounded by the calls under way.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._alive = folder / "alive"
        folder.mkdir(parents=True, exist_ok=True)
        self.last_seen = int(self._alive.stat().st_mtime * 1000) if self._alive.exists() else None
        self._waiting: dict[str, _Entry] = {}
        self._lock = threading.Lock()
        self._known: set[str] = set()  # calls that have an entry, written or waiting
        self._has_news = threading.Event()
        self._is_urgent = threading.Event()
        self._closing = threading.Event()
        self._is_usable = True
        self._thread = threading.Thread(target=self._run, name="callrace-journal", daemon=True)

    def left(self) -> list[UnderWay]:
        """The calls that a switch before this one left, in the order in which they began."""
        return [call for path in listed(self._folder) if (call := _read(path)) is not None]

    def start(self) -> None:
        """Begins to write."""
        self._thread.start()

    def keep(self, call: UnderWay, *, at_once: bool = False) -> None:
        """Has a call written down as it stands now, in place of what was written of it before."""
        with self._lock:
            self._waiting[call.record.id] = call
            is_new = call.record.id not in self._known
            self._known.add(call.record.id)
        if is_new or at_once:
            self._is_urgent.set()
        self._has_news.set()

    def settled(self, batch: Iterable[Settlement]) -> None:
        """These calls are saved: for the writer to tell."""
        self.forget(settlement.record.id for settlement in batch)

    def forget(self, call_ids: Iterable[str]) -> None:
        """These calls are over and saved."""
        with self._lock:
            for call_id in call_ids:
                self._waiting[call_id] = None
                self._known.discard(call_id)
        self._has_news.set()

    def close(self) -> None:
        """Writes what waits, and stops."""
        self._closing.set()
        self._is_urgent.set()
        self._has_news.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    # The thread

    def _run(self) -> None:
        is_last = False
        while not is_last:
            self._has_news.wait(ALIVE_EVERY_S)
            self._is_urgent.wait(GATHER_S)
            is_last = self._closing.is_set()
            self._is_urgent.clear()
            self._has_news.clear()
            with self._lock:
                entries, self._waiting = self._waiting, {}
            self._write(entries)

    def _write(self, entries: dict[str, _Entry]) -> None:
        try:
            for call_id, entry in entries.items():
                self._write_one(self._folder / f"{call_id}.json", entry)
            self._alive.touch()
            self._is_usable = True
        except OSError as error:
            if self._is_usable:
                message = "calls under way are not written down (%s: %s): a crash now would lose them"
                log.critical(message, self._folder, error.strerror)
            self._is_usable = False

    def _write_one(self, path: Path, entry: _Entry) -> None:
        if entry is None:
            path.unlink(missing_ok=True)
            return
        # The call goes on meanwhile; its record is written as it stands, in one step of the interpreter.
        line = pack_under_way(entry) + b"\n"
        with path.open("ab") as file:
            file.write(line)


def last_line(content: bytes) -> bytes:
    """The last line that was written to its end; all of it where there is none."""
    whole, newline, _ = content.rpartition(b"\n")
    return whole.rpartition(b"\n")[2] if newline else content


def _read(path: Path) -> UnderWay | None:
    try:
        return unpack_under_way(last_line(path.read_bytes()))
    except Unreadable as error:
        log.error("%s is no call under way (%s); it is kept as %s.unreadable", path, error, path.name)
        path.replace(path.with_name(f"{path.name}.unreadable"))
        return None
