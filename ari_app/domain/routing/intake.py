"""Intake: what becomes of a call between its arrival and the phones that it is offered to. A pure table machine.

    intake = Intake(snapshot, arrival, random)
    step = intake.start()
    while not isinstance(step, Ended):
        step = intake.handle(perform(step), now)

    step          what is to be done                                     answered with
    Attributed    pin the call to whose it is                            Pinned
    Count         look at what is counted of other calls                 Counted
    Take          answer the call                                        Taken
    Ask           take the caller through the campaign's flow            Told
    Located       write down where the caller is                         Placed
    Reserve       see that caps and funds have room                      Reserved

It ends in Unknown, Refused, FlowEnded or Offer. The switch performs the steps with a real call (`switch.session`),
`route explain` with keys given beforehand (`desk.route_trial`), the AGI server without the flow (`agi.services`). So
all three decide alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from ari_app.domain.calls.geo import UNKNOWN, Place, locate
from ari_app.domain.market.campaigns import Campaign
from ari_app.domain.market.flows import Flow
from ari_app.domain.market.shapes import Attestation
from ari_app.domain.routing.routing import Decision, leave_out, route
from ari_app.domain.routing.screening import Refusal, barred, capped, screen
from ari_app.domain.routing.snapshot import Attribution, Snapshot, attribute

Counter = Literal["trunk", "rates", "caps"]
"""What only a program that counts the current calls knows: the trunk's calls, callers' rates, caps that are full."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A call as it comes in. `at` is when it began, ms; `ani` None: anonymous."""

    did: str
    ani: str | None
    at: int
    attestation: Attestation | None = None


# Steps


@dataclass(frozen=True, slots=True)
class Attributed:
    """Whose the call is, and where its caller is by the numbers alone."""

    found: Attribution
    place: Place


@dataclass(frozen=True, slots=True)
class Count:
    """Whether this counter has room for the call."""

    what: Counter


@dataclass(frozen=True, slots=True)
class Take:
    """The call is to be answered: no reason to refuse it is known."""


@dataclass(frozen=True, slots=True)
class Ask:
    """The caller goes through this flow. `timezone` is the advertiser's, for hours that name none."""

    flow: Flow
    timezone: str


@dataclass(frozen=True, slots=True)
class Located:
    """Where the caller is; nothing better will be known during this call."""

    place: Place


@dataclass(frozen=True, slots=True)
class Reserve:
    """To which destinations the call would be offered; `decision` names at least one."""

    decision: Decision


class Ended:
    """The last step of the intake."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Unknown(Ended):
    """The number called is nobody's."""


@dataclass(frozen=True, slots=True)
class Refused(Ended):
    """The call is not taken, or a cap leaves no room for it."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class FlowEnded(Ended):
    """The flow ended without an offer."""


@dataclass(frozen=True, slots=True)
class Offered(Ended):
    """To which destinations the call is offered; there may be none."""

    decision: Decision


IntakeStep = Attributed | Count | Take | Ask | Located | Reserve | Unknown | Refused | FlowEnded | Offered


# What came of a step


@dataclass(frozen=True, slots=True)
class Pinned:
    """`dialled_at` (ms): when the caller dialled this number before; None: not recently, or not known."""

    dialled_at: int | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """`refusal`: why the counter has no room; None: it has room, or nobody counts."""

    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """The call is answered, or would be."""


@dataclass(frozen=True, slots=True)
class Told:
    """How the flow ended: with an `offer` or without, and the ZIP code that the caller entered in it."""

    offer: bool = True
    entered_zip: str | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """The place is written down."""


@dataclass(frozen=True, slots=True)
class Reserved:
    """`capped`: why there is no room for the call; `left_out`: destinations without room, and why."""

    capped: str | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)


IntakeOutcome = Pinned | Counted | Taken | Told | Placed | Reserved

UNCOUNTED: Mapping[type, IntakeOutcome] = {
    Attributed: Pinned(),
    Count: Counted(),
    Take: Taken(),
    Ask: Told(),
    Located: Placed(),
    Reserve: Reserved(),
}
"""For each step, the outcome that a program gives which counts nothing, asks nobody and reserves nothing."""


_TRUNK, _RATES, _CAPS, _TAKE = Count("trunk"), Count("rates"), Count("caps"), Take()  # the same for all calls


class Intake:
    """The intake of one call. `found`, `place` and `decision` are what is known so far."""

    def __init__(self, snapshot: Snapshot, arrival: Arrival, random: Random) -> None:
        self.found: Attribution | None = None
        self.place: Place = UNKNOWN
        self.decision: Decision | None = None
        self._snapshot = snapshot
        self._arrival = arrival
        self._random = random
        self._is_offered = True  # unless its flow ends it
        self._step: IntakeStep = Unknown()
        self._screening: Iterator[Count | Refusal | None] = iter(())

    def start(self) -> IntakeStep:
        """The first step: whose the call is, by the number called and the moment it began."""
        found = attribute(self._snapshot, self._arrival.did, self._arrival.at)
        if found is None:
            return Unknown()
        self._pin(found)
        self._step = Attributed(found, self.place)
        return self._step

    def resume(self, found: Attribution, *, is_taken: bool) -> IntakeStep:
        """The first step of a call that is already attributed. `is_taken`: it was screened and answered, too."""
        self._pin(found)
        self._step = _TAKE if is_taken else Attributed(found, self.place)
        return self._step

    def handle(self, outcome: IntakeOutcome, now: int) -> IntakeStep:
        """The step after this outcome of the last step, at `now` (ms). Raises ValueError for another step's outcome."""
        after = _TABLE.get((type(self._step), type(outcome)))
        if after is None:
            raise ValueError(f"{type(outcome).__name__} is no outcome of {type(self._step).__name__}")
        self._step = after(self, outcome, now)
        return self._step

    def _pin(self, found: Attribution) -> None:
        self.found = found
        self._locate(None)

    def _locate(self, entered_zip: str | None) -> None:
        self.place = locate(self._snapshot.geography, entered_zip, self._arrival.ani, self._arrival.did)

    @property
    def attribution(self) -> Attribution:
        """Whose the call is, once it is somebody's."""
        assert self.found is not None, "a call that goes on is somebody's"
        return self.found

    @property
    def campaign(self) -> Campaign:
        """The campaign whose the call is."""
        return self.attribution.campaign

    @property
    def _timezone(self) -> str:
        return self._snapshot.marketplace.advertisers[self.campaign.advertiser].timezone

    # A row each of the table below

    def _screen(self, outcome: Pinned, now: int) -> IntakeStep:
        self._screening = self._refusals(outcome.dialled_at)
        return self._next_of_screening()

    def _counted(self, outcome: Counted, now: int) -> IntakeStep:
        return Refused(outcome.refusal) if outcome.refusal is not None else self._next_of_screening()

    def _ask(self, outcome: Taken, now: int) -> IntakeStep:
        name = self.campaign.flow
        if name is None:
            return Located(self.place)
        return Ask(self._snapshot.marketplace.flows[name], self._timezone)

    def _told(self, outcome: Told, now: int) -> IntakeStep:
        self._is_offered = outcome.offer
        self._locate(outcome.entered_zip)
        return Located(self.place)

    def _placed(self, outcome: Placed, now: int) -> IntakeStep:
        return self._route(now) if self._is_offered else FlowEnded()

    def _reserved(self, outcome: Reserved, now: int) -> IntakeStep:
        assert self.decision is not None, "who is reserved for is known"
        if outcome.capped is not None:
            return Refused(capped(self.campaign, outcome.capped))
        if outcome.left_out:
            self.decision = leave_out(self.decision, outcome.left_out)
        return Offered(self.decision)

    def _route(self, now: int) -> IntakeStep:
        call = self._arrival
        self.decision = route(
            self._snapshot, self.campaign, self.place, call.ani, now, self._random, call.attestation
        )
        return Offered(self.decision) if self.decision.nobody else Reserve(self.decision)

    # Screening: the first reason counts, so the order is part of the contract

    def _refusals(self, dialled_at: int | None) -> Iterator[Count | Refusal | None]:
        call, found = self._arrival, self.attribution
        yield barred(self._snapshot.marketplace.screen, call.ani, call.attestation)
        yield _TRUNK
        yield _RATES
        yield screen(
            found.campaign, self._timezone, call.ani, call.at, dialled_at, found.suspended, call.attestation
        )
        yield _CAPS

    def _next_of_screening(self) -> IntakeStep:
        for found in self._screening:
            if isinstance(found, Count):
                return found
            if found is not None:
                return Refused(found)
        return _TAKE


_TABLE: Mapping[tuple[type, type], Callable[[Intake, Any, int], IntakeStep]] = {
    (Attributed, Pinned): Intake._screen,
    (Count, Counted): Intake._counted,
    (Take, Taken): Intake._ask,
    (Ask, Told): Intake._told,
    (Located, Placed): Intake._placed,
    (Reserve, Reserved): Intake._reserved,
}


def refusal_by_rules(snapshot: Snapshot, arrival: Arrival, found: Attribution) -> Refusal | None:
    """The first reason to refuse a call by rules alone: what only the switch counts of other calls is left out."""
    intake = Intake(snapshot, arrival, Random())
    step = intake.resume(found, is_taken=False)
    while isinstance(step, Attributed | Count):
        step = intake.handle(UNCOUNTED[type(step)], arrival.at)
    return step.refusal if isinstance(step, Refused) else None
