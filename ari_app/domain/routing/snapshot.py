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
    """One applied version of the marketplace, prepared for look-ups.

    `terms_versions`: the version of each campaign's terms now in force.
    `pauses`: the paused destinations, and why each is paused.
    `areas`: the coverage of each destination, prepared once.
    `staged`: campaigns as they are under their staged terms; `staged_versions`: the versions of those terms.
    `suspended`: by campaign and publisher, why the publisher is suspended from the campaign.
    `barred`: the destinations that their trunk may not dial, and why. `spent`: the trunks that have spent all that they
    may, and why.
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
    spent: Mapping[str, str] = field(default_factory=dict)


def make_snapshot(
    version: int,
    marketplace: Marketplace,
    terms_versions: Mapping[str, int],
    geography: Geography,
    pauses: Mapping[str, str],
    staged_versions: Mapping[str, int] = MappingProxyType({}),
    suspended: Mapping[tuple[str, str], str] = MappingProxyType({}),
) -> Snapshot:
    """A snapshot with the coverage of every destination prepared; a coverage that many share is prepared once.

    `geography`: the tables. In the snapshot, the marketplace's own area codes and ZIP codes are laid over them.
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

    `suspended`: why the publisher is suspended from the campaign; None: it is not suspended.
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
    """The same for a number that has an owner. Raises KeyError where the snapshot does not have its campaign."""
    campaign = snapshot.marketplace.campaigns[number.campaign]
    name, version = number.campaign, snapshot.terms_versions[number.campaign]
    if is_staged_at(campaign, at):
        campaign, version = snapshot.staged[name], snapshot.staged_versions[name]
    return Attribution(name, campaign, number, version, snapshot.suspended.get((name, number.publisher)))


@dataclass(frozen=True, slots=True)
class Pin:
    """What a call is pinned to when it is attributed. Later changes of its number or of the document do not change it.

    `marketplace_version` is the version of the document that the call began with; `suspended` is as in Attribution.
    """

    marketplace_version: int
    campaign: str
    publisher: str
    source: str | None
    terms_version: int
    suspended: str | None = None


def pin_of(snapshot: Snapshot, found: Attribution) -> Pin:
    """What a call with this attribution is pinned to."""
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
    """The attribution of a pin; None: the snapshot of that version has no such campaign or publisher."""
    name, marketplace = pin.campaign, snapshot.marketplace
    campaign = marketplace.campaigns.get(name)
    if campaign is None or pin.publisher not in marketplace.publishers:
        return None
    if pin.terms_version == snapshot.staged_versions.get(name) != snapshot.terms_versions[name]:
        campaign = snapshot.staged[name]
    number = Number(name, pin.publisher, pin.source)
    return Attribution(name, campaign, number, pin.terms_version, pin.suspended)
