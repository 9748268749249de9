"""Saves settled calls from a thread of its own: no call ever waits for the database."""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ari_app import logs
from ari_app.store import calls
from ari_app.store.calls import Settlement
from ari_app.store.errors import QueueFull, StoreError, WriterStopped

log = logging.getLogger(__name__)

CAPACITY = 10_000
BATCH = 50
GATHER_S = 0.5  # how long the first of a batch waits for more: a call saved alone costs four times the CPU
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
GIVE_UP_S = 15.0  # for the attempt under way at `close`: longer than either database's own time-outs

# What a record that fits no table raises: on its way into a row, or by the database.
_BAD_DATA = (SQLAlchemyError, TypeError, ValueError, AttributeError, OverflowError)


class Writer:
    """A bounded queue of settlements, and the thread that saves them in batches.

    While the database is away they wait, and are tried again. One that can never be saved is written
    to `unsaved/<call id>.json` and logged, and the others go on; so are those left over at `close`.
    `on_saved` is called in the writer's thread with what was committed.
    """

    def __init__(
        self,
        engine: Engine,
        unsaved: Path,
        *,
        capacity: int = CAPACITY,
        on_saved: Callable[[Sequence[Settlement]], None] | None = None,
    ) -> None:
        self._engine = engine
        self._unsaved = unsaved
        self._capacity = capacity
        self._on_saved = on_saved
        self._waiting: deque[Settlement] = deque()
        self._in_hand: list[Settlement] = []
        self._flushing = 0
        self._closing = False
        self._giving_up = threading.Event()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="callrace-writer", daemon=True)
        self._thread.start()

    def submit(self, settlement: Settlement) -> None:
        """Puts a settlement in the queue and returns at once.

        Raises QueueFull (what waits, stays) or WriterStopped; the settlement is then still the caller's.
        """
        with self._changed:
            if self._closing or not self._thread.is_alive():
                raise WriterStopped(f"call {settlement.record.id} is not saved: the writer has stopped")
            if len(self._waiting) >= self._capacity:
                message = (
                    f"call {settlement.record.id} is not saved: {self._capacity} calls wait for the database "
                    "already; see the log for why it is away"
                )
                log.error(message, extra=logs.fields(call=settlement.record.id))
                raise QueueFull(message)
            self._waiting.append(settlement)
            self._changed.notify_all()

    def backlog(self) -> int:
        """Settlements that are not saved yet."""
        with self._changed:
            return len(self._waiting) + len(self._in_hand)

    def flush(self, timeout_s: float) -> bool:
        """Waits until everything submitted is dealt with; False when the time was too short."""
        with self._changed:
            self._flushing += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: not self._waiting and not self._in_hand, timeout_s)
            finally:
                self._flushing -= 1

    def close(self, timeout_s: float) -> int:
        """Takes no more, saves what it has, and stops. Returns how many it could not save in time.

        Those are in the unsaved folder.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        self._giving_up.set()
        self._thread.join(GIVE_UP_S)
        with self._changed:
            left = [*self._in_hand, *self._waiting]
            self._waiting.clear()
        for settlement in left:
            self._put_aside(settlement, "the database was away when the writer closed")
        return len(left)

    # The thread

    def _run(self) -> None:
        while batch := self._take():
            if not self._save_patiently(batch):
                return
            with self._changed:
                self._in_hand = []
                self._changed.notify_all()

    def _take(self) -> list[Settlement]:
        """The next batch; empty when the writer is closing and nothing is left, or gives up."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            self._changed.wait_for(lambda: self._is_urgent() or len(self._waiting) >= BATCH, GATHER_S)
            if not self._giving_up.is_set():
                self._in_hand = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            return self._in_hand

    def _is_urgent(self) -> bool:
        return self._closing or self._flushing > 0

    def _save_patiently(self, batch: Sequence[Settlement]) -> bool:
        """Saves the batch, however long the database is away; False when it was told to give up."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                self._save(batch)
                return True
            except StoreError as error:
                log.warning("%d calls wait to be saved: %s", self.backlog(), error)
            if self._giving_up.wait(pause_s):
                return False
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _save(self, batch: Sequence[Settlement]) -> None:
        """Saves the batch in one transaction, or, when one of them is bad, each in its own."""
        try:
            calls.save(self._engine, batch)
        except _BAD_DATA as error:
            if len(batch) == 1:
                self._put_aside(batch[0], str(error))
                return
            for settlement in batch:
                self._save([settlement])
            return
        if self._on_saved:
            self._on_saved(batch)

    def _put_aside(self, settlement: Settlement, reason: str) -> None:
        path = self._unsaved / f"{settlement.record.id}.json"
        content = json.dumps({"reason": reason, **asdict(settlement)}, indent=2, default=repr)
        try:
            self._unsaved.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        except OSError as error:
            known = logs.fields(call=settlement.record.id)
            log.critical(
                "a call can be saved nowhere (%s: %s), so it is logged: %s", path, error, content, extra=known
            )
            return
        known = logs.fields(call=settlement.record.id)
        log.error("call cannot be saved, it is in %s: %s", path, reason, extra=known)
