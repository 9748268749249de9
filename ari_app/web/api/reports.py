"""Reports: calls, rates and money, by what one chooses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, available_timezones

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from ari_app.desk import reports as desk
from ari_app.desk.checked import invalid
from ari_app.domain.basics.clock import iso
from ari_app.domain.reports.report import By
from ari_app.domain.reports.span import Span
from ari_app.views.reports.report import report_json
from ari_app.web.api.answers import is_csv, listing, one
from ari_app.web.api.words import moment
from ari_app.web.who import Asked, by

router = APIRouter(prefix="/reports", tags=["reports"])

_TOPICS = {"advertiser": "advertiser_names", "publisher": "publisher_names", "source": "sources"}


@router.get("/{what}")
def report(
    what: By,
    asked: Annotated[Asked, Depends(by("reports.by"))],
    since: str | None = None,
    until: str | None = None,
    timezone: Annotated[str, Query(description="Whose hours and days, such as America/New_York.")] = "UTC",
    campaign: str | None = None,
    advertiser: str | None = None,
    publisher: str | None = None,
    source: str | None = None,
    state: str | None = None,
    cost_per_minute: str | None = None,
) -> Response:
    """One line for each campaign, publisher and so on, and their sum: `Report`; as CSV, its lines.

    The last 30 days, unless `since` and `until` say otherwise. `calls` of a line is where its calls are.
    """
    if timezone not in available_timezones():
        raise invalid("timezone", f"{timezone!r:.60} is not a time zone such as America/New_York")
    given = {
        "campaign": campaign, "advertiser": advertiser, "publisher": publisher, "source": source, "state": state
    }  # fmt: skip
    found = desk.by(
        asked.site,
        what,
        ZoneInfo(timezone),
        since=moment(since, "since"),
        until=moment(until, "until"),
        only=_own(asked, {name: value for name, value in given.items() if value is not None}),
        cost_a_minute=cost_per_minute if not asked.viewer.own else None,
    )
    told = report_json(found, _calls)
    if is_csv(asked.request):
        return listing(asked.request, asked.lens.shown("Report", told)["lines"])
    return one(asked, "Report", told)


def _own(asked: Asked, only: Mapping[str, str]) -> dict[str, str]:
    """What is wanted, of their own calls. Raises Refused for a filter by what they do not see."""
    own = asked.viewer.own
    for name, value in only.items():
        if own.get(name, value) != value:
            raise invalid(name, "expected your own, or none")
        if name not in own and name in _TOPICS and not asked.lens.sees(_TOPICS[name]):
            raise invalid(name, "you do not see this of calls")
    return {**only, **own}


def _calls(when: Span, chosen: dict[str, str]) -> str:
    period = {"order": "newest", "since": iso(when.since), "until": iso(when.until)}
    return f"/api/v1/calls?{urlencode(period | chosen)}"
