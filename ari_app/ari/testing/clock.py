"""Simulated time: an event loop that jumps to its next timer when there is nothing to do."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

STUCK_S = 2.0  # real seconds in which a thread may still call back

_Ready = list[tuple[selectors.SelectorKey, int]]


class _Jumping(selectors.DefaultSelector):
    """Does not wait for `timeout`, but counts it as passed."""

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
    """An event loop with its own clock. It does not wait for threads: let no thread be at work when it jumps."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Simulated seconds since the loop was made."""
        return self._jumping.passed_s

    def be_busy(self, seconds: float) -> None:
        """Lets time pass in which the loop does nothing, so that what was due meanwhile is late."""
        self._jumping.passed_s += seconds


@contextmanager
def moved_clocks(loop: JumpingLoop, began_ms: int) -> Iterator[None]:
    """While the block lasts, the clocks of module `time` show the loop's time, which began at `began_ms`."""

    # Half a millisecond more, so that rounding a float never loses a whole millisecond.
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
