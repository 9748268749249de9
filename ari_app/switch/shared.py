"""The objects that all calls of a switch share."""

from __future__ import annotations

from dataclasses import dataclass

from ari_app.domain.routing.ratelimits import InMemoryRateLimits
from ari_app.serving.callers import InMemoryCallers
from ari_app.serving.capacity import InMemoryCapacity
from ari_app.serving.caps import Caps
from ari_app.serving.protocols import Callers, Capacity, RateLimits, Unanswered
from ari_app.serving.unanswered import InMemoryUnanswered
from ari_app.switch.offer import Offer
from ari_app.switch.racer import MakeRacer
from ari_app.switch.recording import NoRecorder, Recorder


@dataclass(slots=True)
class Shared:
    """What is remembered of calls (`serving.protocols`), and caps; the recorder and the racer.

    Recorder and racer may be replaced before the first call.
    """

    capacity: Capacity
    callers: Callers
    rates: RateLimits
    unanswered: Unanswered
    caps: Caps
    recorder: Recorder
    make_racer: MakeRacer

    @classmethod
    def of(cls, caps: Caps) -> Shared:
        """The objects of a switch that starts: no calls, no recorder, and phones are rung over ARI."""
        return cls(
            InMemoryCapacity(),
            InMemoryCallers(),
            InMemoryRateLimits(),
            InMemoryUnanswered(),
            caps,
            NoRecorder(),
            Offer,
        )
