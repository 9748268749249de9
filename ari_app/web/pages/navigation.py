"""The way through the portals: a row for each page, by the use case that it asks; for those who may do that."""

from __future__ import annotations

from typing import NamedTuple

from ari_app.access.deeds import may
from ari_app.access.parties import Viewer


class Place(NamedTuple):
    """A page in the navigation: its message, address and use case."""

    name: str
    path: str
    deed: str


PLACES = (
    Place("today", "/", "reports.by"),
    Place("live", "/live", "live.view"),
    Place("calls", "/calls", "calls.latest"),
    Place("campaigns", "/campaigns", "documents.listed"),
    Place("applications", "/applications", "applications.listed"),
    Place("numbers", "/numbers", "numbers.listed"),
    Place("destinations", "/destinations", "agents.listed"),
    Place("disputes", "/disputes", "disputes.list_"),
    Place("funds", "/funds", "ledger.balances"),
    Place("bills", "/bills", "bills.list_"),
    Place("payouts", "/payouts", "payouts.every"),
    Place("reports", "/reports", "reports.by"),
    Place("marketplace", "/marketplace", "marketplaces.plan"),
    Place("people", "/people", "people.listed"),
    Place("audit", "/audit", "audit.listed"),
    Place("doctor", "/doctor", "doctor.examine"),
)


def places_of(viewer: Viewer) -> list[Place]:
    """The pages that this viewer may open."""
    return [place for place in PLACES if may(viewer, place.deed)]
