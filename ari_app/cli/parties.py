"""Advertisers and publishers as commands name them: those in the marketplace, and those that left it."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Engine

from ari_app.cli.common import Refused
from ari_app.domain.market.marketplace import Marketplace
from ari_app.domain.market.parties import Advertiser, Publisher
from ari_app.store.market import parties


def advertiser_of(engine: Engine, marketplace: Marketplace, name: str) -> Advertiser:
    """The advertiser of this id, in force or before. Raises Refused, naming those that there are."""
    found = marketplace.advertisers.get(name) or parties.advertiser(engine, name)
    if found is None:
        raise _unknown("advertiser", name, marketplace.advertisers)
    return found


def publisher_of(engine: Engine, marketplace: Marketplace, name: str) -> Publisher:
    """The publisher of this id, in force or before. Raises Refused, naming those that there are."""
    found = marketplace.publishers.get(name) or parties.publisher(engine, name)
    if found is None:
        raise _unknown("publisher", name, marketplace.publishers)
    return found


def _unknown(what: str, name: str, known: Iterable[str]) -> Refused:
    return Refused(f"there is no {what} {name}; there are: {', '.join(sorted(known))}")
