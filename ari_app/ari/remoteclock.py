"""Asterisk's clock, as seen from here: what it says of when something happened, told by this machine's clock.

Asterisk may run on another machine, whose clock is off. An event is never here before it happened; so, of all events of
a while, the one that seems to have been underway for the shortest time tells how far the clocks are apart, and another
that seems to have taken longer has come late by as much.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ari_app.ari.events import now_ms

WINDOW_MS = 60_000  # a clock that was set is followed within two of these
FORGET_MS = 3_600_000  # clocks drift apart: what was seen so long ago says nothing
LATEST_MS = 60_000  # no event comes as late as this over a connection that is alive: a clock was set


@dataclass(slots=True)
class _Window:
    """From when on (ms), and the least that an event in it seemed to have been underway (ms)."""

    began_at: int
    least: int


class RemoteClock:
    """Turns the times that Asterisk tells into times of this machine. One for each Asterisk."""

    def __init__(self, now: Callable[[], int] = now_ms) -> None:
        self._now = now
        self._windows: list[_Window] = []  # this one, and the one before

    def ours(self, told_ms: int) -> int:
        """When it happened, ms on this machine's clock, of an event that arrives at this moment; no later than now."""
        now = self._now()
        underway = now - told_ms
        self._see(now, underway)
        late = underway - min(window.least for window in self._windows)
        if late > LATEST_MS:
            self._windows = [_Window(now, underway)]
            return now
        return now - late

    def _see(self, now: int, underway: int) -> None:
        self._windows = [window for window in self._windows if abs(now - window.began_at) < FORGET_MS]
        if not self._windows or now - self._windows[0].began_at >= WINDOW_MS:
            self._windows = [_Window(now, underway), *self._windows[:1]]
        self._windows[0].least = min(self._windows[0].least, underway)
