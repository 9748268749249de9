"""The marketplace's nouns: listed, shown, added, edited by merge patch (RFC 7396), removed; and the whole of it.

What is added and edited is checked as a file is that is applied. Files of this machine are nobody's here: a prompt
`file:` or an image is taken only where the marketplace has it already.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, get_args

import orjson
from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.responses import Response

from ari_app.desk import creatives, destinations, marketplaces, theirs
from ari_app.desk import documents as desk
from ari_app.desk.checked import invalid
from ari_app.desk.documents import IsKnown, Part
from ari_app.desk.marketplaces import Changed
from ari_app.desk.refused import Code, Refused
from ari_app.views.applied import applied_json
from ari_app.web.api.answers import JSON, Thing, etag, listing, one, tags
from ari_app.web.api.doing import Doing, does
from ari_app.web.api.words import Body
from ari_app.web.who import Asked, by

router = APIRouter(tags=["marketplace"])

NOWHERE = Path("/nonexistent")


@router.get("/marketplace")
def export(asked: Annotated[Asked, Depends(by("documents.exported"))]) -> Response:
    """The marketplace in force, as JSON of its document (docs/marketplace.md). Its ETag is its version."""
    version, document = desk.whole(asked.site)
    return Response(orjson.dumps(document), 200, {"etag": f'"v{version}"'}, JSON)


@router.post("/marketplace/plan")
def plan(doing: Annotated[Doing, Depends(does("marketplaces.plan"))]) -> Response:
    """What an apply of this document (YAML or JSON) would change; it changes nothing: `Applied`."""
    asked = doing.asked
    return one(asked, "Applied", _told(marketplaces.plan(asked.site, _text(doing.body), "body", NOWHERE)))


@router.post("/marketplace/apply")
def apply(doing: Annotated[Doing, Depends(does("marketplaces.apply"))]) -> Response:
    """Puts this document (YAML or JSON) in force, all of it or nothing: `Applied`.

    With If-Match, only in place of the version that the asker knows.
    """
    asked, text, based_on = doing.asked, _text(doing.body), _version(doing)
    return doing.once(
        "Applied",
        lambda: _told(marketplaces.apply(asked.site, asked.actor, text, "body", NOWHERE, based_on)),
    )


# The nouns


class AdditionRequest(Body):
    """A new one of a noun: its id, and its fields as docs/marketplace.md has them."""

    id: str
    entry: dict[str, Any]


def noun(part: Part) -> APIRouter:
    """The routes of one noun."""
    of_it, called = APIRouter(prefix=f"/{part}", tags=[part]), part.removesuffix("s").capitalize()

    @of_it.get("", name="list")
    def list_(asked: Annotated[Asked, Depends(by("documents.listed"))]) -> Response:
        """All of them, with their defaults: `list of Entry`; to a party, those that it may see."""
        entries = theirs.seen_entries(asked.site, asked.viewer, part).items()
        return listing(
            asked.request, [asked.lens.shown(called, {"id": name, **one}) for name, one in entries]
        )

    @of_it.get("/{name}", name="show")
    def show(name: str, asked: Annotated[Asked, Depends(by("documents.shown"))]) -> Response:
        """One of them, with its defaults: `Entry`. Its ETag is for If-Match."""
        return one(asked, called, _seen(asked, part, name))

    @of_it.post("", name="add", status_code=201)
    def add(body: AdditionRequest, doing: Annotated[Doing, Depends(does("documents.add"))]) -> Response:
        """Adds one to the marketplace in force; a campaign as a draft: `Applied`."""
        asked = doing.asked

        def do() -> Thing:
            return _told(theirs.add(asked.site, asked.viewer, part, body.id, body.entry, NOWHERE))

        return doing.once("Applied", do, 201)

    @of_it.patch("/{name}", name="edit")
    def edit(
        name: str, body: dict[str, Any], doing: Annotated[Doing, Depends(does("documents.edit"))]
    ) -> Response:
        """Edits fields by a JSON merge patch; null takes one away: `Applied`. Wants If-Match."""
        asked, is_known = doing.asked, _is_known(doing, called, name)
        _seen(asked, part, name)
        changed = theirs.edit(asked.site, asked.viewer, part, name, body, is_known, NOWHERE)
        return one(asked, "Applied", _told(changed))

    @of_it.delete("/{name}", name="remove")
    def remove(name: str, doing: Annotated[Doing, Depends(does("documents.remove"))]) -> Response:
        """Takes one out of the marketplace in force, unless another needs it: `Applied`. Wants If-Match."""
        asked, is_known = doing.asked, _is_known(doing, called, name)
        return one(asked, "Applied", _told(theirs.remove(asked.site, asked.viewer, part, name, is_known)))

    return of_it


NOUNS = tuple(noun(part) for part in get_args(Part))


# What they become


@router.post("/campaigns/{name}/{step}")
def become(
    name: str,
    step: theirs.Step,
    doing: Annotated[Doing, Depends(does("campaigns.become"))],
) -> Response:
    """Starts, pauses or ends a campaign; calls under way go on: `Applied`."""
    asked, status = doing.asked, theirs.STATUSES[step]
    return doing.once("Applied", lambda: _told(theirs.become(asked.site, asked.viewer, name, status)))


class MoveRequest(Body):
    """Whose it is to be."""

    advertiser: str


@router.post("/destinations/{name}/move")
def move(
    name: str, body: MoveRequest, doing: Annotated[Doing, Depends(does("destinations.move"))]
) -> Response:
    """Makes a destination another advertiser's: `Applied`."""
    asked = doing.asked
    return doing.once(
        "Applied", lambda: _told(destinations.move(asked.site, asked.actor, name, body.advertiser).changed)
    )


@router.post("/creatives/{name}/approve")
def approve(name: str, doing: Annotated[Doing, Depends(does("creatives.approve"))]) -> Response:
    """Approves a creative, so that it can be exported: `Applied`."""
    asked = doing.asked
    return doing.once("Applied", lambda: _told(creatives.approve(asked.site, asked.actor, name)))


class CreativeRejectionRequest(Body):
    """What is wrong with it."""

    reason: str


@router.post("/creatives/{name}/reject")
def reject(
    name: str, body: CreativeRejectionRequest, doing: Annotated[Doing, Depends(does("creatives.reject"))]
) -> Response:
    """Rejects a creative: `Applied`."""
    asked = doing.asked
    return doing.once("Applied", lambda: _told(creatives.reject(asked.site, asked.actor, name, body.reason)))


def _told(changed: Changed) -> Thing:
    return applied_json(changed.applied, changed.prompts, changed.shortages, changed.remarks)


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise invalid("body", "it is not UTF-8 text") from error


def _seen(asked: Asked, part: Part, name: str) -> dict[str, Any]:
    """An entry. Raises Refused: to who may not see it, it is not there."""
    entry = theirs.seen_entries(asked.site, asked.viewer, part).get(name)
    if entry is None:
        raise Refused(Code.UNKNOWN, what=part.removesuffix("s"), name=name)
    return {"id": name, **entry}


def _is_known(doing: Doing, called: str, name: str) -> IsKnown:
    """Whether an entry is still as the asker knows it. Raises HTTPException where they do not say how they know it."""
    known = tags(doing.asked.request.headers.get("if-match"))
    if known == {""}:
        raise HTTPException(428, "expected If-Match with the ETag of what you have seen, or *")
    lens = doing.asked.lens
    return lambda entry: "*" in known or etag(lens.shown(called, {"id": name, **entry})) in known


def _version(doing: Doing) -> int | None:
    """The version of the marketplace that the asker knows; None: they do not say. Raises Refused."""
    said = doing.asked.request.headers.get("if-match")
    if said is None or said == "*":
        return None
    text = said.strip('"').removeprefix("v")
    if not text.isdecimal() or len(text) > 9:
        raise invalid("If-Match", 'expected the ETag of /marketplace, such as "v12"')
    return int(text)
