"""Recordings: of which call, how long they are kept, and whether their files exist."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ari_app.domain.basics.clock import iso
from ari_app.domain.calls.recording import Recording

COLUMNS = ("call", "campaign", "started (UTC)", "kept until (UTC)", "state")


def recording_row(recording: Recording, state: str) -> tuple[object, ...]:
    """A recording in a list."""
    times = _minute(recording.started_at), _minute(recording.keep_until)
    return recording.call_id, recording.campaign, *times, state


def recording_json(recording: Recording, state: str, files: Iterable[Path]) -> dict[str, Any]:
    """A recording: `state` is kept, missing (its files do not exist or are empty) or deleted."""
    return {
        "call": recording.call_id,
        "campaign": recording.campaign,
        "started_at": iso(recording.started_at),
        "keep_until": iso(recording.keep_until),
        "deleted_at": iso(recording.deleted_at),
        "state": state,
        "files": [str(path) for path in files],
    }


def _minute(at: int) -> str:
    return iso(at)[:16].replace("T", " ")
