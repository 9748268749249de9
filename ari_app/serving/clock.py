"""The switch's clock: wall time that never goes backwards."""

from __future__ import annotations

import math
import time

from ari_app.domain.routing.recovery import Timeline
from ari_app.store.db.uptime import boot


class CallClock:
    """Reads wall time once, when it is made; from then on it follows the monotonic clock.

    Each call has its own, so that a step of the system clock changes no duration of a call under way. A clock that is
    made with the `timeline` of another continues that one's time, also in another process, until the machine reboots.
    """

    __slots__ = ("_offset",)

    def __init__(self, timeline: Timeline | None = None) -> None:
        if timeline is not None and timeline.boot == boot() != "":
            self._offset = timeline.offset_ms / 1000
        else:
            self._offset = time.time() - time.monotonic()

    @property
    def timeline(self) -> Timeline:
        """The values to make an equal clock from. That clock is never behind a time that this one has returned."""
        return Timeline(boot(), math.ceil(self._offset * 1000))

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return int((self._offset + time.monotonic()) * 1000)
