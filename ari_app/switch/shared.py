"""The objects that all calls of a switch share."""

from __future__ import annotations

from dataclasses import dataclass

from ari_app.serving.callers import Callers
from ari_app.serving.capacity import Capacity
from ari_app.serving.caps import Caps
from ari_app.switch.offer import Offer
from ari_app.switch.racer import MakeRacer
from ari_app.switch.recording import NoRecorder, Recorder


@dataclass(slots=True)
class Shared:
    """Places, callers and caps; the recorder and the racer, which may be replaced before the first call."""

    capacity: Capacity
    callers: Callers
    caps: Caps
    recorder: Recorder
    make_racer: MakeRacer

    @classmethod
    def of(cls, caps: Caps) -> Shared:
        """The objects of a switch that starts: no calls, no recorder, and phones are rung over ARI."""
        return cls(Capacity(), Callers(), caps, NoRecorder(), Offer)
