"""Whether somebody may do what they ask for."""

from __future__ import annotations

from ari_app.access import deeds
from ari_app.access.parties import FRESH_MS, Party, Viewer
from ari_app.desk.refused import Code, Refused


def require(viewer: Viewer, what: str, now: int) -> None:
    """Raises Refused unless this viewer may do this use case now (a row of `access.deeds`), with their party's own."""
    if not deeds.may(viewer, what):
        looks = f" who looks as {viewer.party}" if viewer.seen_by is not None else ""
        raise Refused(Code.NOT_ALLOWED, who=f"{viewer.role} of {viewer.party}{looks}", what=what)
    if deeds.DEEDS[what].is_fresh and not viewer.is_fresh(now):
        raise Refused(Code.CONFIRM_FIRST, minutes=FRESH_MS // 60_000)


def require_people_of(viewer: Viewer, party: Party) -> None:
    """Raises Refused unless this viewer may invite and remove people of this party."""
    if not deeds.may_change_people(viewer, party):
        raise Refused(Code.NOT_ALLOWED, who=f"{viewer.role} of {viewer.party}", what=f"people of {party}")
