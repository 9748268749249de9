"""The switch's clock: wall time that never runs backwards."""

from __future__ import annotations

import time


class CallClock:
    """Wall time fixed when it is made, then carried on by the monotonic clock.

    One for each call, so that a stepped system clock changes no duration of a call under way.
    """

    __slots__ = ("_offset",)

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return int((self._offset + time.monotonic()) * 1000)
