"""Campaigns: created as drafts, their fields set, started, paused and ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ari_app.access.actor import Actor
from ari_app.desk import checked
from ari_app.desk.documents import Document, add, amend, done, entry_of
from ari_app.desk.marketplaces import Changed
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.domain.document.fieldpath import AssignmentError, assign
from ari_app.domain.market.staging import fold


def create(site: Site, actor: Actor, name: str, entry: Document, assignments: Sequence[str] = ()) -> Changed:
    """Adds a campaign as a draft, then sets further fields as `set_fields` does.

    Raises Refused, DocumentError, StoreError.
    """
    draft = entry | {"status": "draft"}
    _assign_all(draft, assignments)
    return add(site, actor, "campaigns", name, draft)


def set_fields(site: Site, actor: Actor, name: str, assignments: Sequence[str]) -> Changed:
    """Sets fields, each named by its path (`route.ring_timeout=20s`); an empty value takes the field away.

    Staged terms whose start has passed are made the campaign's terms first. Raises Refused, DocumentError, StoreError.
    """

    def change(document: Document) -> None:
        entry = entry_of(document, "campaigns", name)
        fold(entry, site.now())
        _assign_all(entry, assignments)

    did = done(site, actor, "campaigns.set_fields", name, assignments=list(assignments))
    return amend(site, change, did)


def become(site: Site, actor: Actor, name: str, status: Literal["live", "paused", "ended"]) -> Changed:
    """Starts, pauses or ends a campaign; calls under way go on. Raises Refused, DocumentError, StoreError."""

    def change(document: Document) -> None:
        entry_of(document, "campaigns", name)["status"] = status

    return amend(site, change, done(site, actor, "campaigns.become", name, status=status))


def _assign_all(entry: Document, assignments: Sequence[str]) -> None:
    try:
        for assignment in assignments:
            assign(entry, checked.text(assignment, "assignments"))
    except AssignmentError as error:
        raise Refused(Code.BAD_FIELD, why=str(error)) from error
