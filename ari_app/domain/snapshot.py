"""What a switch knows without asking anybody: the marketplace in force, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ari_app.domain.geo import Area, Geography, area_of
from ari_app.domain.marketplace import Campaign, Marketplace, Number


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One applied version of the marketplace, made ready for look-ups.

    `terms_versions`: the version of each campaign's terms now in force. `pauses`: paused
    destinations and why. `areas`: each destination's coverage, expanded once.
    """

    version: int
    marketplace: Marketplace
    terms_versions: Mapping[str, int]
    geography: Geography
    pauses: Mapping[str, str] = field(default_factory=dict)
    areas: Mapping[str, Area] = field(default_factory=dict)


def make_snapshot(
    version: int,
    marketplace: Marketplace,
    terms_versions: Mapping[str, int],
    geography: Geography,
    pauses: Mapping[str, str],
) -> Snapshot:
    """A snapshot with every destination's coverage expanded; a coverage that many share, once."""
    expanded = {d.covers: area_of(d.covers, geography) for d in marketplace.destinations.values()}
    areas = {name: expanded[d.covers] for name, d in marketplace.destinations.items()}
    return Snapshot(version, marketplace, terms_versions, geography, pauses, areas)


@dataclass(frozen=True, slots=True)
class Attribution:
    """Whose call it is, fixed when it arrives: campaign, publisher, source, terms version."""

    campaign_id: str
    campaign: Campaign
    number: Number
    terms_version: int


def attribute(snapshot: Snapshot, did: str) -> Attribution | None:
    """Who owns the number called; None when nobody does."""
    number = snapshot.marketplace.numbers.get(did)
    if number is None:
        return None
    campaign = snapshot.marketplace.campaigns[number.campaign]
    return Attribution(number.campaign, campaign, number, snapshot.terms_versions[number.campaign])
