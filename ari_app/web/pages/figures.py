"""Reports as their party sees them: of its own calls, on the viewer's clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from ari_app.desk import reports
from ari_app.desk.refused import Refused
from ari_app.domain.reports.report import By
from ari_app.domain.reports.span import Span
from ari_app.views.reports.report import report_json
from ari_app.web.who import Asked
from ari_app.web.zones import day_begins, day_ends


def report(asked: Asked, by: By, zone: ZoneInfo, since: str, until: str) -> dict[str, Any]:
    """A report of the days from `since` to `until`, such as `2026-11-28`, of the asker's own calls.

    Raises Refused, ValueError for what is no day.
    """
    try:
        return _told(asked, by, zone, since, until)
    except Refused:
        # Hours begin with UTC's in the ledger: a zone that is half an hour off has no day of whole hours.
        return _told(asked, by, ZoneInfo("UTC"), since, until)


def _told(asked: Asked, by: By, zone: ZoneInfo, since: str, until: str) -> dict[str, Any]:
    begins, ends = day_begins(since, zone), day_ends(until, zone)
    found = reports.by(asked.site, by, zone, since=begins, until=ends, only=asked.viewer.own)
    return asked.lens.shown("Report", report_json(found, _address))


def _address(when: Span, parties: Mapping[str, str]) -> str:
    return ""  # pages make their own links
