"""Reports of the party's own calls: by any one dimension, of any days."""

from __future__ import annotations

from typing import Annotated, get_args

from fastapi import APIRouter, Depends
from starlette.responses import Response

from ari_app.desk.checked import invalid
from ari_app.domain.reports.report import By
from ari_app.web.pages.figures import report
from ari_app.web.pages.listings import page_of
from ari_app.web.pages.tables import Column, Table, Thing, table
from ari_app.web.who import Asked, by
from ari_app.web.zones import days_before, today, zone_of

router = APIRouter(include_in_schema=False)

DAYS = 30
DIMENSIONS = tuple(one for one in get_args(By) if one not in ("destination", "disposition"))
"""What a report's lines may be about; offers and endings are counted in other columns."""
COUNTS = ("incoming", "answered", "connected", "qualified")
FURTHER = ("repeat", "no_answer", "no_route")
AMOUNTS = ("revenue", "payout", "profit")


@router.get("/reports")
def show_report(
    asked: Annotated[Asked, Depends(by("reports.by"))],
    what: str = "campaign",
    since: str | None = None,
    until: str | None = None,
) -> Response:
    """The report that the address asks for; the last 30 days by campaign, unless it says otherwise."""
    zone = zone_of(asked.request)
    last = until or today(asked.site.now(), zone)
    if what not in DIMENSIONS:
        raise invalid("what", f"expected one of {', '.join(DIMENSIONS)}")
    try:
        found = report(asked, what, zone, since or days_before(last, DAYS), last)  # type: ignore[arg-type]
    except (ValueError, OverflowError) as error:
        raise invalid("since", "expected days such as 2026-11-28") from error
    return page_of(
        asked,
        "reports",
        _table(asked, what, found["lines"], found["total"]),
        "reports.html",
        what=what,
        dimensions=DIMENSIONS,
        since=since or days_before(last, DAYS),
        until=last,
    )


def _table(asked: Asked, what: str, lines: list[Thing], total: Thing) -> Table:
    columns = [Column(what, f"_{what}", "text")]
    columns += [Column(name, name, "number") for name in COUNTS]
    currencies = [one["currency"] for one in total.get("money", ())]
    seen = [name for name in AMOUNTS if any(name in one for one in total.get("money", ()))]
    for currency in currencies:
        columns += [Column(name, f"_{name}_{currency}", "amount", unit=currency) for name in seen]
    columns += [Column(name, name, "number") for name in FURTHER]
    told = [_flat(line, what) for line in lines]
    return table(asked.lens, "CallsLine", "place.reports", columns, told)


def _flat(line: Thing, what: str) -> Thing:
    money = {
        f"_{name}_{one['currency']}": one[name]
        for one in line.get("money", ())
        for name in AMOUNTS
        if name in one
    }
    return {**line, f"_{what}": line.get(what) or "–", **money}
