"""A settled call that the database has not taken yet."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Spooled(NamedTuple):
    """One call that is in the spool. `settled_at` in ms; `reason` says why it was refused, if it was."""

    path: Path
    call_id: str
    settled_at: int
    reason: str | None
