"""Brings events to the call that they belong to.

An `Inbox` is one call's bounded queue of events, read by one coroutine. The `Switchboard` knows to which inbox every
channel, bridge and playback belongs, and forgets them when the inbox is closed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any
from zlib import crc32

from ari_app.ari.errors import AriOverload
from ari_app.ari.events import Event

AT_ONCE = 20  # calls that get an event in one turn of the loop, when all calls get it


class Inbox:
    """One call's events, in the order in which they came. It is made by `Client.inbox()`.

    `lane` is the request lane of everything that this inbox watches, so the requests of one call keep their order.
    """

    def __init__(self, switchboard: Switchboard, lane: int, limit: int) -> None:
        self.lane = lane
        self._switchboard = switchboard
        self._limit = limit
        self._queue: deque[object] = deque()
        self._reader: asyncio.Future[None] | None = None
        self._until: float | None = None  # the reader's deadline, in the loop's time
        self._alarm: asyncio.TimerHandle | None = None  # no later than that
        self._overflowed = False
        self.watched: set[str] = set()

    def put(self, event: object) -> None:
        """Adds an event of Asterisk or of the inbox's owner. Never waits, never raises.

        When the number of unread events reaches the limit, the inbox is broken: its events are dropped, and from then
        on `get` raises AriOverload.
        """
        if len(self._queue) >= self._limit:
            self._overflowed = True
            self._queue.clear()
        elif not self._overflowed:
            self._queue.append(event)
        if self._reader is not None:
            _wake(self._reader)

    async def get(self, timeout_s: float | None = None) -> Any:
        """The next event, or None when `timeout_s` seconds pass without one. Raises AriOverload.

        Only one reader at a time may wait.
        """
        if not self._queue and not self._overflowed:
            await self._wait(timeout_s)
        if self._overflowed:
            raise AriOverload(
                f"more than {self._limit} events were left unread in one inbox and are lost; end the call"
            )
        return self._queue.popleft() if self._queue else None

    async def _wait(self, timeout_s: float | None) -> None:
        if self._reader is not None:
            raise RuntimeError("an inbox has one reader, and it is already waiting")
        loop = asyncio.get_running_loop()
        self._reader = loop.create_future()
        self._until = None if timeout_s is None else loop.time() + timeout_s
        if self._until is not None and (self._alarm is None or self._alarm.when() > self._until):
            self._set_alarm(loop, self._until)
        try:
            await self._reader
        finally:
            self._reader = self._until = None

    def _set_alarm(self, loop: asyncio.AbstractEventLoop, at: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = loop.call_at(at, self._ring, loop)

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        """One timer is reused for later waits; it may fire early, and the waiter checks its deadline again."""
        self._alarm = None
        if self._reader is not None and self._until is not None:
            if self._until > loop.time():
                self._set_alarm(loop, self._until)
            else:
                _wake(self._reader)

    def close(self) -> None:
        """Forgets every id that the inbox watches, and drops its events. May be called again."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._switchboard.forget(self)
        self._queue.clear()


def _wake(reader: asyncio.Future[None]) -> None:
    if not reader.done():
        reader.set_result(None)


class Switchboard:
    """Which inbox each id belongs to."""

    def __init__(self, lanes: int, inbox_limit: int) -> None:
        self._lanes = lanes
        self._inbox_limit = inbox_limit
        self._owners: dict[str, Inbox] = {}
        self._inboxes: dict[Inbox, None] = {}  # used as an ordered set
        self._made = 0

    def __len__(self) -> int:
        """How many ids are watched."""
        return len(self._owners)

    def __contains__(self, object_id: str) -> bool:
        """Whether an id is watched."""
        return object_id in self._owners

    @property
    def inboxes(self) -> int:
        """How many inboxes are open."""
        return len(self._inboxes)

    def open(self) -> Inbox:
        """A new inbox, on the next lane (round robin)."""
        inbox = Inbox(self, self._made % self._lanes, self._inbox_limit)
        self._made += 1
        self._inboxes[inbox] = None
        return inbox

    def watch(self, inbox: Inbox, object_id: str) -> bool:
        """Sends the events of an id to this inbox; returns False if it watches the id already.

        Raises ValueError if another inbox watches the id, or if this inbox is closed.
        """
        if inbox not in self._inboxes:
            raise ValueError(f"{object_id} cannot be watched: its inbox is closed")
        owner = self._owners.setdefault(object_id, inbox)
        if owner is not inbox:
            raise ValueError(f"{object_id} is already watched by another inbox; ids are minted once")
        is_new = object_id not in inbox.watched
        inbox.watched.add(object_id)
        return is_new

    def unwatch(self, inbox: Inbox, object_id: str) -> None:
        """Undoes `watch`."""
        if object_id in inbox.watched:
            inbox.watched.remove(object_id)
            del self._owners[object_id]

    def forget(self, inbox: Inbox) -> None:
        """Forgets an inbox that is closed, and all its ids."""
        for object_id in inbox.watched:
            del self._owners[object_id]
        inbox.watched.clear()
        self._inboxes.pop(inbox, None)

    def deliver(self, object_id: str, event: Event) -> bool:
        """Puts an event into the inbox that watches the id; False if none does."""
        inbox = self._owners.get(object_id)
        if inbox is None:
            return False
        inbox.put(event)
        return True

    def announce(self, event: Event) -> None:
        """Puts an event into every open inbox."""
        for inbox in self._inboxes:
            inbox.put(event)

    async def announce_in_turns(self, event: object, goes_on: Callable[[], bool] = lambda: True) -> None:
        """The same, for AT_ONCE inboxes in each turn of the loop, so that many calls do not block it.

        Inboxes opened meanwhile do not get the event. Stops early when `goes_on()` is false.
        """
        waiting = list(self._inboxes)
        for start in range(0, len(waiting), AT_ONCE):
            if not goes_on():
                return
            for inbox in waiting[start : start + AT_ONCE]:
                inbox.put(event)
            await asyncio.sleep(0)

    def lane_of(self, object_id: str) -> int:
        """The request lane of an object: its inbox's, or for an object without an inbox any lane, always the same."""
        inbox = self._owners.get(object_id)
        return crc32(object_id.encode()) % self._lanes if inbox is None else inbox.lane
