"""Destinations: moved from one advertiser to another."""

from __future__ import annotations

from dataclasses import dataclass

from ari_app.access.actor import Actor
from ari_app.desk.documents import Document, amend, entry_of
from ari_app.desk.marketplaces import Changed
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.domain.basics.audit import Entry


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move changed, and the time zones, before and now, in which the destination's hours and caps are read.

    The zones are None when the destination has its own zone, or when the zone stays the same.
    """

    changed: Changed
    timezones: tuple[str, str] | None


def move(site: Site, actor: Actor, name: str, advertiser: str) -> Moved:
    """Moves a destination to another advertiser, from now on. Calls under way and records keep their advertiser.

    Raises Refused while a campaign of the advertiser that it leaves routes to it; StoreError.
    """
    facts = {"to": advertiser}
    zones = list[str]()  # filled when the change is made, which may be more than once

    def change(document: Document) -> None:
        entry = entry_of(document, "destinations", name)
        left = facts["from"] = entry["advertiser"]
        entry_of(document, "advertisers", advertiser)
        if left == advertiser:
            raise Refused(Code.IS_THEIRS, what="destination", name=name, owner=advertiser)
        if campaigns := _routing_to(document, name):
            raise Refused(Code.IS_ROUTED_TO, name=name, owner=left, campaigns=campaigns)
        entry["advertiser"] = advertiser
        zones[:] = _timezones(document, entry, left, advertiser)

    entry = Entry(site.now(), str(actor), "destinations.move", name, facts)
    changed = amend(site, change, entry)
    is_other = len(set(zones)) > 1
    return Moved(changed, (zones[0], zones[1]) if is_other else None)


def _routing_to(document: Document, destination: str) -> list[str]:
    """The campaigns of any status that have the destination in a wave. All belong to its advertiser."""
    return [
        name
        for name, campaign in document["campaigns"].items()
        if any(destination in wave["destinations"] for wave in campaign.get("route", {}).get("waves", ()))
    ]


def _timezones(document: Document, destination: Document, *advertisers: str) -> list[str]:
    """The advertisers' time zones; empty if nothing of the destination (hours without a zone, caps) is read in them."""
    hours = destination.get("hours")
    is_read = bool(destination.get("caps")) or (hours is not None and "timezone" not in hours)
    return [document["advertisers"][name].get("timezone", "UTC") for name in advertisers if is_read]
