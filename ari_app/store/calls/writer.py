"""Saves settled calls from a separate thread: no call ever waits for the database.

While the database is available, a call goes from memory straight into it. A call that the database has not taken
within PATIENCE_S goes to the spool on the disk. From there it is saved when the database is back,
oldest first, also by the next switch. Calls stay in memory only if the spool cannot be written, either;
`room` says how many more fit, so that no call is taken whose record could not be kept.

A call is refused for good only because of its own data. After any other error of the database it waits.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError, StatementError

from ari_app import logs
from ari_app.domain.calls.record import CallRecord
from ari_app.store.calls import calls
from ari_app.store.calls.calls import Settlement
from ari_app.store.calls.spool import Spool
from ari_app.store.db.errors import QueueFull, SpoolUnusable, StoreError, WriterStopped

log = logging.getLogger(__name__)

CAPACITY = 10_000
BATCH = 50
BACKLOG_BATCH = 100  # from the spool: more would be faster, but would lock shared rows twice as long
GATHER_S = 1.0  # how long the first of a batch waits for more: a call saved alone costs eight times the CPU
PATIENCE_S = 1.0  # how long a call may be in memory alone while the database does not take it
FIRST_PAUSE_S = 0.1
TELL_AGAIN_S = 60.0
GIVE_UP_S = 5.0  # at `close`, for what is left to go to the spool

# What a record that fits no table raises: when the row is made, or from the database. (`store.db.engine` translates
# all other errors of the database.)
_BAD_DATA = (StatementError, TypeError, ValueError, AttributeError, OverflowError)

Saved = Callable[[Sequence[Settlement]], None]


def _nobody(batch: Sequence[Settlement]) -> None:
    """Nobody is told."""


class Writer:
    """A bounded queue of settlements, and the thread that saves them in batches.

    The first of a batch waits `gather_s` for more, unless the batch is full before.
    Both callbacks run in the writer's thread. `on_saved` gets what was committed. `on_safe` gets what this process
    need not keep any more, because the database or the spool has it; it may get the same call more than once. What can
    never be saved goes to the spool's refused folder, and the others go on.
    """

    def __init__(
        self,
        engine: Engine,
        spool: Spool,
        *,
        capacity: int = CAPACITY,
        gather_s: float = GATHER_S,
        on_saved: Saved = _nobody,
        on_safe: Saved = _nobody,
    ) -> None:
        self._engine = engine
        self._spool = spool
        self._capacity = capacity
        self._gather_s = gather_s
        self._on_saved = on_saved
        self._on_safe = on_safe
        self._waiting: deque[Settlement] = deque()
        self._in_hand: list[Settlement] = []  # neither waiting nor spooled
        self._is_spool_usable = True
        self._problem = ""
        self._tell_again_at = 0.0
        self._flushing = 0
        self._closing = False
        self._giving_up = threading.Event()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="callrace-writer", daemon=True)
        self._thread.start()

    def submit(self, settlement: Settlement) -> None:
        """Puts a settlement in the queue and returns at once.

        Raises QueueFull or WriterStopped; then the settlement was not taken, and the queue stays as it is.
        """
        with self._changed:
            if self._closing or not self._thread.is_alive():
                raise WriterStopped(f"call {settlement.record.id} is not saved: the writer has stopped")
            if len(self._waiting) >= self._capacity:
                message = (
                    f"call {settlement.record.id} is not saved: {self._capacity} calls wait in memory, for "
                    "neither the database nor the spool takes them; see the log for why"
                )
                log.error(message, extra=logs.fields(call=settlement.record.id))
                raise QueueFull(message)
            self._waiting.append(settlement)
            if len(self._waiting) in (
                1,
                BATCH,
            ):  # to wake the thread for each call would cost more than to save the call
                self._changed.notify_all()

    def room(self) -> int:
        """How many more settlements can be kept at least."""
        with self._changed:
            return self._capacity - len(self._waiting)

    def backlog(self) -> int:
        """Settlements that are not in the database yet."""
        with self._changed:
            return len(self._waiting) + len(self._in_hand) + len(self._spool)

    def spooled_calls(self) -> Iterator[CallRecord]:
        """The records of the calls in the spool, refused ones too, each read when it is asked for."""
        return self._spool.records()

    def spooled(self) -> set[str]:
        """The ids of the calls in the spool, refused ones too."""
        return self._spool.ids()

    def refused(self) -> int:
        """Calls that the database will never take as they are."""
        return self._spool.refused()

    def problem(self) -> str:
        """Why the database takes no calls; empty while it takes them, and before the first try."""
        return self._problem

    def flush(self, timeout_s: float) -> bool:
        """Waits until everything is in the database or refused; False when that was not done in time."""
        with self._changed:
            self._flushing += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(self._is_idle, timeout_s)
            finally:
                self._flushing -= 1

    def close(self, timeout_s: float) -> int:
        """Takes no more settlements, saves what it has, and stops. Returns how many it could not save.

        Those are in the spool. If the database is not available, it is not waited for.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        self._giving_up.set()
        self._thread.join(GIVE_UP_S)
        with self._changed:
            lost = [*self._in_hand, *self._waiting]
            self._waiting.clear()
        for settlement in lost:
            log.critical("a call can be saved nowhere, so it is logged: %s", settlement)
        return self.backlog()

    # The thread

    def _run(self) -> None:
        while batch := self._next_batch():
            if not self._save_patiently(batch):
                break
        self._spool_all()  # while it closed, one more may have come

    def _next_batch(self) -> list[Settlement]:
        """What is to be saved next; empty when the writer is closing and nothing is left, or gives up."""
        with self._changed:
            self._in_hand = []
            self._changed.notify_all()
        if self._giving_up.is_set():
            return []
        if self._spool.in_line and len(self._waiting) >= BATCH:
            self._spool_all()  # an hour's spool takes minutes to empty: memory must not fill up meanwhile
        return self._spool.oldest(BACKLOG_BATCH) or self._take()

    def _take(self) -> list[Settlement]:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            self._changed.wait_for(lambda: self._is_urgent() or len(self._waiting) >= BATCH, self._gather_s)
            self._in_hand = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            return self._in_hand

    def _is_urgent(self) -> bool:
        return self._closing or self._flushing > 0

    def _is_idle(self) -> bool:
        return not (self._waiting or self._in_hand or len(self._spool))

    def _save_patiently(self, batch: Sequence[Settlement]) -> bool:
        """Saves the batch, however long the database is not available; False when the writer closes before.

        Meanwhile the calls in memory are moved to the spool, every PATIENCE_S at the latest.
        """
        pause_s = FIRST_PAUSE_S
        while True:
            attempt = _Attempt(self._engine, batch)
            while attempt.is_under_way(PATIENCE_S):
                self._spool_all()
                self._log_problem(f"the database has not answered for {PATIENCE_S:g} s")
                if self._giving_up.is_set():
                    return False
            if attempt.error is None:
                self._conclude(attempt)
                return True
            is_kept = self._spool_all()
            self._log_problem(str(attempt.error))
            if self._giving_up.wait(pause_s) or (self._closing and is_kept):
                return False
            pause_s = min(2 * pause_s, PATIENCE_S)

    def _log_problem(self, problem: str) -> None:
        """Logs an outage once, and no other within TELL_AGAIN_S: a slow database has many. See `problem`."""
        if not self._problem and time.monotonic() >= self._tell_again_at:
            log.error("%d calls wait to be saved: %s", self.backlog(), problem)
            self._tell_again_at = time.monotonic() + TELL_AGAIN_S
        self._problem = problem

    def _conclude(self, attempt: _Attempt) -> None:
        self._problem = ""
        safe = [*attempt.saved, *(settlement for settlement, _ in attempt.bad)]
        try:
            _book(self._spool, attempt.saved, attempt.bad)
        except (
            SpoolUnusable
        ) as error:  # what stays there is saved again, without effect; but not in a tight loop
            log.critical("%s; not taken by the database: %s", error, attempt.bad)
            safe = attempt.saved
            self._giving_up.wait(PATIENCE_S)
        self._on_saved(attempt.saved)
        self._on_safe(safe)

    def _spool_all(self) -> bool:
        """Moves the calls in memory to the spool; False when the spool cannot be written: then they stay in memory."""
        with self._changed:
            count = len(self._waiting)
            in_memory = [*self._in_hand, *self._waiting]
        if not in_memory:
            return True
        try:
            self._spool.put(in_memory)
        except SpoolUnusable as error:
            if self._is_spool_usable:
                log.critical("%d calls are in memory alone, and lost if the switch ends: %s", count, error)
            self._is_spool_usable = False
            return False
        self._is_spool_usable = True
        with self._changed:
            self._in_hand = []
            for _ in range(count):
                self._waiting.popleft()
        self._on_safe(in_memory)
        return True


class _Attempt:
    """One try to save a batch, in a thread of its own, because a database may take any time to fail.

    When it is over without an `error`, it has `saved` some, and found the others `bad`, each with a reason.
    If a defect of ours ends the thread, the initial error stays, so that nothing is lost.
    """

    def __init__(self, engine: Engine, batch: Sequence[Settlement]) -> None:
        self.saved: list[Settlement] = []
        self.bad: list[tuple[Settlement, str]] = []
        self.error: StoreError | None = StoreError("saving broke; the traceback is in the log")
        self._engine = engine
        self._batch = batch
        self._thread = threading.Thread(target=self._run, name="callrace-save", daemon=True)
        self._thread.start()

    def is_under_way(self, timeout_s: float) -> bool:
        """Waits for the end of the try. True: it has not ended in time."""
        self._thread.join(timeout_s)
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.saved, self.bad = save_or_tell(self._engine, self._batch)
            self.error = None
        except StoreError as error:
            self.error = error


def save_or_tell(
    engine: Engine, batch: Sequence[Settlement], *, of_others: bool = False
) -> tuple[list[Settlement], list[tuple[Settlement, str]]]:
    """Saves a batch in one transaction; if a call in it is bad, each call in its own. `of_others`: see `calls.save`.

    Returns the calls that are saved, and those that never can be, with the reason. Raises StoreError when the database
    cannot be used; what was saved before that stays saved.
    """
    try:
        calls.save(engine, batch, of_others=of_others)
        return list(batch), []
    except _BAD_DATA:  # of one of them; or somebody else was saving the same
        saved: list[Settlement] = []
        bad: list[tuple[Settlement, str]] = []
        for settlement in batch:
            try:
                calls.save(engine, [settlement], of_others=of_others)
                saved.append(settlement)
            except _BAD_DATA as error:
                if isinstance(error, IntegrityError) and calls.saved(engine, [settlement.record.id]):
                    saved.append(settlement)  # by somebody else, at this moment
                else:
                    bad.append((settlement, str(error)))
        return saved, bad


def _book(spool: Spool, saved: Sequence[Settlement], bad: Sequence[tuple[Settlement, str]]) -> None:
    """Deletes from the spool what the database has taken; moves what it never will to the refused ones."""
    spool.remove(saved)
    for settlement, reason in bad:
        spool.refuse(settlement, reason)


def empty(engine: Engine, spool: Spool) -> int:
    """Saves everything in the spool, also what was refused before; returns how many calls.

    For an operator; a switch may be running. Raises StoreError.
    """
    spool.retry_refused()
    count = 0
    while batch := spool.oldest(BACKLOG_BATCH):
        saved, bad = save_or_tell(engine, batch, of_others=True)
        _book(spool, saved, bad)
        count += len(saved)
    return count
