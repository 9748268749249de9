"""A switch hands its calls over to the next one, and callers who come meanwhile wait for it."""

import asyncio
from copy import deepcopy
from urllib.parse import quote

import pytest

from ari_app.ari.client import connect
from ari_app.lab.sipp import answers, talk_ms
from ari_app.media.asterisk import ari_settings
from ari_app.settings import Settings
from ari_app.store.calls import calls
from tests.live.exchange import DID, marketplace, phones, uris
from tests.live.process import AgiProcess
from tests.live.test_kill import FLOW

pytestmark = pytest.mark.live

TALK = [talk_ms(60_000)]
ASKED_DID = "+18005550102"
WAITER, LEAVER = "+12125550003", "+12125550004"


@pytest.fixture
async def agi(switch, tmp_path):
    """The AGI server on the switch's database."""
    made = AgiProcess(switch.environment, tmp_path)
    await made.start()
    yield made
    assert await made.stop() == 0


def with_two_numbers(agents):
    """One number's callers are offered at once, the other's are asked before."""
    document = marketplace(uris(agents), accept="answer", destination={"capacity": 9}, flow=FLOW)
    asked = document["campaigns"]["plumbing"]
    at_once = {name: value for name, value in asked.items() if name != "flow"}
    document["campaigns"]["at-once"] = deepcopy(at_once)  # YAML would make anchors of what is there twice
    document["numbers"] = {
        DID: {"campaign": "at-once", "publisher": "homefix", "source": "banner"},
        ASKED_DID: {"campaign": "plumbing", "publisher": "homefix", "source": "banner"},
    }
    return document


async def until_there_are(switch, count, stage):
    """Waits until so many calls under way have come to a stage."""
    async with asyncio.timeout(10):
        while [call["stage"] for call in switch.ask("/live")].count(stage) != count:
            await asyncio.sleep(0.02)


async def until_one_waits(lab):
    """Waits until a caller waits for a switch."""
    async with asyncio.timeout(5):
        while all(channel["dialplan"]["app_name"] != "Wait" for channel in await lab.ask("GET", "channels")):
            await asyncio.sleep(0.02)


async def records(switch, count):
    """So many records, by the caller's number."""
    async with asyncio.timeout(15):
        while len(found := calls.latest(switch.engine, limit=100)) < count:
            await asyncio.sleep(0.05)
    assert len(found) == count
    return {record.ani: record for record in found}


async def test_a_switch_hands_its_calls_over_to_the_next(switch, calling):
    async with phones({"agent": answers()}) as agents:
        switch.apply(with_two_numbers(agents))
        await switch.start()
        async with (
            calling(ani="+12125550001", plan=TALK) as talks,
            calling(did=ASKED_DID, ani="+12125550002", plan=TALK) as asked,
        ):
            await until_there_are(switch, 1, "connected")
            await until_there_are(switch, 1, "asked")
            said = await switch.callrace("switch", "hand-over")
            assert said.stdout == "handed over: 2 calls left in Asterisk for the next switch\n", said.stderr
            assert await switch.ended() == 75
            await switch.start()
            await asked.call.press("1")
            await until_there_are(switch, 1, "connected")
            await until_there_are(switch, 1, "taken up again")
            for who in (talks, asked):
                await who.hang_up()
            found = await records(switch, 2)
    assert {ani: record.disposition for ani, record in found.items()} == {
        "+12125550001": "connected",
        "+12125550002": "connected",
    }
    assert "begun again" in [event.what for event in found["+12125550002"].events]


async def test_a_caller_waits_for_a_switch_that_is_on_its_way(lab, calling, nothing_left):
    served = asyncio.Queue()
    async with calling(ani=WAITER, plan=TALK) as who:
        await until_one_waits(lab)
        async with connect(ari_settings(Settings.from_env(lab.environment)), served.put_nowait):
            start = await asyncio.wait_for(served.get(), 5)
            await who.hang_up()
    assert start.args[0] == "in"
    assert quote(DID) in start.args[-1] and quote(WAITER) in start.args[-1]
    await nothing_left()


async def test_a_caller_who_leaves_before_a_switch_is_back_is_recorded(switch, agi, lab, calling):
    async with phones({"agent": answers()}) as agents:
        switch.apply(with_two_numbers(agents))
        async with calling(ani=LEAVER, plan=TALK) as who:
            await until_one_waits(lab)
            await who.hang_up()
        await switch.start()
        # By the caller: tests without an AGI server leave lines of theirs behind.
        async with asyncio.timeout(15):
            while not (found := calls.latest(switch.engine, ani=LEAVER)):
                await asyncio.sleep(0.05)
    (record,) = found
    assert (record.disposition, record.end_source, record.publisher) == ("abandoned_ivr", "caller", "homefix")
