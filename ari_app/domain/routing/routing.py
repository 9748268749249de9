"""Routing: which destinations are offered a call, in which waves, and why the others are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

from ari_app.domain.basics.hours import is_open
from ari_app.domain.calls.geo import Area, Place, area_covers
from ari_app.domain.calls.record import Exclusion
from ari_app.domain.market.attestation import why_unattested
from ari_app.domain.market.campaigns import Campaign
from ari_app.domain.market.shapes import Attestation
from ari_app.domain.routing.race import RacePlan, WavePlan
from ari_app.domain.routing.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Decision:
    """Whom to ring, and every destination of the campaign that is left out, with its reason."""

    plan: RacePlan
    excluded: list[Exclusion]

    @property
    def nobody(self) -> bool:
        """No destination is eligible."""
        return not any(wave.destinations for wave in self.plan.waves)

    @property
    def rung(self) -> list[str]:
        """Every destination that may be rung, wave by wave."""
        return [name for wave in self.plan.waves for name in wave.destinations]


def route(
    snapshot: Snapshot,
    campaign: Campaign,
    place: Place,
    ani: str | None,
    now: int,
    random: Random,
    attestation: Attestation | None = None,
) -> Decision:
    """The waves for a caller at `place`, at `now` (ms).

    Within a wave the lower priority goes first; among equals the order is drawn by weight, so a
    destination of weight 2 comes first twice as often as one of weight 1. The order matters
    where a wave holds more destinations than may ring at once.
    """
    excluded: list[Exclusion] = []
    waves = []
    covers = _Coverer(place, ani)
    for wave in campaign.route.waves:
        eligible = []
        for name in wave.destinations:
            reason = _why_not(snapshot, name, covers, now, attestation)
            if reason is None:
                eligible.append(name)
            else:
                excluded.append(Exclusion(name, reason))
        waves.append(WavePlan(_ordered(snapshot, eligible, random), wave.after))
    return Decision(_plan(campaign, tuple(waves)), excluded)


def leave_out(decision: Decision, reasons: Mapping[str, str]) -> Decision:
    """The decision without these destinations, for the reasons given."""
    waves = tuple(
        replace(wave, destinations=tuple(name for name in wave.destinations if name not in reasons))
        for wave in decision.plan.waves
    )
    excluded = [Exclusion(name, reason) for name, reason in reasons.items()]
    return Decision(replace(decision.plan, waves=waves), [*decision.excluded, *excluded])


class _Coverer:
    """Asks once for each area: a snapshot has one for all the destinations that cover the same."""

    def __init__(self, place: Place, ani: str | None) -> None:
        self._place = place
        self._ani = ani
        self._known: dict[int, str | None] = {}

    def why_not(self, area: Area) -> str | None:
        """Why the area does not hold the caller, or None when it does."""
        key = id(area)
        if key not in self._known:
            covered, reason = area_covers(area, self._place, self._ani)
            self._known[key] = None if covered else reason
        return self._known[key]


def _why_not(
    snapshot: Snapshot, name: str, covers: _Coverer, now: int, attestation: Attestation | None
) -> str | None:
    paused = snapshot.pauses.get(name)
    if paused is not None:
        return f"paused: {paused}"
    barred = snapshot.barred.get(name)
    if barred is not None:
        return barred
    reason = covers.why_not(snapshot.areas[name])
    if reason is not None:
        return reason
    destination = snapshot.marketplace.destinations[name]
    if destination.hours is not None:
        timezone = snapshot.marketplace.advertisers[destination.advertiser].timezone
        if not is_open(destination.hours, now, timezone):
            return "outside its hours"
    return why_unattested(attestation, destination.attestation)


def _ordered(snapshot: Snapshot, names: list[str], random: Random) -> tuple[str, ...]:
    """By priority, then a weighted shuffle (Efraimidis and Spirakis: the key is u^(1/weight))."""
    destinations = snapshot.marketplace.destinations

    def key(name: str) -> tuple[int, float]:
        destination = destinations[name]
        return destination.priority, -(random.random() ** (1 / destination.weight))

    return tuple(sorted(names, key=key))


def _plan(campaign: Campaign, waves: tuple[WavePlan, ...]) -> RacePlan:
    rules = campaign.route
    return RacePlan(
        waves=waves,
        accept=rules.accept,
        ring_timeout_ms=rules.ring_timeout,
        max_legs=rules.max_legs,
        reoffer_within_ms=rules.reoffer_within,
        reoffer_times=rules.reoffer_times,
    )
