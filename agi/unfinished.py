"""Calls whose beginning the dialplan has reported, and whose end it has not reported yet.

If Asterisk itself ends, the end of its calls is never reported: a call whose channel is gone was cut off.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from ari_app.domain.calls.dialplan_call import Outcome, cut_off
from ari_app.store.db.atomic_files import write_whole

log = logging.getLogger(__name__)

# Polls a channel must be absent before its call counts as cut off (its end line is read one poll later).
GONE_LOOKS = 5


class Begun:
    """The calls, by Asterisk's id of their channel; `keep` saves them, so that they survive a restart."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._fields: dict[str, list[str]] = {}
        for line in file.read_text(errors="replace").splitlines() if file.exists() else ():
            try:
                self.add(line.split(","))
            except ValueError as error:  # the file was edited; the call's end, if reported, is recorded
                log.error("a line of %s is passed over: %s", file, error)
        self._seen_at: dict[str, int] = {}
        self._missed = Counter[str]()

    def __len__(self) -> int:
        """How many calls have begun and not ended."""
        return len(self._fields)

    def add(self, fields: Sequence[str]) -> None:
        """Adds a call by the fields of its line. Raises ValueError, which names the wrong field."""
        self._fields[cut_off(fields, 0).unique_id] = list(fields)

    def fields(self, unique_id: str) -> list[str]:
        """The fields of the line of a call's beginning; empty for an unknown call."""
        return self._fields.get(unique_id, [])

    def end(self, unique_id: str) -> None:
        """Removes a call whose end is reported and saved. An unknown call is no error."""
        self._fields.pop(unique_id, None)
        self._seen_at.pop(unique_id, None)
        self._missed.pop(unique_id, None)

    def keep(self) -> None:
        """Saves the calls to the file. Raises OSError."""
        if self._fields:
            write_whole(
                self._file, "".join(f"{','.join(fields)}\n" for fields in self._fields.values()).encode()
            )
        else:
            self._file.unlink(missing_ok=True)

    def start_over(self) -> None:
        """Counts absences from zero again: lines could not be read, and the end of an absent call may be in them."""
        self._missed.clear()

    def cut_off(self, there: Collection[str], now: int) -> list[Outcome]:
        """The calls that were cut off when Asterisk ended. `there`: its channels at this poll, at `now` (ms)."""
        for unique_id in self._fields:
            if unique_id in there:
                self._seen_at[unique_id] = now
                del self._missed[unique_id]
            else:
                self._missed[unique_id] += 1
        gone = [unique_id for unique_id, looks in self._missed.items() if looks >= GONE_LOOKS]
        return [cut_off(self._fields[unique_id], self._seen_at.get(unique_id, 0)) for unique_id in gone]
