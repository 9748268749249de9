"""Publishers' applications to campaigns, and what happened to each."""

from __future__ import annotations

from typing import Any

from ari_app.domain.basics.clock import iso
from ari_app.domain.numbers.applications import Application, Step

COLUMNS = {name: name for name in ("id", "campaign", "publisher", "state", "since", "note", "by")}
STEP_COLUMNS = {name: name for name in ("at", "event", "state", "note", "by")}


def application_json(application: Application) -> dict[str, Any]:
    """An application, with its last step."""
    newest = application.newest
    return {
        "id": application.id,
        "campaign": application.campaign,
        "publisher": application.publisher,
        "state": application.state,
        "since": iso(newest.at),
        "note": newest.note,
        "by": newest.by,
    }


def step_json(step: Step) -> dict[str, Any]:
    """One step in an application's history."""
    return {"at": iso(step.at), "event": step.event, "state": step.state, "note": step.note, "by": step.by}
