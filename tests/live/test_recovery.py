"""Asterisk goes away and comes back; the marketplace changes while calls run."""

import asyncio
import time

import pytest

from ari_app.lab.sipp import answers, rings_forever, talk_ms
from ari_app.store.market import pauses
from tests.live.exchange import marketplace, phones, uris

pytestmark = pytest.mark.live

TALK = [talk_ms(60_000)]


async def test_when_asterisk_dies_open_calls_are_closed_and_new_ones_served(exchange, lab, calling):
    async with phones({"agent": answers()}) as agents:
        exchange.apply(marketplace(uris(agents), accept="answer"))
        async with calling(ani="+12125550001", plan=TALK) as cut_off:
            await exchange.connected()
            connected_at = time.monotonic()
            lab.kill()
            killed_at = time.monotonic()
            await asyncio.to_thread(lab.run, "up")
            record = await exchange.record()
            await cut_off.hang_up()
        assert (record.disposition, record.end_source) == ("connected", "system")
        assert "Asterisk restarted" in [event.what for event in record.events]
        assert record.durations_ms.connected < (killed_at - connected_at) * 1000 + 1500
        async with calling(ani="+12125550002", plan=TALK) as who:
            await exchange.connected()
            await who.hang_up()
            record = await exchange.record()
        assert record.disposition == "connected"
        assert exchange.ledger_findings() == []


async def test_when_asterisk_dies_a_call_that_waits_has_failed_for_that_reason(exchange, lab, calling):
    async with phones({"agent": rings_forever()}) as agents:
        exchange.apply(marketplace(uris(agents)))
        async with calling(plan=TALK) as cut_off:
            await agents["agent"].wait_for("invited")
            lab.kill()
            await asyncio.to_thread(lab.run, "up")
            record = await exchange.record()
            await cut_off.hang_up()
        assert (record.disposition, record.end_source) == ("failed", "system")
        assert "Asterisk restarted" in [event.what for event in record.events]


async def test_a_new_marketplace_is_taken_over_without_touching_the_call_under_way(exchange, calling):
    async with phones({"agent": answers()}) as agents:
        exchange.apply(marketplace(uris(agents), accept="answer"))
        keeping_up = asyncio.create_task(exchange.switch.keep_up_to_date())
        async with calling(plan=TALK) as who:
            await exchange.connected()
            exchange.put_in_force(marketplace(uris(agents), accept="answer", campaign={"price": "50.00"}))
            async with asyncio.timeout(2):
                while exchange.switch.status()["marketplace_version"] != 2:
                    await asyncio.sleep(0.05)
            await who.hang_up()
            record = await exchange.record()
        keeping_up.cancel()
        assert (record.terms_version, record.money.charged) == (1, 4200)


async def test_an_agent_who_leaves_too_many_calls_unanswered_is_paused_until_resumed(exchange, calling):
    async with phones({"absent": rings_forever()}) as agents:
        document = marketplace(
            uris(agents),
            ring_timeout="1s",
            fallback={"play": "sound:beep"},
            destination={"auto_pause": {"per_hour": 2}},
            campaign={"screen": {"redial_within": "1ms"}},
        )
        exchange.apply(document)
        for _ in range(2):
            async with calling(plan=TALK):
                assert (await exchange.record()).disposition == "no_answer"
        async with asyncio.timeout(5):
            while not pauses.paused(exchange.engine):
                await asyncio.sleep(0.02)  # it is written behind the call, and no event says so
        exchange.switch.load()
        async with calling(plan=TALK):
            record = await exchange.record()
        assert record.disposition == "no_route"
        assert record.excluded[0].reason == "paused: 2 calls left unanswered within an hour"
        assert pauses.resume(exchange.engine, "absent")
