"""Tracking numbers: to whom they are and were assigned, and how many are in stock."""

from __future__ import annotations

from ari_app.domain.basics.clock import iso
from ari_app.domain.market.marketplace import Number
from ari_app.domain.numbers.holdings import Assignment, Holding
from ari_app.domain.numbers.stock import Shelf

COLUMNS = {
    "number": "did",
    "campaign": "campaign",
    "publisher": "publisher",
    "source": "source",
    "by": "origin",
    "kind": "kind",
    "state": "region",
    "trunk": "trunk",
    "status": "status",
    "free from": "free_from",
}
"""The fields in a list, by heading."""


def holding_json(holding: Holding, status: str) -> dict[str, object]:
    """A number, its assignment, and its present `status`."""
    return {
        "did": holding.did,
        "campaign": holding.campaign,
        "publisher": holding.publisher,
        "source": holding.source,
        "origin": holding.origin,
        "kind": holding.kind,
        "region": holding.region,
        "trunk": holding.trunk,
        "status": status,
        "free_from": iso(holding.available_from) if status == "quarantined" else None,
    }


def shelf_json(shelf: Shelf, low_stock: int) -> dict[str, object]:
    """How many numbers of a kind and state there are; `low`: fewer are free than the policy's `low_stock`."""
    return {
        "kind": shelf.kind,
        "region": shelf.region,
        "free": shelf.free,
        "assigned": shelf.assigned,
        "quarantined": shelf.quarantined,
        "low": shelf.free < low_stock,
    }


HISTORY_COLUMNS = {
    "number": "did",
    "campaign": "campaign",
    "publisher": "publisher",
    "source": "source",
    "from": "from",
    "to": "to",
    "by": "origin",
}


def assignment_json(entry: Assignment) -> dict[str, object]:
    """One assignment of a number, and its time."""
    return {
        "did": entry.did,
        "campaign": entry.campaign,
        "publisher": entry.publisher,
        "source": entry.source,
        "from": iso(entry.from_at),
        "to": iso(entry.to_at),
        "origin": entry.origin,
    }


def assigned_json(did: str, number: Number) -> dict[str, object]:
    """A number that was assigned, and to whom."""
    return {"did": did, "campaign": number.campaign, "publisher": number.publisher, "source": number.source}


def released_json(did: str, held: Assignment, free_from: int) -> dict[str, object]:
    """A number that was released, and from when (ms) it can be assigned again."""
    return {"did": did, "campaign": held.campaign, "publisher": held.publisher, "free_from": iso(free_from)}


STOCK_COLUMNS = ("kind", "state", "free", "assigned", "quarantined")


def shelf_row(shelf: Shelf) -> tuple[object, ...]:
    """The stock of one kind and state in a list."""
    return shelf.kind, shelf.region, shelf.free, shelf.assigned, shelf.quarantined
