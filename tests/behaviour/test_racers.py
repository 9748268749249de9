"""Another way to race: the caller's channel is lent to Asterisk's own Dial(), and comes back with what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from ari_app.ari.testing.phones import Channel
from ari_app.domain.calls.record import LegRecord
from ari_app.domain.market.campaigns import Route
from ari_app.domain.routing.legs import Leg
from ari_app.domain.routing.race import RacePlan
from ari_app.switch.call import Call
from ari_app.switch.offer import Offer
from ari_app.switch.places import Places
from ari_app.switch.racer import Ending, wait_music
from tests.behaviour.exchange import Exchange, outcomes, timeline

CONTEXT = "race"


@dataclass
class Dial:
    """What the dialplan does with a caller who is lent: rings for so long, then talks for so long, or not at all."""

    exchange: Exchange
    rings_s: float = 3.0
    talks_s: float | None = 60.0
    lent: list[Channel] = field(default_factory=list)

    async def __call__(self, channel: Channel) -> None:
        self.lent.append(channel)
        await self.exchange.passes(self.rings_s + (self.talks_s or 0))
        talked_ms = 0 if self.talks_s is None else int(self.talks_s * 1000)
        status = "NOANSWER" if self.talks_s is None else "ANSWER"
        self.exchange.asterisk.hand_back(channel, "back", status, str(talked_ms))


class Native:
    """A race by Dial(): of the first wave's first, as far as these tests go."""

    def __init__(
        self,
        call: Call,
        route: Route,
        places: Places,
        on_connected: Callable[[int], None],
        on_parted: Callable[[], None],
    ) -> None:
        self.legs: list[Leg] = []
        self._call = call
        self._route = route
        self._on_connected = on_connected

    async def run(self, plan: RacePlan) -> Ending:
        call = self._call
        self.legs = [Leg(0, 0, LegRecord(plan.waves[0].destinations[0], 1, call.now()))]
        wait_music(call, self._route, start=False)
        await call.lend()
        await call.client.channels.continue_in_dialplan(call.channel_id, CONTEXT)
        back = await call.back()
        if back is None or back.args[1] != "ANSWER":
            self.legs[0].record.outcome = "no_answer"
            return "exhausted"
        talked_ms = int(back.args[2])
        self._connected(call.now() - talked_ms, talked_ms)
        return "agent"

    def _connected(self, at: int, talked_ms: int) -> None:
        leg, record = self.legs[0].record, self._call.record
        leg.outcome, leg.accepted_at = "won", at
        record.disposition, record.winner, record.connected_at = "connected", leg.destination, at
        record.durations_ms.connected = talked_ms
        self._on_connected(at)

    async def close(self) -> None:
        self._call.record.legs += [leg.record for leg in self.legs]


@pytest.fixture
async def dial(exchange: Exchange) -> Dial:
    """An exchange that races by Dial(), with one agent."""
    dial = exchange.asterisk.contexts[CONTEXT] = Dial(exchange)
    exchange.agent("ann").accepts()
    await exchange.serves()
    exchange.switch.shared.make_racer = Native
    return dial


async def lent(exchange: Exchange, dial: Dial) -> None:
    """A second later the caller is."""
    await exchange.passes(1)
    assert dial.lent


async def test_who_is_lent_to_another_racer_is_not_taken_for_gone(exchange: Exchange, dial: Dial) -> None:
    record = await exchange.dials().over()
    assert (record.disposition, record.winner, record.end_source) == ("connected", "ann", "agent")
    assert record.durations_ms.connected == 60_000
    assert outcomes(record) == {"ann": "won"}
    assert record.money is not None and record.money.charged == 4200


async def test_who_comes_back_without_an_agent_hears_the_fallback(exchange: Exchange, dial: Dial) -> None:
    dial.talks_s = None
    call = exchange.dials()
    record = await call.over()
    assert (record.disposition, record.end_source) == ("no_answer", "system")
    assert call.heard and "fallback" in timeline(record)
    assert not call.channel.is_subscribed


async def test_a_caller_who_hangs_up_meanwhile_has_abandoned_the_queue(
    exchange: Exchange, dial: Dial
) -> None:
    call = exchange.dials()
    await lent(exchange, dial)
    record = await call.hangs_up(after_s=1).over()
    assert (record.disposition, record.end_source) == ("abandoned_queue", "caller")


@pytest.mark.parametrize("rings_s", [4, 30])
async def test_who_is_lent_while_nobody_looks_is_not_taken_for_gone(
    exchange: Exchange, dial: Dial, rings_s: float
) -> None:
    """Whether they come back before events are heard again, or after."""
    dial.talks_s, dial.rings_s = None, rings_s
    call = exchange.dials()
    await lent(exchange, dial)
    exchange.asterisk.is_down = True
    exchange.asterisk.breaks()
    await exchange.passes(5)
    exchange.asterisk.is_down = False
    record = await call.over()
    assert (record.disposition, record.end_source) == ("no_answer", "system")
    assert record.durations_ms.total >= rings_s * 1000
    assert call.heard


async def test_who_hangs_up_while_nobody_looks_and_they_are_lent_is_gone(
    exchange: Exchange, dial: Dial
) -> None:
    call = exchange.dials()
    await lent(exchange, dial)
    exchange.asterisk.is_down = True
    exchange.asterisk.breaks()
    call.hangs_up(after_s=1)
    await exchange.passes(5)
    exchange.asterisk.is_down = False
    record = await call.over()
    assert (record.disposition, record.end_source) == ("abandoned_queue", "caller")


@pytest.mark.parametrize("seconds", [1, 10])
async def test_who_was_lent_by_a_switch_that_died_is_offered_again_when_they_are_back(
    exchange: Exchange, dial: Dial, seconds: float
) -> None:
    """Whether they come back before the next switch starts, or after."""
    dial.talks_s = None
    call = exchange.dials()
    await lent(exchange, dial)
    await exchange.passes(1)
    exchange.dies()
    await exchange.passes(seconds)
    await exchange.starts()
    assert exchange.switch.shared.make_racer is Offer
    await call.connected(exchange.agents["ann"])
    record = await call.hangs_up(after_s=60).over()
    assert (record.disposition, record.winner) == ("connected", "ann")
    assert "begun again" in timeline(record)


async def test_who_was_lent_by_a_switch_that_died_is_told_of_though_asterisk_has_forgotten_to(
    exchange: Exchange, dial: Dial
) -> None:
    dial.talks_s, dial.rings_s = None, 10
    calls = exchange.dials(), exchange.dials()
    await lent(exchange, dial)
    exchange.dies()
    for call in calls:
        call.channel.is_subscribed = False
    await exchange.starts()
    coming, leaving = calls
    assert (await leaving.hangs_up(after_s=2).over()).disposition == "abandoned_queue"
    await coming.connected(exchange.agents["ann"])
    assert (await coming.hangs_up(after_s=5).over()).winner == "ann"


async def test_who_is_lent_when_the_switch_stops_is_hung_up_and_recorded(
    exchange: Exchange, dial: Dial
) -> None:
    call = exchange.dials()
    await lent(exchange, dial)
    await exchange.switch.drain()
    assert (await call.over()).end_source == "system"
    assert not call.is_on_the_line
