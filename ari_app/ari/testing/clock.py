"""Time in which nobody waits: a loop that, when there is nothing to do, jumps to its next timer."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

STUCK_S = 2.0  # of real time, in which a thread may still call back

_Ready = list[tuple[selectors.SelectorKey, int]]


class _Jumping(selectors.DefaultSelector):
    """Instead of waiting for `timeout`, it counts that as passed."""

    passed_s = 0.0

    def select(self, timeout: float | None = None) -> _Ready:
        if timeout is None:
            ready = super().select(STUCK_S)
            if not ready:
                raise RuntimeError("everybody waits, and for nothing that has a time")
            return ready
        ready = super().select(0)
        if not ready and timeout > 0:
            self.passed_s += timeout
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop with a clock of its own. Threads are not waited for: let there be none on the way."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Seconds since the loop was made, all of them jumped over."""
        return self._jumping.passed_s

    def be_busy(self, seconds: float) -> None:
        """So much time passes in which nothing is done: what was due meanwhile comes late."""
        self._jumping.passed_s += seconds


@contextmanager
def moved_clocks(loop: JumpingLoop, began_ms: int) -> Iterator[None]:
    """While the block lasts, the clocks of `time` tell the loop's time; it was `began_ms` when the loop was made."""

    # Half a millisecond on, so that no rounding of a float takes a whole one away.
    def wall_s() -> float:
        return began_ms / 1000 + 0.0005 + loop.time()

    moved: dict[str, Any] = {
        "time": wall_s,
        "time_ns": lambda: round(wall_s() * 1e9),
        "monotonic": loop.time,
        "monotonic_ns": lambda: round(loop.time() * 1e9),
    }
    with patch.multiple(time, **moved):
        yield
