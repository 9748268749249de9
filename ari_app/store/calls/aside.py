"""Calls that a switch could not resume, a file each. Each start of a switch tries them again.

    aside/ID.json   the call as far as it had come, as a line of the journal has it
    aside/ID.txt    why it was set aside

Nobody is charged for these calls yet. A file is deleted only when its call is saved.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ari_app.domain.calls.privacy import erase
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.routing.recovery import UnderWay
from ari_app.domain.terms.wire import Unreadable, pack_under_way, unpack_line
from ari_app.store.db.atomic_files import listed, sync, write_whole

log = logging.getLogger(__name__)


class Aside:
    """The calls in `folder`, which is made when the first one comes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ids = {path.stem for path in listed(folder)}

    def __len__(self) -> int:
        """How many calls are set aside, as far as this process knows."""
        return len(self._ids)

    def put(self, call: UnderWay, reason: str) -> None:
        """Writes a call as it stands now, in place of an earlier file of the same call. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{call.record.id}.json"
        write_whole(path.with_suffix(".txt"), reason.encode())
        write_whole(path, pack_under_way(call))
        sync(self._folder)
        self._ids.add(call.record.id)

    def calls(self) -> list[UnderWay]:
        """The calls, in the order in which they began. A file that is no call stays, and the log names it."""
        found = []
        for path in listed(self._folder):
            try:
                _, call = unpack_line(path.read_bytes())
            except (Unreadable, OSError) as error:
                log.error("%s is no call that this Callrace can read, and stays: %s", path, error)
                continue
            if call is not None:
                found.append(call)
        return sorted(found, key=lambda call: call.record.id)

    def reasons(self) -> Mapping[str, str]:
        """Why each call was set aside, by id. Raises OSError."""
        texts = {path.stem: path.with_suffix(".txt") for path in listed(self._folder)}
        return {
            name: text.read_text(errors="replace") if text.exists() else "" for name, text in texts.items()
        }

    def forget(self, call_ids: Iterable[str]) -> None:
        """Deletes the files of saved calls. A call without a file is no error. A file that cannot be deleted stays."""
        for call_id in self._ids.intersection(call_ids):
            path = self._folder / f"{call_id}.json"
            try:
                path.unlink(missing_ok=True)
                path.with_suffix(".txt").unlink(missing_ok=True)
            except OSError as error:
                log.warning("call %s is saved, but %s stays: %s", call_id, path, error.strerror)
                continue
            self._ids.discard(call_id)


def erase_callers(folder: Path, is_wanted: Callable[[CallRecord], bool], now: int) -> None:
    """Erases the callers of some of the calls that are set aside, at `now` (ms). A file that is no call stays.

    Raises OSError.
    """
    for path in listed(folder):
        try:
            _, call = unpack_line(path.read_bytes())
        except (FileNotFoundError, Unreadable):
            continue
        if call is None or call.record.ani is None or not is_wanted(call.record):
            continue
        reason = path.with_suffix(".txt")
        if reason.exists():
            told = reason.read_text(errors="replace").replace(call.record.ani, " " * len(call.record.ani))
            write_whole(reason, told.encode())
        erase(call.record, now)
        call.entered_zip = None
        write_whole(path, pack_under_way(call))
        sync(folder)
