"""Finds advertisers and publishers by id: those in the marketplace, and those that left it."""

from __future__ import annotations

from collections.abc import Iterable

from ari_app.desk.checked import word
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.domain.market.marketplace import Marketplace
from ari_app.domain.market.parties import Advertiser, Publisher
from ari_app.store.market import parties


def advertiser_of(site: Site, marketplace: Marketplace, name: str) -> Advertiser:
    """The advertiser with this id, in force now or earlier. Raises Refused, which names the advertisers in force."""
    found = marketplace.advertisers.get(word(name, "advertiser")) or parties.advertiser(site.engine, name)
    if found is None:
        raise _unknown("advertiser", name, marketplace.advertisers)
    return found


def publisher_of(site: Site, marketplace: Marketplace, name: str) -> Publisher:
    """The publisher with this id, in force now or earlier. Raises Refused, which names the publishers in force."""
    found = marketplace.publishers.get(word(name, "publisher")) or parties.publisher(site.engine, name)
    if found is None:
        raise _unknown("publisher", name, marketplace.publishers)
    return found


def _unknown(what: str, name: str, known: Iterable[str]) -> Refused:
    return Refused(Code.NO_SUCH_PARTY, what=what, name=name, known=sorted(known))
