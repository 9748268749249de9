"""The marketplace's nouns: listed, shown, added, edited by merge patch (RFC 7396), removed; and the whole of it.

What is added and edited is checked as a file is that is applied. Files of this machine are nobody's here: a prompt
`file:` or an image is taken only where the marketplace has it already.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import orjson
from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.responses import Response

from ari_app.desk import campaigns, creatives, destinations, marketplaces
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
EDITED_BY_PARTIES = frozenset({"capacity", "hours", "caps", "priority", "weight"})
"""The fields of a destination that its advertiser may edit; the rest is agreed with the exchange."""


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
    of_it = APIRouter(prefix=f"/{part}", tags=[part])

    @of_it.get("", name="list")
    def list_(asked: Annotated[Asked, Depends(by("documents.listed"))]) -> Response:
        """All of them, with their defaults: `list of Entry`."""
        entries = ({"id": name, **entry} for name, entry in desk.listed(asked.site, part).items())
        theirs = (asked.lens.shown("Entry", entry) for entry in entries if _is_theirs(asked, part, entry))
        return listing(asked.request, list(theirs))

    @of_it.get("/{name}", name="show")
    def show(name: str, asked: Annotated[Asked, Depends(by("documents.shown"))]) -> Response:
        """One of them, with its defaults: `Entry`. Its ETag is for If-Match."""
        return one(asked, "Entry", _theirs(asked, part, name))

    @of_it.post("", name="add", status_code=201)
    def add(body: AdditionRequest, doing: Annotated[Doing, Depends(does("documents.add"))]) -> Response:
        """Adds one to the marketplace in force; a campaign as a draft: `Applied`."""
        asked = doing.asked
        _require_operator(asked)

        def do() -> Thing:
            if part == "campaigns":
                return _told(campaigns.create(asked.site, asked.actor, body.id, body.entry))
            return _told(desk.add(asked.site, asked.actor, part, body.id, body.entry, NOWHERE))

        return doing.once("Applied", do, 201)

    @of_it.patch("/{name}", name="edit")
    def edit(
        name: str, body: dict[str, Any], doing: Annotated[Doing, Depends(does("documents.edit"))]
    ) -> Response:
        """Edits fields by a JSON merge patch; null takes one away: `Applied`. Wants If-Match."""
        asked, is_known = doing.asked, _is_known(doing, name)
        _theirs(asked, part, name)
        if asked.viewer.own and (part != "destinations" or not EDITED_BY_PARTIES.issuperset(body)):
            raise Refused(Code.NOT_ALLOWED, who=str(asked.viewer.party), what=f"edit this of {part}")
        changed = desk.edit(asked.site, asked.actor, part, name, body, is_known, NOWHERE)
        return one(asked, "Applied", _told(changed))

    @of_it.delete("/{name}", name="remove")
    def remove(name: str, doing: Annotated[Doing, Depends(does("documents.remove"))]) -> Response:
        """Takes one out of the marketplace in force, unless another needs it: `Applied`. Wants If-Match."""
        asked, is_known = doing.asked, _is_known(doing, name)
        _require_operator(asked)
        return one(asked, "Applied", _told(desk.remove(asked.site, asked.actor, part, name, is_known)))

    return of_it


NOUNS = tuple(noun(part) for part in get_args(Part))


# What they become


@router.post("/campaigns/{name}/{step}")
def become(
    name: str,
    step: Literal["start", "pause", "end"],
    doing: Annotated[Doing, Depends(does("campaigns.become"))],
) -> Response:
    """Starts, pauses or ends a campaign; calls under way go on: `Applied`."""
    asked, status = doing.asked, _STATUSES[step]
    _theirs(asked, "campaigns", name)
    return doing.once("Applied", lambda: _told(campaigns.become(asked.site, asked.actor, name, status)))


_STATUSES: dict[str, Literal["live", "paused", "ended"]] = {
    "start": "live",
    "pause": "paused",
    "end": "ended",
}


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


def _theirs(asked: Asked, part: Part, name: str) -> dict[str, Any]:
    """An entry. Raises Refused: to others it is not there."""
    entry = {"id": name, **desk.shown(asked.site, part, name)}
    if not _is_theirs(asked, part, entry):
        raise Refused(Code.UNKNOWN, what=part.removesuffix("s"), name=name)
    return entry


def _is_theirs(asked: Asked, part: Part, entry: dict[str, Any]) -> bool:
    own = asked.viewer.own
    return (
        not own
        or (part == f"{asked.viewer.party.kind}s" and entry["id"] in own.values())
        or (entry.get("advertiser") == own.get("advertiser", ""))
    )


def _require_operator(asked: Asked) -> None:
    if asked.viewer.own:
        raise Refused(
            Code.NOT_ALLOWED, who=str(asked.viewer.party), what="change what the marketplace consists of"
        )


def _is_known(doing: Doing, name: str) -> IsKnown:
    """Whether an entry is still as the asker knows it. Raises HTTPException where they do not say how they know it."""
    known = tags(doing.asked.request.headers.get("if-match"))
    if known == {""}:
        raise HTTPException(428, "expected If-Match with the ETag of what you have seen, or *")
    lens = doing.asked.lens
    return lambda entry: "*" in known or etag(lens.shown("Entry", {"id": name, **entry})) in known


def _version(doing: Doing) -> int | None:
    """The version of the marketplace that the asker knows; None: they do not say. Raises Refused."""
    said = doing.asked.request.headers.get("if-match")
    if said is None or said == "*":
        return None
    text = said.strip('"').removeprefix("v")
    if not text.isdecimal() or len(text) > 9:
        raise invalid("If-Match", 'expected the ETag of /marketplace, such as "v12"')
    return int(text)
