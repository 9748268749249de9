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
from ari_app.views.reports.forensics import findings_json
from ari_app.views.reports.report import report_json
from ari_app.web.api.answers import is_csv, listing, one
from ari_app.web.api.own import campaigns_of
from ari_app.web.api.words import moment
from ari_app.web.who import Asked, by

router = APIRouter(prefix="/reports", tags=["reports"])

_TOPICS = {"advertiser": "advertiser_names", "publisher": "publisher_names", "source": "sources"}


@router.get("/forensics")
def forensics(
    asked: Annotated[Asked, Depends(by("reports.forensics"))],
    since: str | None = None,
    until: str | None = None,
    timezone: str = "UTC",
    campaign: str | None = None,
    destination: str | None = None,
    publisher: str | None = None,
) -> Response:
    """How many connections end just before and just after the second that is paid for: `Forensics`.

    A party asks for one of its own campaigns.
    """
    given = {"campaign": campaign, "destination": destination, "publisher": publisher}
    only = {name: value for name, value in given.items() if value is not None}
    if asked.viewer.own:
        if campaign not in campaigns_of(asked):
            raise invalid("campaign", "expected one of your own")
        _own(asked, {name: value for name, value in only.items() if name == "publisher"})
    found = desk.forensics(
        asked.site, _zone(timezone), since=moment(since, "since"), until=moment(until, "until"), only=only
    )
    return one(asked, "Forensics", findings_json(found, _calls))


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
    given = {
        "campaign": campaign, "advertiser": advertiser, "publisher": publisher, "source": source, "state": state
    }  # fmt: skip
    found = desk.by(
        asked.site,
        what,
        _zone(timezone),
        since=moment(since, "since"),
        until=moment(until, "until"),
        only=_own(asked, {name: value for name, value in given.items() if value is not None}),
        cost_a_minute=cost_per_minute if not asked.viewer.own else None,
    )
    told = report_json(found, _calls)
    if is_csv(asked.request):
        return listing(asked.request, asked.lens.shown("Report", told)["lines"])
    return one(asked, "Report", told)


def _zone(name: str) -> ZoneInfo:
    if name not in available_timezones():
        raise invalid("timezone", f"{name!r:.60} is not a time zone such as America/New_York")
    return ZoneInfo(name)


def _own(asked: Asked, only: Mapping[str, str]) -> dict[str, str]:
    """What is wanted, of their own calls. Raises Refused for a filter by what they do not see."""
    own = asked.viewer.own
    for name, value in only.items():
        if own.get(name, value) != value:
            raise invalid(name, "expected your own, or none")
        if name not in own and name in _TOPICS and not asked.lens.sees(_TOPICS[name]):
            raise invalid(name, "you do not see this of calls")
    return {**only, **own}


def _calls(when: Span, chosen: Mapping[str, str]) -> str:
    period = {"order": "newest", "since": iso(when.since), "until": iso(when.until)}
    return f"/api/v1/calls?{urlencode(period | dict(chosen))}"
