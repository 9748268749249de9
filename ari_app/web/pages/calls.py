"""Calls: the list, by filters that stay in the address; and one call's page, told to each party as it sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Depends, Request
from starlette.responses import FileResponse, RedirectResponse, Response

from ari_app.desk import calls as desk
from ari_app.desk import disputes, recordings, visibility
from ari_app.desk.checked import invalid
from ari_app.domain.calls.record import Disposition
from ari_app.domain.calls.selection import Selection
from ari_app.views.calls import call_json
from ari_app.views.explain import explain
from ari_app.views.picture import picture
from ari_app.views.words import tenths
from ari_app.web.callsof import TOPICS, cursor_of, own, place, theirs
from ari_app.web.messages import known, text
from ari_app.web.pages.signing import Field
from ari_app.web.pages.tables import Column, Seen, Table, csv, table
from ari_app.web.pages.viewing import done, show
from ari_app.web.who import Asked, by
from ari_app.web.zones import day_begins, day_ends, zone_of

router = APIRouter(include_in_schema=False)

A_PAGE, A_FILE = 50, 1_000
FILTERS = ("campaign", "advertiser", "publisher", "source", "did", "ani", "state", "winner")
COLUMNS = (
    Column("call", "id", "call"),
    Column("began", "started_at", "time"),
    Column("caller", "ani"),
    Column("campaign", "campaign"),
    Column("outcome", "disposition", "state"),
    Column("talked", "_talked", "number"),
    Column("charged", "money.net_charged", "amount"),
    Column("paid", "money.net_paid", "amount"),
    Column("currency", "money.currency"),
    Column("why", "_why", "text"),
    Column("winner", "winner"),
    Column("number", "did"),
    Column("publisher", "publisher"),
    Column("source", "source", "text"),
)
LEGS = (
    Column("destination", "destination"),
    Column("wave", "wave", "number"),
    Column("outcome", "outcome", "state"),
    Column("rung_at", "offered_at", "time"),
    Column("answered_at", "answered_at", "time"),
    Column("accepted_at", "accepted_at", "time"),
    Column("late_ms", "lost_by_ms", "number"),
)


@router.get("/calls")
def list_(
    request: Request,
    asked: Annotated[Asked, Depends(by("calls.latest"))],
    cursor: str | None = None,
    as_: str | None = None,
) -> Response:
    """The newest calls that match the filters of the address, a page at a time; `as_=csv`: as a file."""
    given = {name: value for name, value in request.query_params.items() if value}
    wanted = own(asked, _selection(request, given))
    many = A_FILE if as_ == "csv" else A_PAGE
    found = desk.latest(asked.site, many, wanted, place(cursor))
    listed = _table(asked, [one for each in found if (one := visibility.seen(asked.lens, each))])
    if as_ == "csv":
        return csv(listed, "calls")
    seen = [name for name in FILTERS if name not in TOPICS or asked.lens.sees(TOPICS[name])]
    return show(
        asked,
        "calls.html",
        table=listed,
        next=cursor_of(found[-1].record) if len(found) == many else None,
        filters=[name for name in seen if name not in asked.viewer.own],
        dispositions=get_args(Disposition),
        is_filtered=any(name in given for name in (*FILTERS, "since", "until", "disposition", "qualified")),
    )


@router.get("/calls/{call_id}")
def show_call(
    request: Request, call_id: str, asked: Annotated[Asked, Depends(by("calls.whole"))]
) -> Response:
    """One call: as a picture, by the clauses, in money, in words."""
    found = theirs(asked, call_id)
    record, lens = found.record, asked.lens
    call = lens.shown("Call", call_json(record, found.transfers, found.disputes))
    return show(
        asked,
        "call.html",
        call=Seen.of(call),
        why=_why(call),
        picture=picture(record),
        legs=table(lens, "Call", "call.legs", LEGS, call.get("legs", ()), within="legs[]."),
        sections=explain(record, found.transfers, found.disputes, lens.sees),
        sides=("caller", "agent") if _has_sound(call) else (),
    )


@router.get("/calls/{call_id}/recording/{track}")
def recording(
    call_id: str, track: Literal["caller", "agent"], asked: Annotated[Asked, Depends(by("recordings.track"))]
) -> FileResponse:
    """One side of a recorded conversation."""
    found = theirs(asked, call_id)
    return FileResponse(recordings.track(asked.site, found.record, track), media_type="audio/wav")


@router.post("/calls/{call_id}/dispute")
def dispute(
    call_id: str, reason: Field, asked: Annotated[Asked, Depends(by("disputes.open_"))], amount: Field = ""
) -> RedirectResponse:
    """Opens a dispute of a call's charge."""
    found = theirs(asked, call_id)
    disputes.open_(asked.site, asked.actor, call_id=found.record.id, reason=reason, amount=amount or None)
    return done(f"/calls/{found.record.id}", "dispute_opened")


def _selection(request: Request, given: Mapping[str, str]) -> Selection:
    """What the address asks for. Raises Refused."""
    zone = zone_of(request)
    try:
        since = day_begins(given["since"], zone) if "since" in given else None
        until = day_ends(given["until"], zone) if "until" in given else None
    except (ValueError, OverflowError) as error:
        raise invalid("since", "expected a day such as 2026-11-28") from error
    disposition = given.get("disposition")
    if disposition is not None and disposition not in get_args(Disposition):
        raise invalid("disposition", f"expected one of {', '.join(get_args(Disposition))}")
    qualified = {"yes": True, "no": False}.get(given.get("qualified", ""))
    texts = {name: given[name] for name in FILTERS if name in given}
    return Selection(since=since, until=until, disposition=disposition, qualified=qualified, **texts)  # type: ignore[arg-type]


def _table(asked: Asked, found: list[desk.Found]) -> Table:
    told = []
    for one in found:
        shown = asked.lens.shown("Call", call_json(one.record, one.transfers))
        told.append(shown | {"_why": _why(shown), "_talked": _talked(shown)})
    return table(asked.lens, "Call", "place.calls", COLUMNS, told)


def _talked(call: Mapping[str, Any]) -> str | None:
    return tenths(call["durations_ms"]["connected"]) if call.get("connected_at") else None


def _why(call: Mapping[str, Any]) -> str:
    """In a few words, why the call was or was not paid, as far as this party may know."""
    verdict = call.get("qualification")
    if call.get("disposition") != "connected" or verdict is None:
        return known("disposition", call.get("disposition"))
    if verdict["qualified"]:
        return text("why.qualified")
    if verdict.get("waits_until"):
        return text("why.waits")
    failed = [clause["detail"] for clause in verdict["clauses"] if not clause["passed"]]
    return "; ".join(failed) or text("why.not")


def _has_sound(call: Mapping[str, Any]) -> bool:
    sound = call.get("recording")
    return sound is not None and sound["deleted_at"] is None
