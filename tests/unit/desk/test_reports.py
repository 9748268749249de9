"""Reports, caps and calls as use cases: plain values in, data out."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from ari_app.access.actor import CALLRACE
from ari_app.desk import calls, caps, reports
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.domain.calls.selection import Selection
from ari_app.domain.reports.rollups import HOUR_MS
from tests.samples import BEGAN, make_call
from tests.unit.desk.conftest import at

UTC, KOLKATA = ZoneInfo("UTC"), ZoneInfo("Asia/Kolkata")
CALL = make_call(1)
NOW = BEGAN + HOUR_MS


def test_a_report_has_lines_their_sum_and_its_period(site: Site) -> None:
    report = reports.by(at(site, NOW), "publisher", UTC)
    [line] = report.lines
    assert (line.key, line.counts["incoming"], line.takings["USD"].revenue) == ("homefix", 1, 4200)
    assert report.total.takings == line.takings
    assert (report.period.until, report.uncounted_since) == (NOW - NOW % HOUR_MS + HOUR_MS, None)
    assert report.calls_of(line) == (report.period, {"publisher": "homefix"})


def test_a_cost_is_taken_off_the_profit(site: Site) -> None:
    report = reports.by(at(site, NOW), "campaign", UTC, cost_a_minute="0.06")
    assert report.total.takings["USD"].profit == 4200 - 3000 - report.total.takings["USD"].cost
    assert report.total.takings["USD"].cost > 0


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("only", {"what": "destination", "only": {"publisher": "homefix"}}),
        ("span", {"since": NOW, "until": NOW}),
        ("span", {"since": NOW + 1, "until": NOW + HOUR_MS}),
        ("span", {"zone": KOLKATA}),
        ("cost_per_minute", {"cost_a_minute": "cheap"}),
    ],
)
def test_a_report_that_cannot_be_made_is_refused(site: Site, field: str, changes: dict[str, object]) -> None:
    wanted: dict[str, object] = {"what": "campaign", "zone": UTC} | changes
    with pytest.raises(Refused) as caught:
        reports.by(at(site, NOW), **wanted)  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.facts["field"]) == (Code.INVALID, field)


def test_forensics_count_the_ends_around_the_payable_second(site: Site) -> None:
    found = reports.forensics(site, UTC, only={"campaign": "plumbing"})
    assert (found.total.connections, found.only) == (1, {"campaign": "plumbing"})
    assert reports.forensics(site, UTC, only={"campaign": "roofing"}).total.connections == 0


def test_counting_anew_counts_each_call_once(site: Site) -> None:
    before = reports.by(at(site, NOW), "campaign", UTC)
    assert sum(reports.count_day(site, CALLRACE, day) for day in reports.days_to_count(site)) == 1
    assert reports.by(at(site, NOW), "campaign", UTC) == before


def test_caps_are_those_in_force(site: Site) -> None:
    assert caps.standing(site) == []


def test_without_a_marketplace_there_are_no_caps(new_site: Site) -> None:
    with pytest.raises(Refused) as caught:
        caps.standing(new_site)
    assert caught.value.code == Code.NO_MARKETPLACE


def test_a_call_is_found_by_the_beginning_of_its_id(site: Site) -> None:
    found = calls.whole(site, CALL.id[:-4])
    assert (found.record.id, found.disputes) == (CALL.id, [])
    assert {transfer.call_id for transfer in found.transfers} == {CALL.id}
    with pytest.raises(Refused) as caught:
        calls.whole(site, "ffff")
    assert caught.value.facts == {"what": "call", "name": "ffff"}


def test_calls_are_listed_with_their_money(site: Site) -> None:
    [found] = calls.latest(site, 20, Selection(campaign="plumbing", counted_as="qualified"))
    assert found.record.id == CALL.id and found.transfers
    assert calls.latest(site, 20, Selection(campaign="roofing")) == []


def test_a_counter_that_there_is_not_is_refused(site: Site) -> None:
    for wanted in (Selection(counted_as="won"), Selection(counted_as="qualified", destination="agent-1")):
        with pytest.raises(Refused) as caught:
            calls.latest(site, 20, wanted)
        assert caught.value.facts["field"] == "counted_as"
