"""Converts Asterisk's timestamps to this machine's clock.

Asterisk may run on another machine, whose clock is wrong. The delay of an event is its arrival here minus Asterisk's
timestamp. No event arrives before it happened. So the shortest delay of a period shows the difference of the clocks;
an event with a longer delay has come late by the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ari_app.ari.events import now_ms

WINDOW_MS = 60_000  # after a clock was set, the new difference is known within two windows
FORGET_MS = 3_600_000  # clocks drift: an older measurement is worthless
LATEST_MS = 60_000  # on a living connection no event is this late: a clock was set


@dataclass(slots=True)
class _Window:
    """A window: when it began (ms), and the shortest delay of an event in it (ms)."""

    began_at: int
    least: int


class RemoteClock:
    """Converts Asterisk's times to this machine's clock. There is one for each Asterisk."""

    def __init__(self, now: Callable[[], int] = now_ms) -> None:
        self._now = now
        self._windows: list[_Window] = []  # the present window and the one before

    def ours(self, told_ms: int) -> int:
        """When an event that arrives now happened (ms, this machine's clock); not later than now."""
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
