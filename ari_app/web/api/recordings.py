"""Recordings: which calls have one, until when, and whether it is there. What is heard is with the call."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from ari_app.desk import recordings as desk
from ari_app.views.recordings import recording_json
from ari_app.web.api.answers import MOST, Thing, every
from ari_app.web.api.doing import Doing, does
from ari_app.web.api.own import campaigns_of
from ari_app.web.api.words import Body
from ari_app.web.who import Asked, by

router = APIRouter(prefix="/recordings", tags=["recordings"])


@router.get("")
def list_(
    asked: Annotated[Asked, Depends(by("recordings.latest"))],
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> Response:
    """The newest recordings, newest first, deleted ones too: `list of Recording`."""
    found = desk.latest(asked.site, limit)
    told = (recording_json(one.recording, one.state, one.files) for one in found)
    return every(asked, "Recording", told, campaigns_of(asked))


class DeletionRequest(Body):
    """Why it is deleted; kept with the call."""

    reason: str


@router.post("/{call_id}/delete")
def delete(
    call_id: str, body: DeletionRequest, doing: Annotated[Doing, Depends(does("recordings.delete"))]
) -> Response:
    """Deletes a call's recording: `RecordingDeleted`."""
    asked = doing.asked

    def do() -> Thing:
        return {"call": desk.delete(asked.site, asked.actor, call_id, body.reason)}

    return doing.once("RecordingDeleted", do)
