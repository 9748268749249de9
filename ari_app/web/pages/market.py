"""What the marketplace consists of beside campaigns: destinations, applications, numbers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path
from starlette.responses import RedirectResponse, Response

from ari_app.desk import agents, applications, numbers
from ari_app.desk.checked import MOST_SERIAL, invalid
from ari_app.domain.numbers.inventory import Wanted
from ari_app.views.agents import agent_json
from ari_app.views.applications import application_json
from ari_app.views.numbers import holding_json
from ari_app.web.pages.listings import page_of, theirs
from ari_app.web.pages.signing import Field
from ari_app.web.pages.tables import Column
from ari_app.web.pages.viewing import done
from ari_app.web.who import Asked, by

router = APIRouter(include_in_schema=False)

Serial = Annotated[int, Path(ge=1, le=MOST_SERIAL)]
DESTINATIONS = (
    Column("destination", "agent"),
    Column("advertiser", "advertiser"),
    Column("dial", "dial", "text"),
    Column("in_use", "in_use", "number"),
    Column("capacity", "capacity", "number"),
    Column("paused", "paused", "text"),
)
APPLICATIONS = (
    Column("application", "id", "number"),
    Column("campaign", "campaign", path="/campaigns/{}"),
    Column("publisher", "publisher"),
    Column("state_now", "state", "state"),
    Column("since", "since", "time"),
    Column("note", "note", "text"),
    Column("by", "by"),
)
NUMBERS = (
    Column("number", "did"),
    Column("state_now", "status", "state"),
    Column("campaign", "campaign"),
    Column("publisher", "publisher"),
    Column("source", "source", "text"),
    Column("kind", "kind"),
    Column("state", "region"),
    Column("trunk", "trunk"),
    Column("free_from", "free_from", "time"),
)


@router.get("/destinations")
def destinations(asked: Annotated[Asked, Depends(by("agents.listed"))]) -> Response:
    """The destinations, with what each has in hand."""
    found = agents.listed(asked.site, asked.viewer.own.get("advertiser"))
    told = (agent_json(name, one, found.in_use, found.pauses) for name, one in found.destinations.items())
    listed = theirs(asked, "Agent", "place.destinations", DESTINATIONS, told)
    return page_of(asked, "destinations", listed, "destinations.html")


@router.post("/destinations/pause")
def pause(
    asked: Annotated[Asked, Depends(by("agents.pause"))], name: Field = "", reason: Field = ""
) -> RedirectResponse:
    """Offers a destination no calls until it is resumed."""
    _require_theirs(asked, name)
    agents.pause(asked.site, asked.actor, name, reason)
    return done("/destinations", "paused")


@router.post("/destinations/resume")
def resume(asked: Annotated[Asked, Depends(by("agents.resume"))], name: Field = "") -> RedirectResponse:
    """Offers a destination calls again."""
    _require_theirs(asked, name)
    agents.resume(asked.site, asked.actor, name)
    return done("/destinations", "resumed")


def _require_theirs(asked: Asked, name: str) -> None:
    found = agents.get(asked.site, name)
    if not asked.viewer.owns(advertiser=found.advertiser, destination=name):
        raise agents.no_agent(name)


@router.get("/applications")
def list_applications(asked: Annotated[Asked, Depends(by("applications.listed"))]) -> Response:
    """Who asked to join which campaign, newest first."""
    told = map(application_json, applications.listed(asked.site))
    listed = theirs(asked, "Application", "place.applications", APPLICATIONS, told, newest_first=True)
    return page_of(asked, "applications", listed, "applications.html")


@router.post("/applications/{id}/approve")
def approve(
    id: Serial,
    asked: Annotated[Asked, Depends(by("applications.approve"))],
    count: Annotated[int, Form(ge=0, le=applications.MOST_NUMBERS)] = 1,
    note: Field = "",
) -> RedirectResponse:
    """Approves it, with numbers."""
    applications.approve(asked.site, asked.actor, id, count=count, wanted=Wanted(), note=note or None)
    return done("/applications", "application")


@router.post("/applications/{id}/decide")
def decide(
    id: Serial,
    asked: Annotated[Asked, Depends(by("applications.decide"))],
    event: Field = "",
    reason: Field = "",
) -> RedirectResponse:
    """Declines, suspends or reinstates it."""
    if event not in ("decline", "suspend", "reinstate"):
        raise invalid("event", "expected decline, suspend or reinstate")
    applications.decide(asked.site, asked.actor, id, event, reason or None)  # type: ignore[arg-type]
    return done("/applications", "application")


@router.get("/numbers")
def list_numbers(asked: Annotated[Asked, Depends(by("numbers.listed"))]) -> Response:
    """The tracking numbers, and whose each is."""
    told = (holding_json(holding, status) for holding, status in numbers.listed(asked.site, numbers.Asked()))
    return page_of(asked, "numbers", theirs(asked, "Number", "place.numbers", NUMBERS, told))
