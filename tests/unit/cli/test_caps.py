"""`callrace caps`: every cap, and what is left of it."""

from __future__ import annotations

import csv
import json

import pytest
from sqlalchemy import Engine

from ari_app.domain.caps.counters import wanted
from ari_app.domain.document.reading import parse
from ari_app.domain.routing.snapshot import attribute, make_snapshot
from ari_app.serving.clock import CallClock
from ari_app.store.calls import calls
from ari_app.store.limits import reservations
from ari_app.store.market import marketplaces
from tests.samples import make_call, settlement
from tests.unit.cli.conftest import GEOGRAPHY, MARKETPLACE, Cli

CAPPED = (
    MARKETPLACE.replace(
        "    flow: intake\n",
        '    flow: intake\n    caps: [{max: 10, per: month}, {max_amount: "500.00", per: total}]\n',
    )
    .replace("homefix: {name: HomeFix}", "homefix: {name: HomeFix, caps: [{concurrent: 3}]}")
    .replace("    capacity: 2\n", "    capacity: 2\n    caps: [{max: 5, per: week, basis: connected}]\n")
)


@pytest.fixture
def capped(engine: Engine) -> Engine:
    """A marketplace with caps, one call that has used them, and one under way."""
    marketplace = parse(CAPPED, "test.yaml")
    marketplaces.apply(engine, marketplace, now=1_763_900_000_000)
    snapshot = make_snapshot(1, marketplace, {"plumbing": 1}, GEOGRAPHY, {})
    found = attribute(snapshot, "+18005550101", 0)
    assert found is not None
    record = make_call(1, winner="agent-2")
    for call_id in (record.id, "under-way"):
        wish = wanted(call_id, marketplace, found, ["agent-1", "agent-2"], CallClock().now())
        assert not reservations.reserve(engine, wish).left_out
    calls.save(engine, [settlement(record)])
    return engine


def test_every_cap_is_listed_with_what_is_left(cli: Cli, capped: Engine) -> None:
    rows = [line.split() for line in cli("caps", "list").output.splitlines()[1:]]
    assert [" ".join(cell for cell in row if not cell.endswith("Z")) for row in rows] == [
        "campaign plumbing 10 qualified calls a month 1 1 8",
        "campaign plumbing 500.00 USD in total 42.00 42.00 416.00",
        "publisher homefix 3 calls at once 0 1 2",
        "destination agent-2 5 connected calls a week 1 1 3",
    ]


def test_caps_of_one_owner_as_json_say_when_they_begin_anew(cli: Cli, capped: Engine) -> None:
    [cap] = json.loads(cli("caps", "list", "--owner", "agent-2", "--json").output)
    assert (cap["key"], cap["limit"], cap["used"], cap["reserved"], cap["left"]) == (
        "destination:agent-2:connected:week",
        5,
        1,
        1,
        3,
    )
    assert cap["period_start"] < cap["resets_at"]


def test_a_marketplace_without_caps_has_none(cli: Cli, applied: Engine) -> None:
    assert cli("caps", "list").output == "no caps\n"
    assert json.loads(cli("caps", "list", "--json").output) == []


def test_what_a_call_under_way_may_cost_is_not_available(cli: Cli, engine: Engine) -> None:
    marketplace = parse(
        MARKETPLACE.replace("{name: Acme", "{billing: {model: prepaid}, name: Acme"), "test.yaml"
    )
    marketplaces.apply(engine, marketplace, now=1_763_900_000_000)
    assert cli("ledger", "deposit", "acme", "100.00", "--key", "wire-1").exit_code == 0
    found = attribute(make_snapshot(1, marketplace, {"plumbing": 1}, GEOGRAPHY, {}), "+18005550101", 0)
    assert found is not None
    reservations.reserve(engine, wanted("under-way", marketplace, found, ["agent-1"], CallClock().now()))
    told = {line["account"]: line for line in json.loads(cli("ledger", "balances", "--json").output)}
    acme = told["advertiser:acme"]
    assert (acme["posted"], acme["reserved"], acme["available"]) == ("100.00", "42.00", "58.00")


def test_a_report_shows_the_caps_of_what_it_is_by_with_their_use_now(cli: Cli, capped: Engine) -> None:
    since = ("--since", "2025-11-01")
    by_campaign = ("reports", "by", "campaign", *since)
    [line] = (found := json.loads(cli(*by_campaign, "--json").output))["lines"]
    assert line["caps"] == json.loads(cli("caps", "list", "--owner", "plumbing", "--json").output)
    assert found["total"]["caps"] is None

    used = (
        "1 used, 1 reserved of 10 qualified calls a month; 42.00 used, 42.00 reserved of 500.00 USD in total"
    )
    assert cli(*by_campaign).output.count(used) == 1
    [row] = csv.DictReader(cli(*by_campaign, "--csv", "-").output.splitlines())
    assert row["caps"] == used
    agents = cli("reports", "by", "destination", *since).output
    assert "agent-2      1 used, 1 reserved of 5 connected calls a week" in agents


def test_a_report_on_what_has_no_caps_has_no_table_of_them(cli: Cli, applied: Engine) -> None:
    calls.save(applied, [settlement(make_call(1))])
    by_campaign = ("reports", "by", "campaign", "--since", "2025-11-01")
    assert "Caps" not in cli(*by_campaign).output
    [line] = json.loads(cli(*by_campaign, "--json").output)["lines"]
    assert line["caps"] is None
