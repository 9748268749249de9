"""Reports as their readers get them."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ari_app.domain.basics.periods import period
from ari_app.domain.caps.counters import Owner
from ari_app.domain.caps.standing import Standing
from ari_app.domain.market.parties import Cap
from ari_app.domain.reports import reporting
from ari_app.domain.reports.report import Report
from ari_app.domain.reports.reporting import ReportLine
from ari_app.domain.reports.span import Span
from ari_app.views import caps
from ari_app.views.reports.report import report_json

WHEN = Span(0, 3_600_000, ZoneInfo("UTC"))
CAP = Cap(max=10, per="day")


def standing(publisher: str) -> Standing:
    owner = Owner("publisher", publisher, "UTC", "USD", (CAP,))
    return Standing(owner, CAP, period("day", 0, "UTC"), used=1, reserved=0)


def test_each_cap_beside_a_report_is_looked_at_once_however_many_lines_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    cap_json = caps.cap_json

    def counted(standing: Standing) -> dict[str, Any]:
        told.append(standing.owner.id)
        return cap_json(standing)

    monkeypatch.setattr(caps, "cap_json", counted)
    names = [f"publisher-{n}" for n in range(20)]
    lines = [ReportLine(name) for name in names]
    report = Report(
        "publisher", WHEN, {}, lines, reporting.total(lines), {name: [standing(name)] for name in names}
    )
    found = report_json(report, lambda *_: "calls")
    assert [line["caps"][0]["id"] for line in found["lines"]] == names
    assert told == names
