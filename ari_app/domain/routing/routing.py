"""Routing: which destinations are offered a call, in which waves, and why the others are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

from ari_app.domain.basics.hours import is_open
from ari_app.domain.calls.geo import Place, area_covers
from ari_app.domain.calls.record import Exclusion
from ari_app.domain.market.attestation import why_unattested
from ari_app.domain.market.campaigns import Campaign
from ari_app.domain.market.shapes import Attestation
from ari_app.domain.routing.race import RacePlan, WavePlan
from ari_app.domain.routing.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Decision:
    """Which destinations to ring, and which of the campaign's destinations are left out, each with its reason."""

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

    Within a wave the lower number of `priority` comes first. Among equal priorities the order is drawn at random by
    weight: a destination of weight 2 comes first twice as often as one of weight 1. The order matters where a wave
    has more destinations than may ring at once.
    """
    excluded: list[Exclusion] = []
    waves = []
    why_not = _Eligibility(snapshot, place, ani, now, attestation).why_not
    for wave in campaign.route.waves:
        eligible = []
        for name in wave.destinations:
            reason = why_not(name)
            if reason is None:
                eligible.append(name)
            else:
                excluded.append(Exclusion(name, reason))
        waves.append(WavePlan(_ordered(snapshot, eligible, random), wave.after))
    return Decision(_plan(campaign, tuple(waves)), excluded)


def leave_out(decision: Decision, reasons: Mapping[str, str]) -> Decision:
    """The same decision without these destinations, which are left out for the reasons given."""
    waves = tuple(
        replace(wave, destinations=tuple(name for name in wave.destinations if name not in reasons))
        for wave in decision.plan.waves
    )
    excluded = [Exclusion(name, reason) for name, reason in reasons.items()]
    return Decision(replace(decision.plan, waves=waves), [*decision.excluded, *excluded])


class _Eligibility:
    """Whether destinations can be offered one call. A campaign may have hundreds: what all need is looked up once."""

    def __init__(
        self, snapshot: Snapshot, place: Place, ani: str | None, now: int, attestation: Attestation | None
    ) -> None:
        self._pauses, self._barred, self._areas = snapshot.pauses, snapshot.barred, snapshot.areas
        self._destinations = snapshot.marketplace.destinations
        self._advertisers = snapshot.marketplace.advertisers
        self._place = place
        self._ani = ani
        self._now = now
        self._attestation = attestation

    def why_not(self, name: str) -> str | None:
        """Why the destination is left out, or None when it can be rung."""
        if name in self._pauses:
            return f"paused: {self._pauses[name]}"
        if name in self._barred:
            return self._barred[name]
        is_covered, reason = area_covers(self._areas[name], self._place, self._ani)
        if not is_covered:
            return reason
        destination = self._destinations[name]
        if destination.hours is not None:
            timezone = self._advertisers[destination.advertiser].timezone
            if not is_open(destination.hours, self._now, timezone):
                return "outside its hours"
        if destination.attestation:
            return why_unattested(self._attestation, destination.attestation)
        return None


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
