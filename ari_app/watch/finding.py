"""A finding of the doctor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

SHOWN = 5


class Step(StrEnum):
    """A step of a remedy that Callrace itself can do. The CLI shows its command in the place of the step."""

    APPLY = "apply the marketplace"
    DEPOSIT = "deposit money"
    HAND_OVER = "replace the switch by this version's"
    MIGRATE = "migrate the database"
    SAVE_SPOOL = "save the spool's calls"
    SEE_SPOOL = "the spool's list"
    START = "start what is missing"
    START_AGI = "start the AGI server"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check. `remedy`: what to do when it is not ok; it may contain a `Step`.

    `is_doubtful`: it is ok, as calls are served, but probably not intended; the remedy says what to change.
    """

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    is_doubtful: bool = False


def some(names: Iterable[str]) -> str:
    """The first few names, and the number of the others."""
    listed = list(names)
    more = len(listed) - SHOWN
    return ", ".join(listed[:SHOWN]) + (f" and {more} more" if more > 0 else "")
