"""A caller's channel that leaves Stasis on purpose, as for a race by Dial(): Asterisk tells of it all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from ari_app.domain.market.campaigns import Route
from ari_app.domain.routing.legs import Leg
from ari_app.domain.routing.race import RacePlan
from ari_app.lab.sipp import talk_ms
from ari_app.switch.admission import UNSERVED
from ari_app.switch.call import Call
from ari_app.switch.places import Places
from ari_app.switch.racer import Ending
from tests.live.exchange import Exchange, marketplace

pytestmark = pytest.mark.live

NOBODY = {"agent": "sip:agent@127.0.0.1:5999"}
TALK = [talk_ms(60_000)]


class Away:
    """A race by nobody: the channel is sent to a place in the dialplan, and waited for."""

    label = "ask"
    is_away = asyncio.Event()

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

    async def run(self, plan: RacePlan) -> Ending:
        call = self._call
        await call.lend()
        await call.client.channels.continue_in_dialplan(call.channel_id, label=self.label)
        self.is_away.set()
        back = await call.back()
        assert back is not None and back.args[0] == "in"
        return "exhausted"

    async def close(self) -> None:
        pass


class Unserved(Away):
    """The dialplan keeps it, and apologises."""

    label = UNSERVED
    is_away = asyncio.Event()


async def test_a_channel_that_was_lent_comes_back_to_its_call(exchange: Exchange, calling) -> None:
    exchange.switch.shared.make_racer = Away
    exchange.apply(marketplace(NOBODY, fallback={"play": "sound:beep"}))
    async with calling(plan=TALK):
        record = await exchange.record()
    assert (record.disposition, record.end_source) == ("no_answer", "system")
    assert [event.what for event in record.events if event.what == "request failed"] == []


async def test_a_caller_who_hangs_up_while_their_channel_is_lent_is_told_of(
    exchange: Exchange, calling
) -> None:
    exchange.switch.shared.make_racer = Unserved
    exchange.apply(marketplace(NOBODY))
    async with calling(plan=TALK) as who:
        async with asyncio.timeout(10):
            await Unserved.is_away.wait()
        await who.hang_up()
        record = await exchange.record()
    assert (record.disposition, record.end_source) == ("abandoned_queue", "caller")
    await exchange.nothing_left()
