"""The switch's clock: wall time that never runs backwards."""

from __future__ import annotations

import math
import time

from ari_app.domain.routing.recovery import Timeline
from ari_app.store.db.uptime import boot


class CallClock:
    """Wall time fixed when it is made, then carried on by the monotonic clock.

    One for each call, so that a stepped system clock changes no duration of a call under way. One that is made with
    the `timeline` of another goes on with its time, in another process too, until the machine is started again.
    """

    __slots__ = ("_offset",)

    def __init__(self, timeline: Timeline | None = None) -> None:
        if timeline is not None and timeline.boot == boot() != "":
            self._offset = timeline.offset_ms / 1000
        else:
            self._offset = time.time() - time.monotonic()

    @property
    def timeline(self) -> Timeline:
        """What the clock is made of. Never behind what it has told."""
        return Timeline(boot(), math.ceil(self._offset * 1000))

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return int((self._offset + time.monotonic()) * 1000)
