"""What calls served by the dialplan are pinned to: written when it asks whom to ring, read when the call has ended.

So a call is charged to the campaign whose phones were rung and in which room was reserved, whatever is applied or
assigned during the call. One file has a line for each call, appended before `route` answers.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

from ari_app.domain.routing.snapshot import Pin
from ari_app.domain.terms.wire import Unreadable, pack_pinned, unpack_pinned
from ari_app.store.db.atomic_files import write_whole

log = logging.getLogger(__name__)

LIMIT = 20_000  # calls; an operator's own dialplan may never report how a call ended
TIDY_AT = 1_000  # lines of ended calls


class Pins:
    """The pins in `file`, by call. Safe to use from several threads."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._pins: OrderedDict[str, bytes] = OrderedDict()
        self._over = 0  # lines in the file for calls that are forgotten
        self._lock = threading.Lock()
        is_whole = True
        for line in file.read_bytes().splitlines() if file.exists() else ():
            try:
                self._pins[unpack_pinned(line)[0]] = line
            except Unreadable as error:  # the machine died while the line was written
                log.warning("a line of %s is passed over: %s", file, error)
                is_whole = False
        if not is_whole:
            self._tidy()

    def __len__(self) -> int:
        """How many calls have a pin."""
        return len(self._pins)

    def add(self, call_id: str, pin: Pin) -> None:
        """Adds the pin of a call; when there are too many, the oldest is forgotten.

        Raises OSError when it cannot be written to disk; it is in memory all the same.
        """
        line = pack_pinned(call_id, pin)
        with self._lock:
            self._pins[call_id] = line
            if len(self._pins) > LIMIT:
                self._pins.popitem(last=False)
                self._over += 1
            self._append([line])

    def of(self, call_id: str) -> Pin | None:
        """What a call is pinned to; None when the dialplan never asked `route` for it."""
        line = self._pins.get(call_id)
        return unpack_pinned(line)[1] if line is not None else None

    def forget(self, call_ids: Iterable[str]) -> None:
        """Forgets calls that have ended and are saved. Raises OSError."""
        with self._lock:
            self._over += sum(self._pins.pop(call_id, None) is not None for call_id in call_ids)
            has_many_over = self._over > max(TIDY_AT, len(self._pins))
        if has_many_over:
            self._tidy()

    def _tidy(self) -> None:
        """Removes ended calls from the file. `add`, for which callers wait, does not wait for this write."""
        with self._lock:
            kept, self._over = dict(self._pins), 0
        write_whole(self._file, _lines(kept.values()))
        with self._lock:
            self._append([line for call_id, line in self._pins.items() if kept.get(call_id) != line])

    def _append(self, lines: Iterable[bytes]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("ab") as file:
            file.write(_lines(lines))


def _lines(pins: Iterable[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in pins)
