"""Hours and time zones that are valid, but probably meant otherwise, are told with what to write."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ari_app.domain.document.reading import parse
from ari_app.domain.document.remarks import Remark, remarks
from tests.kit.market import marketplace

AGENTS = {"one": "sip:one@127.0.0.1:5071", "two": "sip:two@127.0.0.1:5072"}


def told(change: Any) -> list[Remark]:
    """What is told of a marketplace with this change."""
    document = marketplace(AGENTS)
    change(document)
    return remarks(parse(json.dumps(document), "t.yaml"))


def of_hours(*open_: str) -> list[Remark]:
    return told(lambda document: document["destinations"]["one"].update(hours={"open": list(open_)}))


def of_zone(zone: str) -> list[Remark]:
    return told(lambda document: document["advertisers"]["acme"].update(timezone=zone))


def test_a_usual_marketplace_has_none() -> None:
    assert told(lambda _: None) == []


def test_hours_until_23_59_lack_the_days_last_minute() -> None:
    assert of_hours("mon-fri 08:00-20:00", "daily 00:00-23:59") == [
        Remark(
            "destinations.one.hours.open[1]",
            '"daily 00:00-23:59" is closed from 23:59 on; to be open until 24:00, write 24:00',
        )
    ]


@pytest.mark.parametrize(("range_", "until"), [("mon 09:00-16:59", "17:00"), ("mon 20:00-01:59", "02:00")])
def test_so_do_hours_until_any_last_minute_of_an_hour(range_: str, until: str) -> None:
    [remark] = of_hours(range_)
    assert remark.words.endswith(f"to be open until {until}, write {until}")


@pytest.mark.parametrize("range_", ["daily 00:00-24:00", "mon 08:00-17:30", "mon 07:59-17:00"])
def test_other_hours_are_as_they_are_meant(range_: str) -> None:
    assert of_hours(range_) == []


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("EST", '"EST" is UTC-5 all year; where there is summer time, write America/New_York'),
        ("MST", '"MST" is UTC-7 all year; where there is summer time, write America/Denver'),
        ("EST5EDT", '"EST5EDT" is an old name; write America/New_York'),
        ("PST8PDT", '"PST8PDT" is an old name; write America/Los_Angeles'),
        (
            "Etc/GMT+5",
            '"Etc/GMT+5" is UTC-5 all year, as its sign is reversed; where there is summer time, '
            "write America/New_York",
        ),
        (
            "Etc/GMT-6",
            '"Etc/GMT-6" is UTC+6 all year, as its sign is reversed; where there is summer time, '
            "write America/Chicago",
        ),
        (
            "Etc/GMT-12",
            '"Etc/GMT-12" is UTC+12 all year, as its sign is reversed; where there is summer time, '
            "write a place's zone",
        ),
    ],
)
def test_a_zone_that_is_no_places_is_told(zone: str, words: str) -> None:
    assert of_zone(zone) == [Remark("advertisers.acme.timezone", words)]


@pytest.mark.parametrize(
    "zone", ["UTC", "Etc/UTC", "Etc/GMT", "Etc/GMT0", "Etc/GMT+0", "US/Eastern", "America/Phoenix"]
)
def test_a_places_zone_and_utc_are_as_they_are_meant(zone: str) -> None:
    assert of_zone(zone) == []


def test_hours_are_found_wherever_a_document_has_them() -> None:
    hours = {"open": ["mon 08:00-16:59"], "timezone": "CST6CDT"}
    clause = {"within_hours": hours}

    def change(document: dict[str, Any]) -> None:
        document["campaigns"]["plumbing"].update(
            hours=hours,
            qualify=[{"connected_at_least": "30s"}, clause],
            bonus=[{"name": "late", "when": [clause], "price": "1.00"}],
            overrides={"homefix": {"payout_when": [clause]}},
            staged={"from": "2099-01-01T00:00Z", "price_when": [clause]},
        )
        branch = {"branch": [{"when": clause, "next": "offer"}], "otherwise": "offer"}
        document["flows"] = {
            "intake": {"start": "is-open", "nodes": {"is-open": branch, "offer": {"offer": True}}}
        }

    assert sorted(remark.path for remark in told(change)) == sorted(
        f"{where}.{what}"
        for where in (
            "flows.intake.nodes.is-open.branch[0].when.within_hours",
            "campaigns.plumbing.qualify[1].within_hours",
            "campaigns.plumbing.bonus[0].when[0].within_hours",
            "campaigns.plumbing.overrides.homefix.payout_when[0].within_hours",
            "campaigns.plumbing.staged.price_when[0].within_hours",
            "campaigns.plumbing.hours",
        )
        for what in ("open[0]", "timezone")
    )


def test_an_answer_that_is_called_timezone_is_no_time_zone() -> None:
    clause = {"answer_in": {"timezone": ["EST"]}}
    flow = {
        "start": "zone",
        "nodes": {
            "zone": {
                "menu": {"prompt": "sound:vm-goodbye"},
                "choices": {"1": {"next": "offer", "set": {"timezone": "EST"}}},
            },
            "offer": {"offer": True},
        },
    }

    def change(document: dict[str, Any]) -> None:
        document["flows"] = {"intake": flow}
        document["campaigns"]["plumbing"].update(flow="intake", qualify=[clause])

    assert told(change) == []
