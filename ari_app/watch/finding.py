"""A thing that the doctor looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

SHOWN = 5


class Step(StrEnum):
    """A step of a remedy that Callrace itself can take; a command line puts its command in the step's place."""

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
    """One thing looked at. `remedy`: what to do when it is not ok, with a `Step` in it where one helps.

    `is_doubtful`: calls are served, so it is ok; but it is probably meant otherwise, and the remedy says how.
    """

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    is_doubtful: bool = False


def some(names: Iterable[str]) -> str:
    """The first of the names, and how many more there are."""
    listed = list(names)
    more = len(listed) - SHOWN
    return ", ".join(listed[:SHOWN]) + (f" and {more} more" if more > 0 else "")
