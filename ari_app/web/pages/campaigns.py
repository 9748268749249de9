"""Campaigns: a party's own, or those on offer to it; one with its terms in plain words; started, paused, applied to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from ari_app.access.lens import Lens
from ari_app.desk import applications, documents, theirs
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.views.applications import application_json
from ari_app.views.terms import hours_words, terms_sections
from ari_app.web.pages.listings import page_of
from ari_app.web.pages.signing import Field
from ari_app.web.pages.tables import Column, Seen, table
from ari_app.web.pages.viewing import done, show
from ari_app.web.who import Asked, by

router = APIRouter(include_in_schema=False)

COLUMNS = (
    Column("campaign", "id", path="/campaigns/{}"),
    Column("state_now", "status", "state"),
    Column("advertiser", "advertiser"),
    Column("price", "_price", "amount"),
    Column("payout", "_payout", "amount"),
    Column("currency", "currency"),
    Column("open_to", "visibility"),
)
STEPS: dict[str, tuple[theirs.Step, ...]] = {
    "draft": ("start",),
    "live": ("pause", "end"),
    "paused": ("start", "end"),
    "ended": (),
}


@router.get("/campaigns")
def list_(asked: Annotated[Asked, Depends(by("documents.listed"))]) -> Response:
    """The campaigns that the asker may know of."""
    shown = [_priced(asked.lens.shown("Campaign", one)) for one in _known(asked.site, asked.lens)]
    columns = [
        one
        for one in COLUMNS
        if not one.field.startswith("_") or asked.lens.sees(one.field.removeprefix("_"))
    ]
    return page_of(asked, "campaigns", table(asked.lens, "Campaign", "place.campaigns", columns, shown))


@router.get("/campaigns/{name}")
def show_campaign(name: str, asked: Annotated[Asked, Depends(by("documents.shown"))]) -> Response:
    """One campaign: what a call comes to and when it counts; its hours; what may be done with it."""
    whole = _one(asked, name)
    seen = Seen.of(asked.lens.shown("Campaign", whole))
    publisher = asked.viewer.own.get("publisher")
    mine = applications.listed(asked.site, campaign=name, publisher=publisher) if publisher else []
    return show(
        asked,
        "campaign.html",
        campaign=seen,
        terms=terms_sections(asked.lens.shown("Campaign", whole), whole["currency"]),
        hours=hours_words(seen["hours"]) if seen["hours"] else None,
        steps=[
            step
            for step in STEPS[whole["status"]]
            if theirs.may_become(asked.viewer, whole["status"], theirs.STATUSES[step])
        ],
        applied=[Seen.of(asked.lens.shown("Application", application_json(one))) for one in mine],
        publisher=publisher,
    )


@router.post("/campaigns/{name}/apply")
def apply(
    name: str,
    asked: Annotated[Asked, Depends(by("applications.submit"))],
    note: Field = "",
    publisher: Field = "",
) -> RedirectResponse:
    """A publisher asks to join."""
    _one(asked, name)
    who = asked.viewer.own.get("publisher", publisher)
    applications.submit(asked.site, asked.actor, campaign=name, publisher=who, note=note or None)
    return done(f"/campaigns/{name}", "applied")


@router.post("/campaigns/{name}/{step}")
def become(
    name: str,
    step: theirs.Step,
    asked: Annotated[Asked, Depends(by("campaigns.become"))],
) -> RedirectResponse:
    """Starts, pauses or ends a campaign; calls under way go on."""
    _one(asked, name)
    theirs.become(asked.site, asked.viewer, name, theirs.STATUSES[step])
    return done(f"/campaigns/{name}", "campaign")


def _known(site: Site, lens: Lens) -> Iterator[dict[str, Any]]:
    """The campaigns that a party may know of: its own; to a publisher, those on offer."""
    currency = documents.exported(site)[1].currency
    every = documents.listed(site, "campaigns")
    offered = {
        name
        for name, one in every.items()
        if one["status"] in ("live", "paused")
        and (one["visibility"] == "public" or lens.party.id in one["invited"])
    }
    on_offer = offered if lens.party.kind == "publisher" else frozenset[str]()
    for name, one in every.items():
        entry = {"id": name, "currency": currency, **one}
        if lens.owns("Campaign", entry, on_offer):
            yield entry


def _one(asked: Asked, name: str) -> dict[str, Any]:
    """The campaign. Raises Refused: to others it is not there."""
    for entry in _known(asked.site, asked.lens):
        if entry["id"] == name:
            return entry
    raise Refused(Code.UNKNOWN, what="campaign", name=name)


def _priced(campaign: dict[str, Any]) -> dict[str, Any]:
    """With its amounts as they fit a cell; a rate is told on the campaign's page."""
    cells = {
        f"_{name}": campaign[name] if isinstance(campaign.get(name), str) else None
        for name in ("price", "payout")
    }
    return campaign | cells
