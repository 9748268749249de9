"""The ARI client against a real Asterisk, on Local channels: no SIP, no switch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import count
from typing import TypeVar

import pytest

from ari_app.ari import events
from ari_app.ari.client import Client, connect, requests_only
from ari_app.ari.errors import (
    AriReplaced,
    BadRequest,
    Conflict,
    NoSuchResource,
    NotFound,
    ServerError,
    Unauthorized,
)
from ari_app.ari.events import Event, StasisStart
from ari_app.ari.inbox import Inbox
from ari_app.ari.network import NetworkTransport
from ari_app.ari.settings import AriSettings
from tests.live.lab import Lab

E = TypeVar("E", bound=Event)
_ids = count(1)


class Exchange:
    """A connected client, a call's inbox, and the channels that came in by themselves."""

    def __init__(self, client: Client, incoming: asyncio.Queue[StasisStart]) -> None:
        self.client = client
        self.incoming = incoming
        self.inbox = client.inbox()
        self.call = f"test{next(_ids)}"

    async def until(self, kind: type[E], inbox: Inbox | None = None) -> E:
        """The next event of a kind; what comes before it is passed over."""
        async with asyncio.timeout(10):
            while True:
                event = await (inbox or self.inbox).get()
                if isinstance(event, kind):
                    return event

    async def answered(self, extension: str = "answer") -> str:
        """The id of a channel that was called at this extension and answered."""
        channel_id = f"{self.call}-leg-{next(_ids)}"
        await self.client.channels.originate(self.inbox, channel_id, f"Local/{extension}@ari-client/n")
        await self.until(StasisStart)
        return channel_id


@pytest.fixture
def settings(lab: Lab) -> AriSettings:
    password = (lab.home / "secrets" / "ari").read_text().strip()
    return AriSettings("127.0.0.1", int(lab.environment["CALLRACE_ARI_PORT"]), "callrace", password)


@asynccontextmanager
async def connected(
    settings: AriSettings, transport: NetworkTransport | None = None
) -> AsyncIterator[Exchange]:
    incoming: asyncio.Queue[StasisStart] = asyncio.Queue()
    async with connect(settings, incoming.put_nowait, transport) as client:
        yield Exchange(client, incoming)


@pytest.fixture(params=["WebSocket", "HTTP"])
async def ari(
    request: pytest.FixtureRequest, settings: AriSettings, nothing_left: Callable[[], Awaitable[None]]
) -> AsyncIterator[Exchange]:
    transport = NetworkTransport(settings, is_http_only=request.param == "HTTP")
    async with connected(settings, transport) as exchange:
        yield exchange
        for channel in await exchange.client.channels.list():
            await exchange.client.channels.hangup(channel["id"])
        await nothing_left()


@pytest.fixture
async def over_websocket(settings: AriSettings) -> AsyncIterator[Exchange]:
    async with connected(settings) as exchange:
        yield exchange


# Connecting


async def test_this_asterisk_takes_requests_over_websocket_on_every_lane(lab, over_websocket):
    apps = {app["name"] for app in await lab.ask("GET", "applications")}

    assert apps >= {"callrace", *(f"callrace-lane-{n}" for n in range(8))}
    assert over_websocket.client.version >= (22, 10, 1)


async def test_asterisk_sends_only_the_events_in_use(over_websocket):
    allowed = (await over_websocket.client.applications.get())["events_allowed"]

    assert {one["type"] for one in allowed} == {*events.DEFAULT_EVENTS, "ApplicationReplaced"}


async def test_a_wrong_password_is_refused(settings):
    with pytest.raises(Unauthorized):
        async with connected(replace(settings, password="wrong")):
            pass


async def test_a_second_instance_stops_the_first_and_the_calls_live_on(
    settings, over_websocket, nothing_left
):
    first = over_websocket
    channel = await first.answered()
    async with connected(settings) as second:
        with pytest.raises(AriReplaced):
            await first.client.run()
        await first.until(events.Replaced)
        assert channel in (await second.client.applications.get())["channel_ids"]
        second.client.watch(second.inbox, channel)
        await second.client.channels.hangup(channel)
        assert (await second.until(events.ChannelDestroyed)).channel_id == channel
        await nothing_left()


async def test_looking_does_not_take_over(settings, over_websocket):
    async with requests_only(settings) as looker:
        await looker.asterisk.ping()
        assert "res_ari.so" in {module["name"] for module in await looker.asterisk.list_modules()}
        assert "PJSIP" in {endpoint["technology"] for endpoint in await looker.endpoints.list()}

    assert over_websocket.client.connected and not over_websocket.client.replaced.is_set()


async def test_after_a_lost_connection_the_call_is_still_there_and_events_come_again(settings, nothing_left):
    async with Proxy.to(settings.port) as proxy, connected(replace(settings, port=proxy.port)) as ari:
        channel = await ari.answered()
        proxy.cut()
        await ari.until(events.Disconnected)
        await ari.until(events.Reconnected)
        assert channel in (await ari.client.applications.get())["channel_ids"]
        assert (await ari.client.applications.get())["events_allowed"]
        await ari.client.channels.hangup(channel)
        assert (await ari.until(events.ChannelDestroyed)).channel_id == channel
        await nothing_left()


# Channels


async def _rings(ari) -> events.Dialled:
    while (told := await ari.until(events.Dialled)).status != "RINGING":
        continue
    return told


async def test_ringing_then_answer_of_a_channel_we_call_are_told(ari):
    await ari.client.channels.originate(
        ari.inbox,
        f"{ari.call}-leg-1",
        "Local/ring-then-answer@ari-client/n",
        app_args=("leg", "1"),
        caller_id="+12125550123",
        variables={"WHO": "me"},
    )

    ringing = await _rings(ari)
    start = await ari.until(StasisStart)
    assert ringing.channel_id == f"{ari.call}-leg-1"
    assert (start.channel_id, start.args) == (f"{ari.call}-leg-1", ("leg", "1"))
    assert (start.caller_number, start.state) == ("+12125550123", "Up")
    assert 400 < start.at_ms - ringing.at_ms < 3000
    assert ari.incoming.empty()


async def test_a_channel_that_is_busy_says_so(ari):
    await ari.client.channels.originate(ari.inbox, f"{ari.call}-leg-1", "Local/busy@ari-client/n")

    assert (await ari.until(events.ChannelDestroyed)).cause == 17


async def test_a_channel_that_nobody_answers_is_given_up(ari):
    await ari.client.channels.originate(
        ari.inbox, f"{ari.call}-leg-1", "Local/ring@ari-client/n", timeout_s=1
    )
    ringing = await _rings(ari)

    assert 800 < (await ari.until(events.ChannelDestroyed)).at_ms - ringing.at_ms < 3000


async def test_a_loser_is_hung_up_with_cause_26_and_hanging_up_again_is_done_already(ari):
    channel = await ari.answered()
    await ari.client.channels.hangup(channel, "answered_elsewhere")

    assert (await ari.until(events.ChannelDestroyed)).cause == 26
    await ari.client.channels.hangup(channel, "answered_elsewhere")


async def test_a_cause_can_be_given_by_number(ari):
    await ari.client.channels.hangup(await ari.answered(), reason_code=1)

    assert (await ari.until(events.ChannelDestroyed)).cause == 1


async def test_an_endpoint_that_is_not_there_is_an_error_at_once(ari):
    with pytest.raises(ServerError, match="does the endpoint exist"):
        await ari.client.channels.originate(ari.inbox, f"{ari.call}-leg-1", "PJSIP/nobody")
    assert ari.client.watching() == (1, 0)


async def test_an_id_is_used_once(ari):
    channel = await ari.answered()

    with pytest.raises(Conflict):
        await ari.client.channels.originate(ari.inbox, channel, "Local/answer@ari-client/n")


async def test_a_call_that_comes_in_is_told_with_its_arguments(ari):
    await ari.answered("in")
    start = await asyncio.wait_for(ari.incoming.get(), 10)

    assert start.args == ("in", "+18005550101", "")


async def test_keys_are_told_one_by_one(ari):
    await ari.answered("keys")
    keys = [await ari.until(events.ChannelDtmfReceived) for _ in range(2)]

    assert [key.digit for key in keys] == ["1", "#"]
    assert all(key.duration_ms > 0 for key in keys)


async def test_variables_are_set(lab, ari):
    channel = await ari.answered()
    await ari.client.channels.set_channel_var(channel, "WHO", "me & you")

    assert (await lab.ask("GET", f"channels/{channel}/variable", variable="WHO"))["value"] == "me & you"


async def test_a_channel_can_go_back_to_the_dialplan(ari):
    channel = await ari.answered()
    await ari.client.channels.continue_in_dialplan(channel, "ari-client", "next", 1)

    assert (await ari.until(events.StasisEnd)).channel_id == channel
    async with asyncio.timeout(5):  # it gets there on its own
        while (await ari.client.channels.get(channel))["dialplan"]["exten"] != "next":
            await asyncio.sleep(0.02)


async def test_a_channel_can_be_answered_and_hear_ringing_and_music(ari):
    channel = await ari.answered()
    await ari.client.channels.answer(channel)
    await ari.client.channels.ring(channel)
    await ari.client.channels.ring_stop(channel)
    await ari.client.channels.start_moh(channel)
    await ari.client.channels.stop_moh(channel)

    assert (await ari.client.channels.get(channel))["state"] == "Up"


async def test_a_broadcast_call_is_claimed_once(ari):
    channel = await ari.answered("broadcast")
    async with asyncio.timeout(5):
        while True:
            with suppress(NotFound):  # until the dialplan has come to it
                await ari.client.events.claim(f"{channel};2")
                break
            await asyncio.sleep(0.02)

    assert (await asyncio.wait_for(ari.incoming.get(), 10)).channel_id == f"{channel};2"
    with pytest.raises((Conflict, NotFound)):
        await ari.client.events.claim(f"{channel};2")


async def test_asking_of_what_is_not_there_is_an_error(ari):
    with pytest.raises(NotFound, match="Channel not found"):
        await ari.client.channels.answer("nobody")
    with pytest.raises(NotFound, match="Channel not found"):
        await ari.client.channels.get("no/body?x=1")
    with pytest.raises(NoSuchResource, match="Resource not found"):
        await ari.client.request("GET", "nothing/of/the/kind")


# Playbacks


async def test_a_prompt_is_played_to_its_end(ari):
    channel = await ari.answered()
    await ari.client.channels.play(ari.inbox, f"{ari.call}-play-1", channel, "sound:hello-world")
    assert (await ari.client.playbacks.get(f"{ari.call}-play-1"))["media_uri"] == "sound:hello-world"

    finished = await ari.until(events.PlaybackFinished)
    assert (finished.playback_id, finished.failed) == (f"{ari.call}-play-1", False)


async def test_a_prompt_that_is_stopped_is_finished_and_stopping_it_again_is_done_already(ari):
    channel = await ari.answered()
    many = ["sound:hello-world"] * 20
    await ari.client.channels.play(ari.inbox, f"{ari.call}-play-1", channel, many)
    await ari.client.playbacks.stop(f"{ari.call}-play-1")

    assert (await ari.until(events.PlaybackFinished)).playback_id == f"{ari.call}-play-1"
    await ari.client.playbacks.stop(f"{ari.call}-play-1")


async def test_a_prompt_that_is_not_there_has_failed(ari):
    channel = await ari.answered()
    await ari.client.channels.play(ari.inbox, f"{ari.call}-play-1", channel, "sound:no-such-sound")

    assert (await ari.until(events.PlaybackFinished)).failed


async def test_the_sounds_are_listed(ari):
    assert (await ari.client.sounds.get("hello-world"))["id"] == "hello-world"
    assert "hello-world" in {sound["id"] for sound in await ari.client.sounds.list()}
    with pytest.raises(NotFound):
        await ari.client.sounds.get("no-such-sound")


# Bridges


async def test_two_channels_are_bridged_by_one_request_and_parted_again(ari):
    bridge, channels = f"{ari.call}-bridge", [await ari.answered(), await ari.answered()]
    await ari.client.bridges.create(ari.inbox, bridge)
    await ari.client.bridges.add_channel(bridge, channels)
    assert sorted((await ari.client.bridges.get(bridge))["channels"]) == sorted(channels)
    assert bridge in {one["id"] for one in await ari.client.bridges.list()}

    await ari.client.bridges.remove_channel(bridge, channels[:1])
    assert (await ari.client.bridges.get(bridge))["channels"] == channels[1:]
    await ari.client.bridges.start_moh(bridge)
    await ari.client.bridges.stop_moh(bridge)
    await ari.client.bridges.destroy(bridge)
    await ari.client.bridges.destroy(bridge)
    assert {(await ari.client.channels.get(channel))["state"] for channel in channels} == {"Up"}


async def test_a_bridge_takes_none_of_the_channels_when_one_is_gone(ari):
    bridge, channel = f"{ari.call}-bridge", await ari.answered()
    await ari.client.bridges.create(ari.inbox, bridge)

    with pytest.raises(BadRequest, match="Channel not found"):
        await ari.client.bridges.add_channel(bridge, [channel, "nobody"])
    assert (await ari.client.bridges.get(bridge))["channels"] == []
    await ari.client.bridges.destroy(bridge)


class Proxy:
    """Stands between the client and Asterisk, and can cut every connection."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._writers: list[asyncio.StreamWriter] = []
        self.port = 0

    @classmethod
    @asynccontextmanager
    async def to(cls, port: int) -> AsyncIterator[Proxy]:
        proxy = cls(port)
        server = await asyncio.start_server(proxy._serve, "127.0.0.1", 0)
        proxy.port = server.sockets[0].getsockname()[1]
        try:
            yield proxy
        finally:
            server.close()
            proxy.cut()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers += [writer, back]
        await asyncio.gather(_copy(reader, back), _copy(there, writer))


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    target.close()
