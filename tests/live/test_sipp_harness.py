"""The SIPp callers and agents themselves, proved on calls that Asterisk's dialplan alone serves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import aiohttp

from ari_app.lab.sipp import Caller, accepts, answers, busy, hang_up, press, rings_forever, talk, talk_ms
from tests.live.lab import Lab


class Ear:
    """Hears every digit in Asterisk."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def digits(self, count: int) -> list[tuple[str, float]]:
        """The next digits, each with Asterisk's own time of it in milliseconds."""
        heard: list[tuple[str, float]] = []
        async with asyncio.timeout(10):
            while len(heard) < count:
                event = await self._socket.receive_json()
                if event["type"] == "ChannelDtmfReceived":
                    at = datetime.fromisoformat(event["timestamp"])
                    heard.append((event["digit"], at.timestamp() * 1000))
        return heard


@asynccontextmanager
async def listening(lab: Lab) -> AsyncIterator[Ear]:
    async with (
        aiohttp.ClientSession(headers=lab.login) as session,
        session.ws_connect(f"{lab.ari}/events?app=ear&subscribeAll=true") as socket,
    ):
        yield Ear(socket)


async def test_asterisk_hears_every_key_of_a_caller_also_the_same_one_twice(lab, caller, nothing_left):
    async with listening(lab) as ear:
        someone = await caller("listen", plan=[press("1"), press("10011*#"), hang_up])
        assert "".join(digit for digit, _ in await ear.digits(8)) == "110011*#"
    outcome = await someone.outcome()
    assert (outcome.status, outcome.ended_by) == (200, "caller")
    await nothing_left()


async def test_asterisk_hears_the_key_of_an_agent_it_calls(lab, agent, nothing_left):
    phone = await agent(accepts(after_ms=100))
    async with listening(lab) as ear:
        called = {"endpoint": f"PJSIP/agents/{phone.uri}", "context": "callrace-in", "extension": "listen"}
        await lab.ask("POST", "channels", **called)
        assert [digit for digit, _ in await ear.digits(1)] == ["1"]
    phone.call.hang_up()
    await phone.wait_for("ended")
    await nothing_left()


async def test_audio_passes_both_ways(agent, caller, nothing_left):
    first, second = await agent(answers(), tone_hz=700), await agent(busy())
    someone = await caller(f"both{first.port}{second.port}", plan=[talk_ms(1500), hang_up])
    await someone.outcome()
    await first.wait_for("ended")
    assert first.call.heard_ms(someone.tone_hz) > 1000
    assert someone.call.heard_ms(first.tone_hz) > 1000
    assert someone.call.heard_ms(second.tone_hz) == 0
    await nothing_left()


async def test_a_phone_that_lost_is_cancelled_with_cause_26(agent, caller, nothing_left):
    winner, loser = await agent(answers(ring_ms=200)), await agent(rings_forever())
    someone = await caller(f"both{winner.port}{loser.port}", plan=[talk()])
    cancelled = await loser.wait_for("cancelled")
    assert (cancelled.cause, cancelled.detail["sip"]) == (26, "200")
    await someone.hang_up()
    await winner.wait_for("ended")
    assert winner.of("bye")[0].cause == 16
    await nothing_left()


async def test_a_caller_who_gives_up_before_an_answer_leaves_no_phone_ringing(agent, caller, nothing_left):
    first, second = await agent(rings_forever()), await agent(rings_forever())
    someone = await caller(f"both{first.port}{second.port}")
    await first.wait_for("invited")
    await second.wait_for("invited")
    await someone.hang_up()
    assert (await someone.outcome()).status == 487
    for phone in (first, second):
        await phone.wait_for("cancelled")
    await nothing_left()


async def test_two_phones_that_answer_at_once_are_both_told_and_both_end(agent, caller, nothing_left):
    phones = [await agent(answers(ring_ms=100)), await agent(answers(ring_ms=100))]
    for _ in range(10):
        someone = await caller(f"both{phones[0].port}{phones[1].port}", plan=[talk_ms(100), hang_up])
        await someone.outcome()
    for phone in phones:
        await phone.wait_for("ended", nth=10)
    calls = [call for phone in phones for call in phone.calls.values()]
    ends = [{event.cause for event in call.events} - {None} for call in calls]
    assert ends.count({26}) == ends.count({16}) == 10
    await nothing_left()


async def test_two_people_can_press_within_5_ms_of_each_other(lab, caller, nothing_left):
    people: list[Caller] = [await caller("listen"), await caller("listen", "+12125550143")]
    for person in people:
        await person.wait_for("established")
    spreads = []
    async with listening(lab) as ear:
        for _ in range(10):
            await asyncio.gather(*(person.call.press("1") for person in people))
            (_, one), (_, other) = await ear.digits(2)
            spreads.append(abs(one - other))
    assert min(spreads) <= 5, f"Asterisk heard the pairs {spreads} ms apart"
    for person in people:
        await person.hang_up()
        await person.outcome()
    await nothing_left()
