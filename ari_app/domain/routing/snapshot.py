"""What a switch knows without asking anybody: the marketplace in force, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ari_app.domain.calls.geo import Area, Geography, area_of, overlaid
from ari_app.domain.market.campaigns import Campaign
from ari_app.domain.market.marketplace import Marketplace, Number
from ari_app.domain.market.staging import is_staged_at, staged
from ari_app.domain.market.trunks import barred


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One applied version of the marketplace, made ready for look-ups.

    `terms_versions`: the version of each campaign's terms now in force. `pauses`: paused
    destinations and why. `areas`: each destination's coverage, expanded once. `staged`: campaigns as
    they are under their staged terms, and `staged_versions` the versions of those. `suspended`:
    publishers who are suspended from a campaign, by campaign and publisher, and why. `barred`: destinations
    whose trunks may not dial them, and why.
    """

    version: int
    marketplace: Marketplace
    terms_versions: Mapping[str, int]
    geography: Geography
    pauses: Mapping[str, str] = field(default_factory=dict)
    areas: Mapping[str, Area] = field(default_factory=dict)
    staged: Mapping[str, Campaign] = field(default_factory=dict)
    staged_versions: Mapping[str, int] = field(default_factory=dict)
    suspended: Mapping[tuple[str, str], str] = field(default_factory=dict)
    barred: Mapping[str, str] = field(default_factory=dict)


def make_snapshot(
    version: int,
    marketplace: Marketplace,
    terms_versions: Mapping[str, int],
    geography: Geography,
    pauses: Mapping[str, str],
    staged_versions: Mapping[str, int] = MappingProxyType({}),
    suspended: Mapping[tuple[str, str], str] = MappingProxyType({}),
) -> Snapshot:
    """A snapshot with every destination's coverage expanded; a coverage that many share, once.

    `geography` are the tables; the snapshot has the marketplace's own places laid over them.
    """
    geography = overlaid(geography, marketplace.geography)
    expanded = {d.covers: area_of(d.covers, geography) for d in marketplace.destinations.values()}
    areas = {name: expanded[d.covers] for name, d in marketplace.destinations.items()}
    later = {name: staged(marketplace.campaigns[name]) for name in staged_versions}
    known = {name: campaign for name, campaign in later.items() if campaign is not None}
    return Snapshot(
        version,
        marketplace,
        terms_versions,
        geography,
        pauses,
        areas,
        known,
        staged_versions,
        suspended,
        barred(marketplace.destinations, marketplace.trunks),
    )


@dataclass(frozen=True, slots=True)
class Attribution:
    """Whose call it is, fixed when it arrives: campaign, publisher, source, terms version.

    `suspended`: why the publisher is suspended from the campaign; None: is not.
    """

    campaign_id: str
    campaign: Campaign
    number: Number
    terms_version: int
    suspended: str | None = None


def attribute(snapshot: Snapshot, did: str, at: int) -> Attribution | None:
    """Who owns the number called, and the terms of a call that begins at `at` (ms); None when nobody does."""
    number = snapshot.marketplace.numbers.get(did)
    return attribute_to(snapshot, number, at) if number is not None else None


def attribute_to(snapshot: Snapshot, number: Number, at: int) -> Attribution:
    """The same, of a number that is somebody's. Raises KeyError where the snapshot does not have its campaign."""
    campaign = snapshot.marketplace.campaigns[number.campaign]
    name, version = number.campaign, snapshot.terms_versions[number.campaign]
    if is_staged_at(campaign, at):
        campaign, version = snapshot.staged[name], snapshot.staged_versions[name]
    return Attribution(name, campaign, number, version, snapshot.suspended.get((name, number.publisher)))


@dataclass(frozen=True, slots=True)
class Pin:
    """What a call is pinned to when it is attributed, for good: whatever becomes of its number, or of the document.

    `marketplace_version` is the document that it began with, `suspended` as in Attribution.
    """

    marketplace_version: int
    campaign: str
    publisher: str
    source: str | None
    terms_version: int
    suspended: str | None = None


def pin_of(snapshot: Snapshot, found: Attribution) -> Pin:
    """What a call that is attributed so is pinned to."""
    number = found.number
    return Pin(
        snapshot.version,
        found.campaign_id,
        number.publisher,
        number.source,
        found.terms_version,
        found.suspended,
    )


def pinned(snapshot: Snapshot, pin: Pin) -> Attribution | None:
    """The attribution that was pinned; None when the snapshot, of that version, has no such campaign or publisher."""
    name, marketplace = pin.campaign, snapshot.marketplace
    campaign = marketplace.campaigns.get(name)
    if campaign is None or pin.publisher not in marketplace.publishers:
        return None
    if pin.terms_version == snapshot.staged_versions.get(name) != snapshot.terms_versions[name]:
        campaign = snapshot.staged[name]
    number = Number(name, pin.publisher, pin.source)
    return Attribution(name, campaign, number, pin.terms_version, pin.suspended)
