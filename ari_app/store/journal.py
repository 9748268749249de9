"""The journal: every call under way, a file each, for the switch that comes after one that died.

    journal/ID.json   the call as it stood when it last took a step
    journal/alive     touched every ALIVE_EVERY_S: until when the switch is known to have lived

Written by a thread, so that no call waits for the disk: a call's first entry and durable ones at once, the
others within GATHER_S. What a killed process had written stays written; a durable entry survives the
machine's end too. Where the disk is full calls go on, and are lost to recovery only.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from pathlib import Path

from ari_app.domain.keeping import Unreadable, pack_under_way, unpack_under_way
from ari_app.domain.leftover import UnderWay
from ari_app.store.calls import Settlement
from ari_app.store.folder import listed, sync_folder, write_whole

log = logging.getLogger(__name__)

ALIVE_EVERY_S = 1.0
GATHER_S = 0.02  # a call takes several steps at a time: one entry does for them
CLOSE_S = 5.0

# What is to be written of a call, and whether durably; None: its file is to go.
_Entry = tuple[bytes, bool] | None


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
        self._known: set[str] = set()  # calls that have an entry, written or waiting
        self._is_urgent = False
        self._is_usable = True
        self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="callrace-journal", daemon=True)

    def left(self) -> list[UnderWay]:
        """The calls that a switch before this one left, in the order in which they began."""
        return [call for path in listed(self._folder) if (call := _read(path)) is not None]

    def start(self) -> None:
        """Begins to write."""
        self._thread.start()

    def keep(self, call: UnderWay, *, durably: bool = False) -> None:
        """Has a call written down as it stands now, in place of what was written of it before."""
        content = pack_under_way(call)
        with self._changed:
            waiting = self._waiting.get(call.record.id)
            self._waiting[call.record.id] = (content, durably or (waiting is not None and waiting[1]))
            self._is_urgent = self._is_urgent or durably or call.record.id not in self._known
            self._known.add(call.record.id)
            self._changed.notify()

    def settled(self, batch: Iterable[Settlement]) -> None:
        """These calls are saved: for the writer to tell."""
        self.forget(settlement.record.id for settlement in batch)

    def forget(self, call_ids: Iterable[str]) -> None:
        """These calls are over and saved."""
        with self._changed:
            for call_id in call_ids:
                self._waiting[call_id] = None
                self._known.discard(call_id)
            self._changed.notify()

    def close(self) -> None:
        """Writes what waits, and stops."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    # The thread

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing, ALIVE_EVERY_S)
                self._changed.wait_for(lambda: self._is_urgent or self._closing, GATHER_S)
                entries, self._waiting, self._is_urgent = self._waiting, {}, False
                is_last = self._closing
            self._write(entries)
            if is_last:
                return

    def _write(self, entries: dict[str, _Entry]) -> None:
        try:
            for call_id, entry in entries.items():
                self._write_one(self._folder / f"{call_id}.json", entry)
            if any(entry is not None and entry[1] for entry in entries.values()):
                sync_folder(self._folder)
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
        else:
            write_whole(path, entry[0], durably=entry[1])


def _read(path: Path) -> UnderWay | None:
    try:
        return unpack_under_way(path.read_bytes())
    except Unreadable as error:
        log.error("%s is no call under way (%s); it is kept as %s.unreadable", path, error, path.name)
        path.replace(path.with_name(f"{path.name}.unreadable"))
        return None
