"""What each party is told by the API, and what is not there for it: the other side, and the things of others."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from ari_app.store.calls import calls
from tests.samples import make_call, settlement
from tests.web.conftest import Client, post

CALL, OTHERS = make_call(1), make_call(2, advertiser="bolt", publisher="pacific", campaign="roofing")


@pytest.fixture
def two(engine: Engine) -> None:
    """A call of acme and homefix, and one of others."""
    calls.save(engine, [settlement(OTHERS)])


def texts(value: Any) -> str:
    return repr(value)


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("party", ["advertiser:acme", "publisher:homefix", "agent:agent-1"])
async def test_a_party_is_told_of_its_own_calls_alone(asking: Client, party: str) -> None:
    client = asking(party)
    for order in ("changed", "newest"):
        listed = (await client.get("/calls", params={"order": order})).json()["data"]
        mine = {CALL.id} if not party.startswith("agent") else {CALL.id, OTHERS.id}
        assert {call["id"] for call in listed} == mine
    if not party.startswith("agent"):
        for path in ("", "/explanation", "/recording/caller"):
            refused = await client.get(f"/calls/{OTHERS.id}{path}")
            assert refused.status_code == 404
            assert OTHERS.campaign not in refused.text


async def test_an_advertiser_is_not_told_what_the_publisher_earns(asking: Client) -> None:
    client = asking("advertiser:acme")
    one = (await client.get(f"/calls/{CALL.id}")).json()
    assert one["money"]["charged"] == "42.00" and one["ani"] == CALL.ani
    everything = texts(
        [one, (await client.get("/calls")).json(), (await client.get(f"/calls/{CALL.id}/explanation")).json()]
    )
    assert "30.00" not in everything and "homefix" not in everything and "12.00" not in everything


async def test_a_publisher_is_not_told_the_price_nor_who_the_caller_is(asking: Client) -> None:
    client = asking("publisher:homefix")
    one = (await client.get(f"/calls/{CALL.id}")).json()
    assert one["money"]["paid"] == "30.00" and one["ani"] == "+1212555****"
    everything = texts(
        [one, (await client.get("/calls")).json(), (await client.get(f"/calls/{CALL.id}/explanation")).json()]
    )
    assert "42.00" not in everything and "acme" not in everything and str(CALL.ani) not in everything
    csv = (await client.get("/calls", headers={"accept": "text/csv"})).text
    assert "42.00" not in csv and "acme" not in csv and str(CALL.ani) not in csv


@pytest.mark.parametrize(
    ("party", "filters"),
    [
        ("publisher:homefix", {"ani": "+12125550001"}),
        ("publisher:homefix", {"advertiser": "acme"}),
        ("publisher:homefix", {"winner": "agent-1"}),
        ("publisher:homefix", {"counted_as": "revenue"}),
        ("publisher:homefix", {"publisher": "pacific"}),
        ("advertiser:acme", {"publisher": "homefix"}),
        ("advertiser:acme", {"source": "sidebar"}),
        ("advertiser:acme", {"advertiser": "bolt"}),
    ],
)
async def test_what_is_not_seen_cannot_be_found_out_by_filters(
    asking: Client, party: str, filters: dict[str, str]
) -> None:
    refused = await asking(party).get("/calls", params=filters)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")


@pytest.mark.parametrize("party", ["advertiser:acme", "publisher:homefix", "agent:agent-1"])
@pytest.mark.parametrize(
    "path",
    ["/audit", "/marketplace", "/numbers/stock", "/ledger/proof", "/ledger/accounts/exchange/statement"],
)
async def test_what_is_the_exchanges_is_not_told(asking: Client, party: str, path: str) -> None:
    assert (await asking(party).get(path)).status_code in (403, 404)


async def test_a_party_sees_its_own_account_alone(asking: Client) -> None:
    client = asking("advertiser:acme")
    assert [one["account"] for one in (await client.get("/ledger/balances")).json()["data"]] == [
        "advertiser:acme"
    ]
    assert (await client.get("/ledger/accounts/advertiser:acme/statement")).json()["data"]
    assert (await client.get("/ledger/accounts/publisher:homefix/statement")).status_code == 404


@pytest.mark.usefixtures("two")
async def test_a_party_changes_nothing_of_others(asking: Client) -> None:
    acme, homefix = asking("advertiser:acme"), asking("publisher:homefix")
    refused = [
        await post(acme, "/disputes", {"call_id": OTHERS.id, "reason": "a robot"}),
        await post(acme, "/conversions", {"call_id": OTHERS.id}),
        await post(acme, "/conversions/import", {"csv": f"call,at,ref\n{OTHERS.id},2026-11-24T09:30Z,1\n"}),
        await post(homefix, "/applications", {"campaign": "plumbing", "publisher": "pacific"}),
        await post(homefix, "/disputes", {"call_id": CALL.id, "reason": "a robot"}),
        await post(homefix, "/agents/agent-1/pause", {"reason": "spite"}),
        await post(acme, "/ledger/deposits", {"advertiser": "acme", "amount": "1.00", "key": "mine"}),
        await acme.patch("/campaigns/plumbing", json={"price": "0.01"}, headers={"if-match": "*"}),
        await homefix.delete("/destinations/agent-1", headers={"if-match": "*"}),
    ]
    assert [one.status_code for one in refused] == [404, 404, 404, 422, 403, 403, 403, 403, 403]


async def test_an_advertiser_does_its_own_business(asking: Client) -> None:
    acme, operator = asking("advertiser:acme"), asking()
    paused = await post(acme, "/agents/agent-1/pause", {"reason": "lunch"})
    assert paused.json() == {"agent": "agent-1", "paused": "lunch"}
    assert (await post(acme, "/agents/agent-1/resume")).status_code == 200
    edited = await acme.patch("/destinations/agent-2", json={"capacity": 3}, headers={"if-match": "*"})
    assert edited.status_code == 200
    assert (await operator.get("/destinations/agent-2")).json()["capacity"] == 3
    stopped = await post(acme, "/campaigns/plumbing/pause")
    assert stopped.status_code == 200
    assert (await operator.get("/campaigns/plumbing")).json()["status"] == "paused"
    opened = await post(acme, "/disputes", {"call_id": CALL.id, "reason": "a robot", "amount": "10.00"})
    assert (opened.status_code, opened.json()["claimed"]) == (201, "10.00")
    [seen] = (await acme.get("/disputes")).json()["data"]
    assert seen["id"] == opened.json()["id"]
    assert (await acme.get(f"/disputes/{seen['id']}")).status_code == 200


async def test_reports_have_the_own_side_of_the_money(asking: Client) -> None:
    period = {"since": "2025-11-01", "until": "2025-12-01"}
    by_party = {
        party: (await asking(party).get("/reports/campaign", params=period)).json()
        for party in ("operator", "advertiser:acme", "publisher:homefix")
    }
    assert {"revenue", "payout", "profit"} <= set(by_party["operator"]["total"]["money"][0])
    assert "revenue" in by_party["advertiser:acme"]["total"]["money"][0]
    assert "30.00" not in texts(by_party["advertiser:acme"])
    assert "42.00" not in texts(by_party["publisher:homefix"])


async def test_each_party_reads_the_marketplace_from_its_side(asking: Client) -> None:
    acme, homefix, operator = asking("advertiser:acme"), asking("publisher:homefix"), asking()
    whole = (await operator.get("/campaigns/plumbing")).json()
    mine = (await acme.get("/campaigns/plumbing")).json()
    offered = (await homefix.get("/campaigns/plumbing")).json()
    assert (mine["price"], mine["route"]) == (whole["price"], whole["route"]) and "payout" not in mine
    assert offered["payout"] == whole["payout"] and not {"price", "route", "screen", "flow"} & set(offered)
    assert offered["qualify"] == whole["qualify"]
    assert [one["id"] for one in (await homefix.get("/publishers")).json()["data"]] == ["homefix"]
    assert (await homefix.get("/advertisers")).json()["data"] == []
    assert (await homefix.get("/destinations/agent-1")).status_code == 404
    assert (await acme.get("/flows/intake")).json()["nodes"]


async def test_an_advertiser_makes_a_campaign_that_the_operator_starts(asking: Client) -> None:
    acme, operator = asking("advertiser:acme"), asking()
    made = await post(acme, "/campaigns", {"id": "roofing", "entry": {"price": "50.00", "flow": "intake"}})
    assert (made.status_code, set(made.json())) == (201, {"version", "switch"} & set(made.json()))
    waves = {"route": {"waves": [{"destinations": ["agent-1"]}]}}
    edited = await acme.patch(
        "/campaigns/roofing", json=waves | {"price": "51.00"}, headers={"if-match": "*"}
    )
    assert edited.status_code == 200
    refused = [
        await acme.patch("/campaigns/roofing", json={"payout": "1.00"}, headers={"if-match": "*"}),
        await acme.patch("/campaigns/plumbing", json={"price": "1.00"}, headers={"if-match": "*"}),
        await post(acme, "/campaigns/roofing/start"),
        await post(acme, "/campaigns", {"id": "mine", "entry": {"price": "1.00", "payout": "0.10"}}),
    ]
    assert [one.status_code for one in refused] == [403, 403, 403, 403]
    priced = await operator.patch("/campaigns/roofing", json={"payout": "20.00"}, headers={"if-match": "*"})
    assert priced.status_code == 200
    assert (await post(operator, "/campaigns/roofing/start")).status_code == 200
    found = (await operator.get("/campaigns/roofing")).json()
    assert (found["advertiser"], found["price"], found["payout"], found["status"]) == (
        "acme", "51.00", "20.00", "live",
    )  # fmt: skip


async def test_an_entry_that_the_asker_has_not_seen_is_not_edited(asking: Client) -> None:
    acme, operator = asking("advertiser:acme"), asking()
    seen = (await acme.get("/destinations/agent-2")).headers["etag"]
    changed = await operator.patch("/destinations/agent-2", json={"capacity": 7}, headers={"if-match": "*"})
    assert changed.status_code == 200
    late = await acme.patch("/destinations/agent-2", json={"capacity": 3}, headers={"if-match": seen})
    assert late.status_code == 412
