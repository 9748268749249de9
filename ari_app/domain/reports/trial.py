"""A trial: how an imagined call would go under a marketplace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ari_app.domain.calls.geo import Place
from ari_app.domain.caps.outlook import Shortage
from ari_app.domain.ivr.flow import DryRun
from ari_app.domain.routing.routing import Decision
from ari_app.domain.routing.screening import Refusal
from ari_app.domain.routing.snapshot import Attribution


@dataclass(frozen=True, slots=True)
class Trial:
    """How a call would go. What would come after a refusal or the end of the flow is None. `at` in ms."""

    did: str
    ani: str | None
    at: int
    attribution: Attribution | None = None
    refusal: Refusal | None = None
    flow: DryRun | None = None
    place: Place | None = None
    decision: Decision | None = None
    short: Sequence[Shortage] = ()
