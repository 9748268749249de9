"""Calls that the dialplan has begun to serve and has not told the end of yet.

Should Asterisk itself end, nobody ever tells: a call that is in Asterisk no more has ended with it.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from ari_app.domain.calls.dialplan_call import Outcome, cut_off
from ari_app.store.db.atomic_files import write_whole

log = logging.getLogger(__name__)

# So many looks in a row a call is not in Asterisk before it is taken for cut off: its end is read a look later.
GONE_LOOKS = 5


class Begun:
    """The calls by Asterisk's id of their channel; `keep` writes them down, so that a restart knows them."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._fields: dict[str, list[str]] = {}
        for line in file.read_text(errors="replace").splitlines() if file.exists() else ():
            try:
                self.add(line.split(","))
            except (
                ValueError
            ) as error:  # whoever wrote to it; the call's end, if it is told, is recorded all the same
                log.error("a line of %s is passed over: %s", file, error)
        self._seen_at: dict[str, int] = {}
        self._missed = Counter[str]()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._fields)

    def add(self, fields: Sequence[str]) -> None:
        """A call has begun: the fields of its line. Raises ValueError, naming the field that is wrong."""
        self._fields[cut_off(fields, 0).unique_id] = list(fields)

    def fields(self, unique_id: str) -> list[str]:
        """What the line of a call's beginning said; nothing of one that is not here."""
        return self._fields.get(unique_id, [])

    def end(self, unique_id: str) -> None:
        """Its end is told and saved. One that is not here is no error."""
        self._fields.pop(unique_id, None)
        self._seen_at.pop(unique_id, None)
        self._missed.pop(unique_id, None)

    def keep(self) -> None:
        """Writes down what there is now. Raises OSError."""
        if self._fields:
            write_whole(
                self._file, "".join(f"{','.join(fields)}\n" for fields in self._fields.values()).encode()
            )
        else:
            self._file.unlink(missing_ok=True)

    def look_anew(self) -> None:
        """What was told could not be read: that a call was not in Asterisk means nothing until it can."""
        self._missed.clear()

    def cut_off(self, there: Collection[str], now: int) -> list[Outcome]:
        """The calls that have ended with Asterisk. `there`: the channels it has at this look, at `now` (ms)."""
        for unique_id in self._fields:
            if unique_id in there:
                self._seen_at[unique_id] = now
                del self._missed[unique_id]
            else:
                self._missed[unique_id] += 1
        gone = [unique_id for unique_id, looks in self._missed.items() if looks >= GONE_LOOKS]
        return [cut_off(self._fields[unique_id], self._seen_at.get(unique_id, 0)) for unique_id in gone]
