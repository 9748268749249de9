"""Who of a race is still to be rung: in turn, behind busy agents, behind a phone's own last offer.

Pure, like the race whose round it serves. Each step costs the same however many wait: a wave may hold thousands.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Container


class RingQueue:
    """The legs of one round that are not being rung, by number; first come, first served.

    A leg is `ready`, or set aside while its destination is not free. Aside it stays `patience_ms` at most, counted
    from the first time; in turn it has no deadline.
    """

    def __init__(self, patience_ms: int) -> None:
        self._patience_ms = patience_ms
        self._ready: deque[tuple[int, str]] = deque()
        self._aside: dict[str, list[int]] = {}  # by destination
        self._held: set[str] = set()  # of those, whose phone is about to be let go by us
        self._until: dict[int, int] = {}  # of every leg that was ever aside
        self._deadlines: list[
            tuple[int, int, str]
        ] = []  # a heap; those of legs that are not aside mean nothing

    def __bool__(self) -> bool:
        """Whether any leg may still be rung."""
        return bool(self._ready or self._aside)

    @property
    def is_about_to_ring(self) -> bool:
        """Whether a leg is rung as soon as there is a place for it: it waits for no agent's other call."""
        return bool(self._ready or self._held)

    def add(self, leg: int, destination: str) -> None:
        """A new leg, behind those that are ready."""
        self._ready.append((leg, destination))

    def next(self, ringing: Container[str], now: int) -> int | None:
        """Takes out the leg whose turn it is. One whose destination is `ringing` yet is held back until `release`."""
        while self._ready:
            leg, destination = self._ready.popleft()
            if destination not in ringing:
                return leg
            if self.set_aside(leg, destination, now):
                self._held.add(destination)
        return None

    def set_aside(self, leg: int, destination: str, now: int) -> bool:
        """Keeps a leg until its destination is free; False when it has waited its time already."""
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
        """When `expire` is wanted next, or None."""
        while self._deadlines:
            until, leg, destination = self._deadlines[0]
            if leg in self._aside.get(destination, ()):
                return until
            heapq.heappop(self._deadlines)
        return None

    def expire(self, now: int) -> list[int]:
        """Takes out the legs that have been aside for their time."""
        expired = []
        while (until := self.deadline()) is not None and now >= until:
            _, leg, destination = heapq.heappop(self._deadlines)
            expired.append(leg)
            self._aside[destination].remove(leg)
            if not self._aside[destination]:
                del self._aside[destination]
                self._held.discard(destination)
        return expired
