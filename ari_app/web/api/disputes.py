"""Disputes: an advertiser questions a charge, and it is given back or not."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from ari_app.desk import calls, visibility
from ari_app.desk import disputes as desk
from ari_app.desk.refused import Code, Refused
from ari_app.domain.ledger.disputes import DisputeState
from ari_app.views.disputes import dispute_json
from ari_app.web.api.answers import Thing, every, one
from ari_app.web.api.doing import Doing, does
from ari_app.web.api.words import Body, Serial
from ari_app.web.who import Asked, by

router = APIRouter(prefix="/disputes", tags=["disputes"])


@router.get("")
def list_(
    asked: Annotated[Asked, Depends(by("disputes.list_"))], state: DisputeState | None = None
) -> Response:
    """The disputes, oldest first: `list of Dispute`."""
    return every(asked, "Dispute", map(dispute_json, desk.list_(asked.site, state=state)))


@router.get("/{dispute_id}")
def show(dispute_id: Serial, asked: Annotated[Asked, Depends(by("disputes.get"))]) -> Response:
    """One dispute: `Dispute`."""
    return one(asked, "Dispute", _theirs(asked, dispute_id))


class OpeningRequest(Body):
    """What is wrong with a call; `amount` is what is wanted back, unless it is all that is left of the charge."""

    call_id: str
    reason: str
    amount: str | None = None


@router.post("", status_code=201)
def open_(body: OpeningRequest, doing: Annotated[Doing, Depends(does("disputes.open_"))]) -> Response:
    """Disputes the charge of a call: `Dispute`."""
    asked = doing.asked
    if visibility.seen(asked.lens, calls.whole(asked.site, body.call_id)) is None:
        raise calls.no_call(body.call_id)
    return doing.once(
        "Dispute", lambda: dispute_json(desk.open_(asked.site, asked.actor, **body.model_dump())), 201
    )


class AcceptanceRequest(Body):
    """What the advertiser is given back (unless said, all that is claimed), and the publisher loses (in proportion)."""

    amount: str | None = None
    payout: str | None = None
    reason: str = ""


@router.post("/{dispute_id}/accept")
def accept(
    dispute_id: Serial, body: AcceptanceRequest, doing: Annotated[Doing, Depends(does("disputes.accept"))]
) -> Response:
    """Accepts a dispute; the money moves at once: `Dispute`."""
    asked = doing.asked

    def do() -> Thing:
        return dispute_json(desk.accept(asked.site, asked.actor, dispute_id=dispute_id, **body.model_dump()))

    return doing.once("Dispute", do)


class DisputeRejectionRequest(Body):
    """Why the money stays where it is."""

    reason: str


@router.post("/{dispute_id}/reject")
def reject(
    dispute_id: Serial,
    body: DisputeRejectionRequest,
    doing: Annotated[Doing, Depends(does("disputes.reject"))],
) -> Response:
    """Rejects a dispute: `Dispute`."""
    asked = doing.asked
    return doing.once(
        "Dispute",
        lambda: dispute_json(desk.reject(asked.site, asked.actor, dispute_id=dispute_id, reason=body.reason)),
    )


def _theirs(asked: Asked, dispute_id: int) -> Thing:
    told = dispute_json(desk.get(asked.site, dispute_id))
    if not asked.lens.owns("Dispute", told):
        raise Refused(Code.UNKNOWN, what="dispute", name=dispute_id)
    return told
