"""Caps and funds over real calls: of two callers at once, one is connected and the other is told why not."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3

import pytest

from ari_app.domain.basics.periods import period
from ari_app.domain.ledger.transfers import deposit
from ari_app.lab.sipp import accepts, answers, rings_forever, talk_ms
from ari_app.serving.clock import CallClock
from ari_app.store.ledger import ledger
from ari_app.store.limits.usage import Usage, usage_of
from ari_app.views.explain import explain
from tests.live.exchange import marketplace, phones, uris

pytestmark = pytest.mark.live

TALK = [talk_ms(60_000)]
BEEP = "sound:beep"
QUIET = {"screen": {"announce": BEEP}}


@pytest.fixture(autouse=True)
def patience(request, monkeypatch):
    """How long a busy machine takes is not what these tests ask, but for the one that says so."""
    if "in_time" not in request.node.name:
        monkeypatch.setattr("ari_app.serving.caps.BUDGET_MS", 2_000)


def told(record):
    return "\n".join(line for section in explain(record) for line in section.lines)


async def two_at_once(exchange, calling):
    """Two callers at the same time, until the one who is connected hangs up: connected first."""
    async with (
        calling(ani="+12125550001", plan=TALK) as one,
        calling(ani="+12125550002", plan=TALK) as two,
    ):
        refused = await exchange.record()
        await exchange.connected()
        await asyncio.gather(one.hang_up(), two.hang_up(), return_exceptions=True)
        return await exchange.record(), refused


async def test_with_a_cap_of_one_the_second_of_two_callers_at_once_is_refused(exchange, calling):
    async with phones({"one": answers(), "two": answers()}) as agents:
        campaign = {"caps": [{"max": 1, "per": "day"}], **QUIET}
        exchange.apply(marketplace(uris(agents), accept="answer", campaign=campaign))
        connected, refused = await two_at_once(exchange, calling)
    assert (connected.disposition, refused.disposition) == ("connected", "capped")
    assert connected.qualification.qualified
    assert "campaign plumbing has no room left in its cap of 1 qualified call a day" in told(refused)
    today = period("day", connected.started_at, "America/New_York").start
    assert usage_of(exchange.engine, [today]) == {("campaign:plumbing:qualified:day", today): Usage(1, 0)}


async def test_when_a_cap_is_used_up_the_next_caller_is_refused_before_the_questions(exchange, calling):
    flow = {
        "start": "hello",
        "nodes": {"hello": {"play": BEEP, "next": "offer"}, "offer": {"offer": True}},
    }
    async with phones({"one": answers()}) as agents:
        campaign = {"caps": [{"max": 1, "per": "total"}], **QUIET}
        document = marketplace(uris(agents), accept="answer", flow=flow, campaign=campaign)
        exchange.apply(document)
        async with calling(ani="+12125550001", plan=TALK) as who:
            await exchange.connected()
            await who.hang_up()
            await exchange.record()
        exchange.switch.load()
        async with calling(ani="+12125550002", plan=TALK):
            refused = await exchange.record()
    assert refused.disposition == "capped"
    assert refused.offered_at is None and not refused.legs
    assert "located" not in [event.what for event in refused.events]


async def test_a_prepaid_advertiser_with_funds_for_one_call_gets_one_of_two_at_once(exchange, calling):
    async with phones({"one": answers(), "two": answers()}) as agents:
        document = marketplace(uris(agents), accept="answer", fallback={"play": BEEP})
        document["advertisers"]["acme"]["billing"] = {"model": "prepaid"}
        exchange.apply(document)
        ledger.post(exchange.engine, deposit("1", "acme", 4200, "USD", CallClock().now()))
        connected, refused = await two_at_once(exchange, calling)
    assert (connected.disposition, refused.disposition) == ("connected", "no_route")
    assert connected.money.charged == 4200
    assert "one: advertiser acme has no funds for a call of 42.00" in told(refused)
    assert exchange.ledger_findings() == []


async def test_a_call_in_another_currency_is_charged_in_it_and_covered_by_funds_in_it_alone(
    exchange, calling
):
    async with phones({"one": answers()}) as agents:
        yen = {"currency": "JPY", "price": "5000", "payout": "3500"}
        document = marketplace(
            uris(agents), accept="answer", fallback={"play": BEEP}, campaign=yen, qualify=[]
        )
        document["advertisers"]["acme"]["billing"] = {"model": "prepaid"}
        exchange.apply(document)
        now = CallClock().now()
        ledger.post(exchange.engine, deposit("dollars", "acme", 100_000, "USD", now))
        async with calling(ani="+12125550001"):
            uncovered = await exchange.record()
        ledger.post(exchange.engine, deposit("yen", "acme", 5000, "JPY", now))
        async with calling(ani="+12125550002", plan=TALK) as who:
            await exchange.connected()
            await who.hang_up()
            charged = await exchange.record()
    assert uncovered.disposition == "no_route"
    assert "one: advertiser acme has no funds for a call of 5000 JPY" in told(uncovered)
    assert (charged.money.currency, charged.money.charged, charged.money.paid) == ("JPY", 5000, 3500)
    balances = ledger.balances(exchange.engine)
    assert balances["publisher:homefix", "JPY"].posted == 3500
    assert balances["advertiser:acme", "USD"].posted == 100_000


async def test_a_destination_whose_cap_is_full_is_not_rung_and_the_other_is(exchange, calling):
    async with phones({"full": answers(), "free": answers()}) as agents:
        document = marketplace(uris(agents), accept="answer", waves=[{"destinations": ["full", "free"]}])
        document["destinations"]["full"] |= {"caps": [{"max": 1, "per": "day", "basis": "attempts"}]}
        document["destinations"]["free"] |= {"capacity": 2}
        exchange.apply(document)
        records = []
        for ani in ("+12125550001", "+12125550002"):
            async with calling(ani=ani, plan=TALK) as who:
                await exchange.connected()
                await who.hang_up()
                records.append(await exchange.record())
    assert {leg.destination for leg in records[0].legs} == {"full", "free"}
    assert {leg.destination for leg in records[1].legs} == {"free"}
    assert "destination full has no room left" in records[1].excluded[0].reason


async def test_the_losers_places_are_free_again_while_the_winner_talks(exchange, calling):
    """Of two destinations that take one call at once each, the first caller keeps only the winner's place."""
    async with phones({"quick": accepts(), "slow": rings_forever()}) as agents:
        document = marketplace(
            uris(agents), accept_prompt=BEEP, reoffer_within="1ms", fallback={"play": BEEP}
        )
        for name in agents:
            document["destinations"][name] |= {"caps": [{"concurrent": 1}], "capacity": 5}
        exchange.apply(document)
        async with calling(ani="+12125550001", plan=TALK) as first:
            await exchange.connected()
            async with asyncio.timeout(5):
                while usage_of(exchange.engine, [0])[SLOW, 0].reserved:
                    await asyncio.sleep(0.02)  # nobody is told when a place is free again
            async with calling(ani="+12125550002", plan=TALK) as second:
                async with asyncio.timeout(5):
                    while sum(call["stage"] == "ringing" for call in exchange.switch.live()) < 1:
                        await asyncio.sleep(0.02)  # what operators see is looked up, not announced
                await second.hang_up()
                rung = await exchange.record()
            await first.hang_up()
            await exchange.record()
    assert [leg.destination for leg in rung.legs] == ["slow"]
    assert [exclusion.destination for exclusion in rung.excluded] == ["quick"]


SLOW = "destination:slow:concurrent"


async def test_a_caller_is_served_in_time_while_the_database_is_locked(exchange, calling):
    """What has no caps is rung at once; what has, is left out, and the record says why."""
    async with phones({"capped": answers(), "free": answers()}) as agents:
        document = marketplace(uris(agents), accept="answer")
        document["destinations"]["capped"] |= {"caps": [{"max": 9, "per": "day"}]}
        exchange.apply(document)
        with contextlib.closing(sqlite3.connect(exchange.engine.url.database)) as other:
            other.execute("BEGIN IMMEDIATE")
            async with calling(plan=TALK) as who:
                await exchange.connected()
                await who.hang_up()
        record = await exchange.record()
    assert record.winner == "free"
    assert [(e.destination, e.reason) for e in record.excluded] == [
        ("capped", "caps could not be checked in 250 ms")
    ]
    located = next(event.at for event in record.events if event.what == "located")
    offered = next(event.at for event in record.events if event.what == "offered")
    assert offered - located < 500
