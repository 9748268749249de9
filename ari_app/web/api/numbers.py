"""Tracking numbers: whose each is and was, what is in stock; assigned, released, imported."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from ari_app.desk import numbers as desk
from ari_app.domain.market.marketplace import Number
from ari_app.domain.numbers.inventory import NumberKind, Status, Wanted
from ari_app.views.numbers import assigned_json, assignment_json, holding_json, released_json, shelf_json
from ari_app.web.api.answers import Thing, every, listing
from ari_app.web.api.doing import Doing, does
from ari_app.web.api.own import campaigns_of
from ari_app.web.api.words import Body
from ari_app.web.who import Asked, by

router = APIRouter(prefix="/numbers", tags=["numbers"])


@router.get("")
def list_(
    asked: Annotated[Asked, Depends(by("numbers.listed"))],
    campaign: str | None = None,
    publisher: str | None = None,
    region: str | None = None,
    kind: NumberKind | None = None,
    status: Status | None = "assigned",
) -> Response:
    """The numbers that are assigned, or of another status: `list of Number`."""
    wanted = desk.Asked(campaign, asked.viewer.own.get("publisher", publisher), region, kind, status)
    told = (holding_json(*found) for found in desk.listed(asked.site, wanted))
    return every(asked, "Number", told, campaigns_of(asked))


@router.get("/stock")
def stock(asked: Annotated[Asked, Depends(by("numbers.stock"))]) -> Response:
    """How many imported numbers there are of each kind and state: `list of Stock`."""
    found = desk.stock(asked.site)
    return listing(asked.request, [shelf_json(shelf, found.low_stock) for shelf in found.shelves])


@router.get("/{did}/history")
def history(did: str, asked: Annotated[Asked, Depends(by("numbers.history"))]) -> Response:
    """Whose a number was, and when: `list of NumberHistory`."""
    return listing(asked.request, list(map(assignment_json, desk.history(asked.site, did))))


class AssignmentRequest(Body):
    """To whom a free number is given: this one, or any of a kind and a state."""

    campaign: str
    publisher: str
    source: str | None = None
    did: str | None = None
    kind: NumberKind | None = None
    region: str | None = None


@router.post("", status_code=201)
def assign(body: AssignmentRequest, doing: Annotated[Doing, Depends(does("numbers.assign"))]) -> Response:
    """Assigns a free number, the one unused for longest: `NumberGiven`."""
    asked = doing.asked

    def do() -> Thing:
        did = desk.assign(
            asked.site,
            asked.actor,
            campaign=body.campaign,
            publisher=body.publisher,
            source=body.source,
            wanted=Wanted(body.did, body.kind, body.region),
        )
        return assigned_json(did, Number(body.campaign, body.publisher, body.source))

    return doing.once("NumberGiven", do, 201)


@router.post("/{did}/release")
def release(did: str, doing: Annotated[Doing, Depends(does("numbers.release"))]) -> Response:
    """Takes a number back; it then rests: `NumberReleased`."""
    asked = doing.asked
    return doing.once(
        "NumberReleased", lambda: released_json(did, *desk.release(asked.site, asked.actor, did))
    )


class NumbersImportRequest(Body):
    """Numbers as CSV text: did, kind, region, trunk. `trunk` is for rows without one."""

    csv: str
    trunk: str | None = None


@router.post("/import")
def import_(
    body: NumbersImportRequest, doing: Annotated[Doing, Depends(does("numbers.import_"))]
) -> Response:
    """Adds numbers to the stock: `NumbersTaken`."""
    asked = doing.asked

    def do() -> Thing:
        taken = desk.import_(asked.site, asked.actor, body.csv, "csv", trunk=body.trunk)
        return {"added": taken.added, "changed": taken.changed, "same": taken.same}

    return doing.once("NumbersTaken", do)
