"""What happens now: calls under way, destinations as agents, caps, the audit log."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from ari_app.desk import agents, audit, calls, caps
from ari_app.views.agents import agent_json, pause_json
from ari_app.views.audit import entry_json
from ari_app.views.caps import cap_json
from ari_app.web.api.answers import MOST, Thing, every, listing
from ari_app.web.api.doing import Doing, does
from ari_app.web.api.words import Body
from ari_app.web.who import Asked, by

router = APIRouter(tags=["live"])


@router.get("/live/calls")
def under_way(asked: Annotated[Asked, Depends(by("calls.under_way"))]) -> Response:
    """The calls under way: `list of LiveCall`. 503 where no switch runs."""
    return every(asked, "LiveCall", calls.under_way(asked.site.settings))


@router.get("/agents")
def list_agents(asked: Annotated[Asked, Depends(by("agents.listed"))]) -> Response:
    """The destinations as agents, with their calls and pauses: `list of Agent`."""
    found = agents.listed(asked.site, asked.viewer.own.get("advertiser"))
    told = (agent_json(name, one, found.in_use, found.pauses) for name, one in found.destinations.items())
    return every(asked, "Agent", told)


class PauseRequest(Body):
    """Why it takes no calls."""

    reason: str


@router.post("/agents/{name}/pause")
def pause(name: str, body: PauseRequest, doing: Annotated[Doing, Depends(does("agents.pause"))]) -> Response:
    """Offers a destination no calls until it is resumed; its present call goes on: `Pause`."""
    asked = doing.asked
    _require_theirs(asked, name)

    def do() -> Thing:
        agents.pause(asked.site, asked.actor, name, body.reason)
        return pause_json(name, body.reason)

    return doing.once("Pause", do)


@router.post("/agents/{name}/resume")
def resume(name: str, doing: Annotated[Doing, Depends(does("agents.resume"))]) -> Response:
    """Offers a destination calls again: `Pause`."""
    asked = doing.asked
    _require_theirs(asked, name)

    def do() -> Thing:
        agents.resume(asked.site, asked.actor, name)
        return pause_json(name, None)

    return doing.once("Pause", do)


@router.get("/caps")
def list_caps(asked: Annotated[Asked, Depends(by("caps.standing"))], owner: str | None = None) -> Response:
    """Every cap, with how much is used, reserved and left now: `list of Cap`."""
    return every(asked, "Cap", map(cap_json, caps.standing(asked.site, owner=owner)))


@router.get("/audit")
def audit_log(
    asked: Annotated[Asked, Depends(by("audit.listed"))],
    actor: str | None = None,
    subject: str | None = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> Response:
    """Who did what, newest first: `list of AuditEntry`."""
    found = audit.listed(asked.site, limit, actor=actor, subject=subject)
    return listing(asked.request, list(map(entry_json, found)))


def _require_theirs(asked: Asked, name: str) -> None:
    """Raises Refused: a destination of others is not there."""
    found = agents.get(asked.site, name)
    if not asked.viewer.owns(advertiser=found.advertiser, destination=name):
        raise agents.no_agent(name)
