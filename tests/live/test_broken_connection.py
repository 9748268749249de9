"""The connections to Asterisk break without a word: what happens meanwhile is told to nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from ari_app.lab.sipp import answers, talk_ms
from ari_app.settings import Settings
from tests.live.exchange import Exchange, marketplace, phones, uris
from tests.live.lab import Lab

pytestmark = pytest.mark.live

TALK = [talk_ms(60_000)]


class Wire:
    """Connections to a port of this machine, through one that may be cut."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._through = asyncio.Event()
        self._through.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._to_asterisk: set[asyncio.StreamWriter] = set()

    def hold(self) -> None:
        """From now on nothing comes through, and nobody is told."""
        self._through.clear()

    def keep_away(self) -> None:
        """Ends all connections for both; new ones are made, but nothing comes through."""
        self.hold()
        for writer in self._to_asterisk:
            writer.transport.abort()
        self._to_asterisk.clear()

    def let_go(self) -> None:
        """What was held comes through, late, and all else again."""
        self._through.set()

    def break_off(self) -> None:
        """Ends all connections; new ones come through."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()
        self._through.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers |= {writer, ours}
        self._to_asterisk.add(ours)
        await asyncio.gather(self._pass(reader, ours), self._pass(theirs, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await _read(reader):
            await self._through.wait()
            writer.write(data)
        writer.transport.abort()


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(65536)
    except ConnectionError:
        return b""


@pytest.fixture
async def wire(lab: Lab) -> AsyncIterator[tuple[Wire, int]]:
    settings = Settings.from_env(lab.environment)
    made = Wire(settings.ari_port)
    async with await asyncio.start_server(made.serve, "127.0.0.1", 0) as server:
        yield made, server.sockets[0].getsockname()[1]
        made.break_off()


@pytest.fixture
async def behind(wire: tuple[Wire, int], lab: Lab, tmp_path: Path) -> AsyncIterator[Exchange]:
    """A switch that reaches Asterisk by the wire."""
    exchange = Exchange(replace(Settings.from_env(lab.environment), ari_port=wire[1]), tmp_path)
    await exchange.start()
    try:
        yield exchange
        await exchange.nothing_left()
    finally:
        await exchange.stop()
        await lab.clear()


@pytest.mark.parametrize("end", [Wire.break_off, Wire.let_go], ids=["never", "late"])
async def test_who_hangs_up_unseen_is_charged_no_longer_than_they_talked(behind, wire, calling, end):
    async with phones({"agent": answers()}) as agents:
        terms = {"accept": "answer", "qualify": [{"connected_at_least": "2s"}]}
        behind.apply(marketplace(uris(agents), **terms))
        async with calling(plan=TALK) as who:
            await behind.connected()
            wire[0].hold()
            await who.hang_up()
            await asyncio.sleep(2.5)  # time that nobody is to pay for
            end(wire[0])
            record = await behind.record()
        assert (record.disposition, record.end_source) == ("connected", "caller")
        assert record.durations_ms.connected < 1_000
        assert record.money.charged == 0


@pytest.mark.parametrize(
    ("cut", "sees", "mend", "outcomes"),
    [
        pytest.param(Wire.hold, "established", Wire.break_off, ["won"], id="gets the call"),
        pytest.param(Wire.keep_away, "bye", Wire.let_go, ["failed", "won"], id="hung up on, is rung again"),
    ],
)
async def test_an_agent_who_answers_unseen(behind, wire, calling, cut, sees, mend, outcomes):
    async with phones({"agent": answers(ring_ms=800)}) as agents:
        behind.apply(marketplace(uris(agents), accept="answer"))
        async with calling(plan=TALK) as who:
            await agents["agent"].wait_for("invited")
            cut(wire[0])
            await agents["agent"].wait_for(sees)
            mend(wire[0])
            await behind.connected()
            await who.hang_up()
            record = await behind.record()
        assert (record.disposition, record.winner) == ("connected", "agent")
        assert [leg.outcome for leg in record.legs] == outcomes


async def test_who_calls_unseen_is_served_when_asterisk_is_heard_again(behind, wire, calling):
    async with phones({"agent": answers()}) as agents:
        behind.apply(marketplace(uris(agents), accept="answer"))
        wire[0].hold()
        async with calling(plan=TALK) as who:
            await who.wait_for("calling")
            await asyncio.sleep(0.3)  # nobody is there who could tell that it is in Asterisk
            wire[0].break_off()
            await behind.connected()
            await who.hang_up()
            record = await behind.record()
        assert (record.disposition, record.ani) == ("connected", "+12125550142")
