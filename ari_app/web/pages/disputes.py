"""Disputes: listed, one with its history, and the exchange's decision."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from starlette.responses import RedirectResponse, Response

from ari_app.desk import disputes as desk
from ari_app.desk.checked import MOST_SERIAL
from ari_app.desk.refused import Code, Refused
from ari_app.views.disputes import dispute_json
from ari_app.web.pages.listings import page_of, theirs
from ari_app.web.pages.signing import Field
from ari_app.web.pages.tables import Column, Seen
from ari_app.web.pages.viewing import done, show
from ari_app.web.who import Asked, by

router = APIRouter(include_in_schema=False)

Serial = Annotated[int, Path(ge=1, le=MOST_SERIAL)]
COLUMNS = (
    Column("dispute", "id", path="/disputes/{}"),
    Column("state_now", "state", "state"),
    Column("call", "call_id", "call"),
    Column("advertiser", "advertiser"),
    Column("publisher", "publisher"),
    Column("claimed", "claimed", "amount"),
    Column("credited", "credited", "amount"),
    Column("currency", "currency"),
)


@router.get("/disputes")
def list_(asked: Annotated[Asked, Depends(by("disputes.list_"))]) -> Response:
    """The disputes, newest first."""
    told = map(dispute_json, desk.list_(asked.site))
    return page_of(
        asked, "disputes", theirs(asked, "Dispute", "place.disputes", COLUMNS, told, newest_first=True)
    )


@router.get("/disputes/{dispute_id}")
def show_dispute(dispute_id: Serial, asked: Annotated[Asked, Depends(by("disputes.get"))]) -> Response:
    """One dispute, and what may be decided."""
    told = dispute_json(desk.get(asked.site, dispute_id))
    if not asked.lens.owns("Dispute", told):
        raise Refused(Code.UNKNOWN, what="dispute", name=dispute_id)
    return show(asked, "dispute.html", dispute=Seen.of(asked.lens.shown("Dispute", told)))


@router.post("/disputes/{dispute_id}/accept")
def accept(
    dispute_id: Serial,
    asked: Annotated[Asked, Depends(by("disputes.accept"))],
    amount: Field = "",
    reason: Field = "",
) -> RedirectResponse:
    """Gives back what is claimed, or a part of it."""
    desk.accept(asked.site, asked.actor, dispute_id=dispute_id, amount=amount or None, reason=reason)
    return done(f"/disputes/{dispute_id}", "decided")


@router.post("/disputes/{dispute_id}/reject")
def reject(
    dispute_id: Serial, asked: Annotated[Asked, Depends(by("disputes.reject"))], reason: Field = ""
) -> RedirectResponse:
    """Leaves the money where it is."""
    desk.reject(asked.site, asked.actor, dispute_id=dispute_id, reason=reason)
    return done(f"/disputes/{dispute_id}", "decided")
