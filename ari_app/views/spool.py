"""Ended calls that are not yet saved in the database."""

from __future__ import annotations

from pathlib import Path

from ari_app.domain.basics.clock import iso

COLUMNS = ("id", "settled at", "state", "reason")


def spooled_row(call_id: str, settled_at: int, reason: str | None) -> tuple[object, ...]:
    """Such a call in a list. `settled_at` in ms; `reason`: why the database refused it."""
    return call_id, iso(settled_at), _state(reason), reason


def spooled_json(call_id: str, settled_at: int, reason: str | None, file: Path) -> dict[str, str | None]:
    """The same for programs, with the file that it is in."""
    return {
        "id": call_id,
        "settled_at": iso(settled_at),
        "state": _state(reason),
        "reason": reason,
        "file": str(file),
    }


def _state(reason: str | None) -> str:
    return "waits" if reason is None else "refused"
