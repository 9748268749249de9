"""What would become of a call, without a call."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from ari_app.desk.checked import phone_number
from ari_app.desk.refused import Code, Refused
from ari_app.desk.route_trial import try_route
from ari_app.domain.market.shapes import Attestation
from ari_app.domain.routing.intake import Arrival
from ari_app.views.trial import trial_json
from ari_app.web.api.answers import one
from ari_app.web.api.words import Body, moment
from ari_app.web.who import Asked, by

router = APIRouter(prefix="/trials", tags=["trials"])


class TrialRequest(Body):
    """Who calls which number, when (unless now), and what they press: one text a question."""

    did: str
    ani: str | None = None
    at: str | None = None
    attestation: Attestation | None = None
    press: list[str] = []


@router.post("/plan")
def route(body: TrialRequest, asked: Annotated[Asked, Depends(by("route_trial.try_route"))]) -> Response:
    """Where a call would go under the marketplace in force; nothing is dialled: `Trial`."""
    at = moment(body.at, "at")
    arrival = Arrival(
        phone_number(body.did, "did"),
        None if body.ani is None else phone_number(body.ani, "ani"),
        asked.site.now() if at is None else at,
        body.attestation,
    )
    told = trial_json(try_route(asked.site, arrival, body.press))
    if not asked.lens.owns("Trial", told):
        raise Refused(Code.NUMBER_UNKNOWN, did=body.did)
    return one(asked, "Trial", told)
