"""Creatives: approved, rejected, and exported to publishers, each with the publisher's own number."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ari_app.access.actor import Actor
from ari_app.desk import checked
from ari_app.desk.documents import Document, amend, done, entry_of
from ari_app.desk.inforce import in_force
from ari_app.desk.marketplaces import Changed
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.domain.market.marketplace import Creative, Marketplace, Number
from ari_app.media.creatives import find


@dataclass(frozen=True, slots=True)
class Ad:
    """An approved creative for a publisher: the publisher's number to show on it, and the image of a banner."""

    creative: Creative
    did: str
    number: Number
    image: Path | None


def approve(site: Site, actor: Actor, name: str) -> Changed:
    """Approves a creative, so that it can be exported. Raises Refused, StoreError."""

    def change(document: Document) -> None:
        entry = entry_of(document, "creatives", name)
        entry["status"] = "approved"
        entry.pop("reason", None)

    return amend(site, change, done(site, actor, "creatives.approve", name))


def reject(site: Site, actor: Actor, name: str, reason: str) -> Changed:
    """Rejects a creative: from now on it cannot be exported. Raises Refused, DocumentError, StoreError."""

    def change(document: Document) -> None:
        entry_of(document, "creatives", name).update(status="rejected", reason=reason)

    return amend(site, change, done(site, actor, "creatives.reject", name, reason=reason))


def ad(site: Site, name: str, publisher: str, source: str | None) -> Ad:
    """A creative for one publisher. `source`: the placement, if the publisher has several numbers. Raises Refused."""
    for field, asked in (("name", name), ("publisher", publisher), ("source", source or "")):
        checked.word(asked, field)
    marketplace = in_force(site.engine).marketplace
    creative = marketplace.creatives.get(name)
    if creative is None:
        raise Refused(Code.UNKNOWN, what="creative", name=name)
    if creative.status != "approved":
        raise Refused(Code.CREATIVE_NOT_APPROVED, name=name, status=creative.status)
    if marketplace.campaigns[creative.campaign].status == "ended":
        raise Refused(Code.CAMPAIGN_HAS_ENDED, name=creative.campaign)
    did, number = _number(marketplace, creative.campaign, publisher, source)
    image = None
    if creative.sha256 is not None:
        image = find(site.settings.creatives, creative.sha256)
        if image is None:
            raise Refused(Code.IMAGE_NOT_KEPT, name=name)
    return Ad(creative, did, number, image)


def _number(
    marketplace: Marketplace, campaign: str, publisher: str, source: str | None
) -> tuple[str, Number]:
    """The publisher's number for the campaign. Raises Refused when there is none, or when several are possible."""
    if publisher not in marketplace.publishers:
        raise Refused(Code.UNKNOWN, what="publisher", name=publisher)
    found = [
        (did, number)
        for did, number in sorted(marketplace.numbers.items())
        if (number.campaign, number.publisher) == (campaign, publisher) and source in (None, number.source)
    ]
    if not found:
        where = f" with source {source}" if source else ""
        raise Refused(Code.NO_NUMBER, publisher=publisher, campaign=campaign, where=where)
    if len({number.source for _, number in found}) > 1:
        sources = sorted(number.source or "none" for _, number in found)
        raise Refused(
            Code.SEVERAL_NUMBERS, publisher=publisher, count=len(found), campaign=campaign, sources=sources
        )
    return found[0]
