"""Conversions: which calls became sales, and which still wait for it."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, get_args

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from ari_app.desk import calls, visibility
from ari_app.desk import conversions as desk
from ari_app.desk.calls import Found
from ari_app.domain.terms.conversions import Became, parse
from ari_app.views.conversions import conversion_json
from ari_app.web.api.answers import MOST, Thing, listing
from ari_app.web.api.doing import Doing, does
from ari_app.web.api.words import Body, moment
from ari_app.web.who import Asked, by

router = APIRouter(prefix="/conversions", tags=["conversions"])


@router.get("")
def list_(
    asked: Annotated[Asked, Depends(by("conversions.latest"))],
    pending: bool = False,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> Response:
    """The converted calls, the last told first; or those that wait, by their deadlines: `list of Conversion`."""
    found = desk.latest(asked.site, limit, is_pending=pending, own=asked.viewer.own)
    return listing(asked.request, [told for one in found if (told := _told(asked, one)) is not None])


class ConversionRequest(Body):
    """Which call became a sale, when (unless now), and the sale's own name."""

    call_id: str
    at: str | None = None
    ref: str | None = None


@router.post("", status_code=201)
def post(body: ConversionRequest, doing: Annotated[Doing, Depends(does("conversions.post"))]) -> Response:
    """Tells of a sale; told again, it changes nothing: `Conversion`."""
    asked, at = doing.asked, moment(body.at, "at")
    _require_theirs(asked, body.call_id)

    def do() -> Thing:
        outcome = desk.post(asked.site, asked.actor, body.call_id, at=at, ref=body.ref)
        [found] = calls.with_money(asked.site, [outcome.record])
        return conversion_json(found.record, found.transfers) | {"became": outcome.became}

    return doing.once("Conversion", do, 201)


class ConversionsImportRequest(Body):
    """Conversions as CSV text: call, at, ref."""

    csv: str


@router.post("/import")
def import_(
    body: ConversionsImportRequest, doing: Annotated[Doing, Depends(does("conversions.import_"))]
) -> Response:
    """Tells of many sales, all of them or none: `ConversionsTaken`."""
    asked = doing.asked
    if asked.viewer.own:
        for told in parse(body.csv, "csv"):
            _require_theirs(asked, told.call_id)

    def do() -> Thing:
        became = Counter(one.became for one in desk.import_(asked.site, asked.actor, body.csv, "csv"))
        return {kind: became[kind] for kind in get_args(Became)}

    return doing.once("ConversionsTaken", do)


def _require_theirs(asked: Asked, call_id: str) -> None:
    """Raises Refused: a call of others is not there."""
    if visibility.seen(asked.lens, calls.whole(asked.site, call_id)) is None:
        raise calls.no_call(call_id)


def _told(asked: Asked, found: Found) -> Thing | None:
    seen = visibility.seen(asked.lens, found)
    if seen is None:
        return None
    return asked.lens.shown("Conversion", conversion_json(seen.record, seen.transfers))
