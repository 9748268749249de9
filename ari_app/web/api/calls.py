"""Calls: in the order in which they changed, or newest first; one with its money; why it came to that; its sound."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from starlette.responses import FileResponse, Response

from ari_app.desk import calls as desk
from ari_app.desk import recordings, visibility
from ari_app.desk.calls import Found
from ari_app.desk.checked import invalid
from ari_app.domain.calls.record import Disposition
from ari_app.domain.calls.selection import Selection
from ari_app.views.calls import call_json
from ari_app.views.explain import explain
from ari_app.views.sections import section_json
from ari_app.web.api.answers import MOST, listing, one
from ari_app.web.api.words import moment
from ari_app.web.callsof import cursor_of, own, place, theirs
from ari_app.web.who import Asked, by

router = APIRouter(prefix="/calls", tags=["calls"])

_CHANGED = re.compile(r"c(\d{1,18})", re.ASCII)


def _selection(
    since: Annotated[str | None, Query(description="Only those that began then or later.")] = None,
    until: Annotated[str | None, Query(description="Only those that began before.")] = None,
    campaign: str | None = None,
    advertiser: str | None = None,
    publisher: str | None = None,
    source: str | None = None,
    state: str | None = None,
    ani: str | None = None,
    did: str | None = None,
    disposition: Disposition | None = None,
    qualified: bool | None = None,
    winner: str | None = None,
    destination: Annotated[str | None, Query(description="Only those that were offered to it.")] = None,
    counted_as: Annotated[str | None, Query(description="Only those in this column of a report.")] = None,
    corrected: bool = False,
) -> Selection:
    return Selection(
        did=did,
        ani=ani,
        campaign=campaign,
        advertiser=advertiser,
        publisher=publisher,
        source=source,
        state=state,
        winner=winner,
        disposition=disposition,
        qualified=qualified,
        since=moment(since, "since"),
        until=moment(until, "until"),
        destination=destination,
        counted_as=counted_as,
        corrected=corrected,
    )


@router.get("")
def list_(
    asked: Annotated[Asked, Depends(by("calls.latest"))],
    wanted: Annotated[Selection, Depends(_selection)],
    order: Annotated[
        Literal["changed", "newest"],
        Query(description="`changed` skips nothing and repeats nothing; `newest` is for people who look."),
    ] = "changed",
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> Response:
    """Calls that match all that is asked: `list of Call`.

    `order=changed` begins with the earliest change. Keep `next`, and send it as `cursor`: at once while `more` is true,
    and later for what has changed since. A call that changes (a conversion, a dispute, a correction) comes again, as it
    is then. A page may be empty while `more` is true.
    """
    chosen = own(asked, wanted)
    if order == "changed":
        page = desk.changed(asked.site, _place(cursor), limit, chosen)
        return listing(asked.request, _told(asked, page.calls), f"c{page.last}", more=not page.is_last)
    found = desk.latest(asked.site, limit, chosen, place(cursor))
    last = found[-1].record if len(found) == limit else None
    next_ = None if last is None else cursor_of(last)
    return listing(asked.request, _told(asked, found), next_, more=next_ is not None)


@router.get("/{call_id}")
def show(call_id: str, asked: Annotated[Asked, Depends(by("calls.whole"))]) -> Response:
    """One call: `Call`."""
    found = theirs(asked, call_id)
    return one(asked, "Call", call_json(found.record, found.transfers, found.disputes))


@router.get("/{call_id}/explanation")
def explanation(call_id: str, asked: Annotated[Asked, Depends(by("calls.whole"))]) -> Response:
    """Why a call went where it went, and was or was not charged and paid, in words: `list of Section`."""
    found = theirs(asked, call_id)
    sections = explain(found.record, found.transfers, found.disputes, asked.lens.sees)
    return listing(asked.request, list(map(section_json, sections)))


@router.get("/{call_id}/recording/{track}")
def recording(
    call_id: str, track: Literal["caller", "agent"], asked: Annotated[Asked, Depends(by("recordings.track"))]
) -> FileResponse:
    """One side of a recorded conversation, as WAV."""
    found = theirs(asked, call_id)
    return FileResponse(recordings.track(asked.site, found.record, track), media_type="audio/wav")


def _told(asked: Asked, found: Sequence[Found]) -> list[dict[str, object]]:
    seen = (visibility.seen(asked.lens, one) for one in found)
    return [asked.lens.shown("Call", call_json(one.record, one.transfers)) for one in seen if one is not None]


def _place(cursor: str | None) -> int:
    found = None if cursor is None else _CHANGED.fullmatch(cursor)
    if cursor is not None and found is None:
        raise _no_cursor()
    return int(found[1]) if found else 0


def _no_cursor() -> Exception:
    return invalid("cursor", "expected what `next` was, in the same order")
