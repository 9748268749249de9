"""What a party changes of the marketplace: its own entries, and of these the fields that are its to set.

For the operator's people these are the use cases themselves. What is another's is refused as if it were not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from ari_app.access.edits import not_theirs
from ari_app.access.parties import Viewer
from ari_app.desk import agents, campaigns, documents
from ari_app.desk.allowed import require
from ari_app.desk.documents import Document, IsKnown, Part, entry_of
from ari_app.desk.inforce import in_force
from ari_app.desk.marketplaces import Changed
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.domain.market.marketplace import Marketplace
from ari_app.domain.numbers.applications import closed_to
from ari_app.store.market import applications

Step = Literal["start", "pause", "end"]
Status = Literal["live", "paused", "ended"]

STATUSES: dict[Step, Status] = {"start": "live", "pause": "paused", "end": "ended"}
"""What a campaign becomes by each step."""


def create_campaign(site: Site, viewer: Viewer, name: str, entry: Document, base: Path = Path()) -> Changed:
    """Adds a campaign as a draft. An advertiser's earns publishers nothing until the operator sets its payout.

    Files that the entry names are relative to `base`. Raises Refused, DocumentError, StoreError.
    """
    require(viewer, "campaigns.create", site.now())
    if viewer.party.kind == "advertiser":
        _require_fields(viewer, "drafts", entry)
        entry = {**entry, "advertiser": viewer.party.id, "payout": "0"}
    return documents.add(site, viewer.actor, "campaigns", name, {**entry, "status": "draft"}, base)


def set_campaign(site: Site, viewer: Viewer, name: str, assignments: Sequence[str]) -> Changed:
    """Sets a campaign's fields, as `campaigns.set_fields` does. Raises Refused, DocumentError, StoreError."""
    require(viewer, "campaigns.set_fields", site.now())
    entry = own_entry(site, viewer, "campaigns", name)
    part = "drafts" if entry["status"] == "draft" else "campaigns"
    _require_fields(viewer, part, (one.partition("=")[0].strip() for one in assignments))
    return campaigns.set_fields(site, viewer.actor, name, assignments)


def may_become(viewer: Viewer, before: str, status: Status) -> bool:
    """Whether the viewer's party may make a campaign of status `before` this: the operator starts drafts."""
    return not (before == "draft" and status == "live" and viewer.party.kind != "operator")


def become(site: Site, viewer: Viewer, name: str, status: Status) -> Changed:
    """Starts, pauses or ends a campaign; the operator starts drafts. Raises Refused, DocumentError, StoreError."""
    require(viewer, "campaigns.become", site.now())
    entry = own_entry(site, viewer, "campaigns", name)
    if not may_become(viewer, entry["status"], status):
        raise Refused(Code.NOT_ALLOWED, who=str(viewer.party), what=f"start the draft {name}")
    return campaigns.become(site, viewer.actor, name, status)


def add(site: Site, viewer: Viewer, part: Part, name: str, entry: Document, base: Path = Path()) -> Changed:
    """Adds an entry, an advertiser's to what is its own. Raises Refused, DocumentError, StoreError."""
    require(viewer, "documents.add", site.now())
    if part == "campaigns":
        return create_campaign(site, viewer, name, entry, base)
    if viewer.party.kind != "operator":
        _require_fields(viewer, part, set(entry) - {"advertiser"})
        if part == "destinations":
            entry = {**entry, "advertiser": viewer.party.id}
        elif part == "creatives":
            own_entry(site, viewer, "campaigns", str(entry.get("campaign", "")))
        elif part != "flows":
            raise Refused(Code.NOT_ALLOWED, who=str(viewer.party), what=f"{part}.add")
    return documents.add(site, viewer.actor, part, name, entry, base)


def edit(
    site: Site,
    viewer: Viewer,
    part: Part,
    name: str,
    patch: Document,
    is_known: IsKnown | None = None,
    base: Path = Path(),
) -> Changed:
    """Edits an entry of the party's own by a merge patch, as `documents.edit` does. Raises as that."""
    require(viewer, "documents.edit", site.now())
    entry = own_entry(site, viewer, part, name)
    _require_fields(
        viewer, "drafts" if entry.get("status") == "draft" and part == "campaigns" else part, patch
    )
    if part == "creatives" and "campaign" in patch:
        own_entry(site, viewer, "campaigns", str(patch["campaign"]))
    return documents.edit(site, viewer.actor, part, name, patch, is_known, base)


def remove(site: Site, viewer: Viewer, part: Part, name: str, is_known: IsKnown | None = None) -> Changed:
    """Removes an entry of the party's own. Raises Refused, StoreError."""
    require(viewer, "documents.remove", site.now())
    own_entry(site, viewer, part, name)
    return documents.remove(site, viewer.actor, part, name, is_known)


def pause(site: Site, viewer: Viewer, agent: str, reason: str) -> None:
    """Pauses a destination of the party's own. Raises Refused, StoreError."""
    require(viewer, "agents.pause", site.now())
    own_entry(site, viewer, "destinations", agent)
    agents.pause(site, viewer.actor, agent, reason)


def resume(site: Site, viewer: Viewer, agent: str) -> None:
    """Resumes a destination of the party's own. Raises Refused, StoreError."""
    require(viewer, "agents.resume", site.now())
    own_entry(site, viewer, "destinations", agent)
    agents.resume(site, viewer.actor, agent)


def seen_entries(site: Site, viewer: Viewer, part: Part) -> dict[str, Document]:
    """The entries that the party may see, with all their fields: what it sees of each is for its lens.

    Of campaigns, those that a publisher may apply to; of flows and creatives, those of such campaigns.
    """
    entries = documents.listed(site, part)
    if viewer.party.kind == "operator":
        return entries
    campaigns_seen = own_campaigns(site, viewer)
    market = in_force(site.engine).marketplace
    flows = {market.campaigns[name].flow for name in campaigns_seen}
    own = viewer.party.id

    def is_seen(name: str, entry: Document) -> bool:
        match part:
            case "campaigns":
                return name in campaigns_seen
            case "creatives":
                return entry["campaign"] in campaigns_seen
            case "flows":
                return name in flows and viewer.party.kind == "advertiser"
            case "destinations":
                return viewer.owns(advertiser=entry["advertiser"], destination=name)
            case _:
                return (part, name) == (f"{viewer.party.kind}s", own)

    return {name: entry for name, entry in entries.items() if is_seen(name, entry)}


def own_entry(site: Site, viewer: Viewer, part: Part, name: str) -> Document:
    """An entry of the marketplace that is the party's own. Raises Refused for all others, as if they were not there."""
    entry = documents.shown(site, part, name)
    if not _owns(site, viewer, part, name, entry):
        entry_of({part: {}}, part, name)
    return entry


def own_campaigns(site: Site, viewer: Viewer) -> frozenset[str]:
    """The campaigns that the party sees: an advertiser's own; for a publisher those that it is in, or may apply to."""
    market = in_force(site.engine).marketplace
    match viewer.party.kind:
        case "operator":
            return frozenset(market.campaigns)
        case "advertiser":
            is_own = (name for name, one in market.campaigns.items() if one.advertiser == viewer.party.id)
            return frozenset(is_own)
        case "publisher":
            return frozenset(_offered(site, market, viewer.party.id))
        case "agent":
            return frozenset()


def _offered(site: Site, market: Marketplace, publisher: str) -> Iterable[str]:
    joined = {one.campaign for one in applications.all_of(site.engine) if one.publisher == publisher}
    joined |= {number.campaign for number in market.numbers.values() if number.publisher == publisher}
    for name, campaign in market.campaigns.items():
        is_open = campaign.status in ("live", "paused") and closed_to(campaign, publisher) is None
        if name in joined or is_open:
            yield name


def _owns(site: Site, viewer: Viewer, part: Part, name: str, entry: Document) -> bool:
    if viewer.party.kind == "operator":
        return True
    if part == "destinations" and viewer.party.kind == "agent":
        return name == viewer.party.id
    if viewer.party.kind != "advertiser":
        return False
    match part:
        case "campaigns" | "destinations":
            return bool(entry["advertiser"] == viewer.party.id)
        case "creatives":
            return entry["campaign"] in own_campaigns(site, viewer)
        case "flows":
            users = [
                one.advertiser
                for one in in_force(site.engine).marketplace.campaigns.values()
                if one.flow == name
            ]
            return bool(users) and set(users) == {viewer.party.id}
        case _:
            return False


def _require_fields(viewer: Viewer, part: str, fields: Iterable[str]) -> None:
    refused = not_theirs(viewer, part, fields)
    if refused:
        raise Refused(Code.NOT_ALLOWED, who=str(viewer.party), what=f"set {', '.join(refused)} of {part}")
