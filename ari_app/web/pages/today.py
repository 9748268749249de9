"""Today at a glance: calls, answered, qualified and money, by the hour, against the same day a week before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from ari_app.access.deeds import may
from ari_app.views.hours import chart
from ari_app.web.pages.figures import report
from ari_app.web.pages.viewing import show
from ari_app.web.who import Asked, by
from ari_app.web.zones import days_before, today, zone_of

router = APIRouter(include_in_schema=False)

COUNTS = ("incoming", "answered", "connected", "qualified")
AMOUNTS = ("revenue", "payout", "profit")


@router.get("/")
def home(asked: Annotated[Asked, Depends(by("calls.latest"))]) -> Response:
    """The figures of today, and of this day last week; who has none begins with their calls."""
    if not may(asked.viewer, "reports.by"):
        return RedirectResponse("/calls", 303)
    zone = zone_of(asked.request)
    day = today(asked.site.now(), zone)
    last = days_before(day, 7)
    now, before = (report(asked, "hour", zone, one, one) for one in (day, last))
    return show(
        asked,
        "today.html",
        day=day,
        counts=[(name, now["total"].get(name), before["total"].get(name)) for name in COUNTS],
        amounts=_amounts(now["total"], before["total"]),
        chart=chart(now["lines"], before["lines"]),
        lines=now["lines"],
    )


def _amounts(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[tuple[str, str, str, str | None]]:
    """Each amount that the party sees: its name, currency, today's and last week's."""
    earlier = {one["currency"]: one for one in before.get("money", ())}
    return [
        (name, one["currency"], one[name], earlier.get(one["currency"], {}).get(name))
        for one in now.get("money", ())
        for name in AMOUNTS
        if name in one
    ]
