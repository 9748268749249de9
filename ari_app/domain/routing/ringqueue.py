"""The legs of a race that are still to be rung: ready, or set aside until their destination is free.

Pure, like the race. Each step costs the same however many legs wait: a wave may have thousands.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Container


class RingQueue:
    """The legs of one round that are not being rung, by number; first come, first served.

    A leg is `ready`, or set aside while its destination is not free. It stays aside for `patience_ms` at most, counted
    from the first time. While it is ready it has no deadline.
    """

    def __init__(self, patience_ms: int) -> None:
        self._patience_ms = patience_ms
        self._ready: deque[tuple[int, str]] = deque()
        self._aside: dict[str, list[int]] = {}  # by destination
        self._held: set[str] = set()  # of those, the ones whose phone we are about to hang up
        self._until: dict[int, int] = {}  # of every leg that was ever aside
        self._deadlines: list[
            tuple[int, int, str]
        ] = []  # a heap; entries of legs that are not aside are ignored

    def __bool__(self) -> bool:
        """Whether any leg may still be rung."""
        return bool(self._ready or self._aside)

    @property
    def is_about_to_ring(self) -> bool:
        """Whether a leg is ready: it can be rung as soon as fewer than `max_legs` phones ring."""
        return bool(self._ready or self._held)

    def add(self, leg: int, destination: str) -> None:
        """A new leg, behind those that are ready."""
        self._ready.append((leg, destination))

    def next(self, ringing: Container[str], now: int) -> int | None:
        """Removes and returns the next leg. A leg whose destination is still `ringing` is held back until `release`."""
        while self._ready:
            leg, destination = self._ready.popleft()
            if destination not in ringing:
                return leg
            if self.set_aside(leg, destination, now):
                self._held.add(destination)
        return None

    def set_aside(self, leg: int, destination: str, now: int) -> bool:
        """Sets a leg aside until its destination is free. False: the leg has already waited for `patience_ms`."""
        until = self._until.setdefault(leg, now + self._patience_ms)
        if now >= until:
            return False
        self._aside.setdefault(destination, []).append(leg)
        heapq.heappush(self._deadlines, (until, leg, destination))
        return True

    def release(self, destination: str) -> None:
        """The destination is free: its legs are ready again."""
        self._held.discard(destination)
        self._ready.extend((leg, destination) for leg in self._aside.pop(destination, ()))

    def is_aside(self, destination: str) -> bool:
        """Whether a leg waits for this destination to be free."""
        return destination in self._aside

    def deadline(self) -> int | None:
        """When `expire` is to be called next (ms), or None."""
        while self._deadlines:
            until, leg, destination = self._deadlines[0]
            if leg in self._aside.get(destination, ()):
                return until
            heapq.heappop(self._deadlines)
        return None

    def expire(self, now: int) -> list[int]:
        """Removes the legs that have been aside for `patience_ms`."""
        expired = []
        while (until := self.deadline()) is not None and now >= until:
            _, leg, destination = heapq.heappop(self._deadlines)
            expired.append(leg)
            self._aside[destination].remove(leg)
            if not self._aside[destination]:
                del self._aside[destination]
                self._held.discard(destination)
        return expired
