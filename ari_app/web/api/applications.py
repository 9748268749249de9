"""Publishers' applications to campaigns: submitted, approved with numbers, declined, suspended, reinstated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from ari_app.desk import applications as desk
from ari_app.desk.checked import invalid
from ari_app.desk.refused import Code, Refused
from ari_app.domain.numbers.applications import Application, ApplicationState
from ari_app.domain.numbers.inventory import NumberKind, Wanted
from ari_app.views.applications import application_json, step_json
from ari_app.web.api.answers import Thing, every, listing
from ari_app.web.api.doing import Doing, does
from ari_app.web.api.own import campaigns_of
from ari_app.web.api.words import Body, Serial
from ari_app.web.who import Asked, by

router = APIRouter(prefix="/applications", tags=["applications"])


@router.get("")
def list_(
    asked: Annotated[Asked, Depends(by("applications.listed"))],
    campaign: str | None = None,
    state: ApplicationState | None = None,
) -> Response:
    """The applications, oldest first: `list of Application`."""
    found = desk.listed(asked.site, campaign=campaign, state=state)
    return every(asked, "Application", map(application_json, found), campaigns_of(asked))


@router.get("/{id}/steps")
def steps(id: Serial, asked: Annotated[Asked, Depends(by("applications.history"))]) -> Response:
    """All that happened to an application, oldest first: `list of ApplicationStep`."""
    theirs = [one for one in desk.listed(asked.site) if one.id == id]
    if not asked.lens.listed("Application", map(application_json, theirs), campaigns_of(asked)):
        raise Refused(Code.UNKNOWN, what="application", name=id)
    told = (asked.lens.shown("ApplicationStep", step_json(step)) for step in desk.history(asked.site, id))
    return listing(asked.request, list(told))


class SubmissionRequest(Body):
    """Who asks to join which campaign."""

    campaign: str
    publisher: str
    note: str | None = None


@router.post("", status_code=201)
def submit(
    body: SubmissionRequest, doing: Annotated[Doing, Depends(does("applications.submit"))]
) -> Response:
    """A publisher asks to join a campaign: `Application`, with the numbers that it got at once."""
    asked = doing.asked
    if asked.viewer.own.get("publisher", body.publisher) != body.publisher:
        raise invalid("publisher", "expected your own")

    def do() -> Thing:
        made = desk.submit(asked.site, asked.actor, **body.model_dump())
        return _told(made.application, made.dids)

    return doing.once("Application", do, 201)


class ApprovalRequest(Body):
    """How many numbers the publisher gets, and which."""

    numbers: int = 1
    kind: NumberKind | None = None
    region: str | None = None
    source: str | None = None
    note: str | None = None


@router.post("/{id}/approve")
def approve(
    id: Serial, body: ApprovalRequest, doing: Annotated[Doing, Depends(does("applications.approve"))]
) -> Response:
    """Approves an application, and assigns numbers; all of it or nothing: `Application`."""
    asked, wanted = doing.asked, Wanted(None, body.kind, body.region)

    def do() -> Thing:
        approved, dids = desk.approve(
            asked.site,
            asked.actor,
            id,
            count=body.numbers,
            wanted=wanted,
            source=body.source,
            note=body.note,
        )
        return _told(approved, dids)

    return doing.once("Application", do)


class DecisionRequest(Body):
    """Why; only who is reinstated need not hear it."""

    reason: str | None = None


@router.post("/{id}/{event}")
def decide(
    id: Serial,
    event: desk.Decision,
    body: DecisionRequest,
    doing: Annotated[Doing, Depends(does("applications.decide"))],
) -> Response:
    """Declines, suspends or reinstates: `Application`."""
    asked = doing.asked
    return doing.once(
        "Application",
        lambda: application_json(desk.decide(asked.site, asked.actor, id, event, body.reason)),
    )


def _told(application: Application, dids: Sequence[str]) -> Thing:
    return application_json(application) | {"numbers": list(dids)}
