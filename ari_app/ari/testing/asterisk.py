"""An Asterisk in memory, with all that calls need. It answers requests and sends events as the real Asterisk does.

    asterisk = Asterisk()
    phone = asterisk.phones["PJSIP/ann"] = Phone().accepts()
    async with connect(SETTINGS, on_incoming, asterisk.transport()) as client:
        asterisk.arrives(Caller().hangs_up(after_s=30), "callrace,in,+18005550101,+12125550142")

A test may change: `sounds_s`, the length of each sound; `before`, which is called with each request and refuses it by
raising; `is_down`; `contexts`, what the dialplan does with a channel that continues in a context.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from ari_app.ari.testing.connection import Transport
from ari_app.ari.testing.phones import ELSEWHERE, NO_ANSWER, NORMAL, Caller, Channel, Phone, Playback, _Person
from ari_app.ari.transport import Request

SOUND_S = 2.0
STOPPING_S = 0.02  # how long a playback that is stopped goes on: Asterisk looks at it once a frame
_REASONS = {
    "normal": NORMAL, "busy": 17, "congestion": 34, "no_answer": NO_ANSWER, "answered_elsewhere": ELSEWHERE
}  # fmt: skip


class Refused(Exception):
    """Asterisk refuses a request with the HTTP `status` and this `reason`."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Asterisk:
    """Channels, bridges and playbacks; phones by endpoint; and every request so far, as "METHOD uri"."""

    def __init__(self) -> None:
        self.phones: dict[str, Phone] = {}
        self.sounds_s: dict[str, float] = {}
        self.contexts: dict[str, Callable[[Channel], Awaitable[None]]] = {}
        self.before: Callable[[Request], None] = lambda request: None
        self.is_down = False
        self.channels: dict[str, Channel] = {}
        self.bridges: dict[str, set[str]] = {}
        self.playbacks: dict[str, Playback] = {}
        self.requests: list[str] = []
        self.clock_ahead_s = 0.0  # compared with this machine's clock
        self.events_take_s = 0.0  # delay from an event to its arrival
        self._started = self._now()
        self._transports: list[Transport] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._arrived = 0

    # For tests

    def transport(self) -> Transport:
        """A new instance's connection. Earlier connections get no more events."""
        for before in self._transports:
            before.is_cut_off = True
        self._transports.append(Transport(self))
        return self._transports[-1]

    def arrives(
        self, caller: Caller, app_data: str, *, caller_id: str = "", trunk: str = "carrier"
    ) -> Channel:
        """A caller comes in by a trunk, and the dialplan passes the channel on: Stasis(`app_data`)."""
        self._arrived += 1
        _, *args = app_data.split(",")
        name = f"PJSIP/{trunk}-{self._arrived:08x}"
        channel = Channel(f"caller-{self._arrived}", name, "Ring", caller_id, (args + [""] * 2)[1], app_data)
        self._add(channel, caller)
        self._enter(channel, args)
        return channel

    def breaks(self) -> None:
        """The event connection breaks; events until the next connection are lost."""
        for stream in (stream for one in self._transports for stream in one.streams):
            stream.end()

    def restarts(self) -> None:
        """Asterisk restarts: all channels are gone."""
        self.breaks()
        for channel in self.channels.values():
            channel.cause = 0
        for playback in list(self.playbacks.values()):
            self._finish(playback, "failed")
        self.channels.clear()
        self.bridges.clear()
        self._started = self._now()
        self._changed.set()

    def partners(self, channel: Channel) -> set[str]:
        """The channels that hear this one, and that it hears."""
        together = [members for members in self.bridges.values() if channel.id in members]
        return set().union(*together) - {channel.id}

    async def until(self, is_so: Callable[[], object], within_s: float = 600.0) -> None:
        """Waits until `is_so()` is true. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while not is_so():
                self._changed.clear()
                await self._changed.wait()

    def left(self) -> list[str]:
        """All channels, bridges and playbacks that still exist."""
        return [*self.channels, *self.bridges, *self.playbacks]

    async def close(self) -> None:
        """Ends the tasks of all persons and sounds."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    # What people do

    def press(self, channel: Channel, digits: str) -> None:
        """Keys are pressed on a channel that is up."""
        for digit in digits if channel.state == "Up" else "":
            self.tell("ChannelDtmfReceived", channel, digit=digit, duration_ms=80)

    def pick_up(self, channel: Channel) -> None:
        """A phone that rings is picked up."""
        if channel.state != "Up":
            self.change_state(channel, "Up")
            self._enter(channel, [])

    def hand_back(self, channel: Channel, *args: str) -> None:
        """The dialplan passes a channel to the application again: Stasis(callrace,`args`)."""
        if channel.cause is None:
            self._enter(channel, list(args))

    def change_state(self, channel: Channel, state: str) -> None:
        """Changes a channel's state, to Ringing or Up."""
        channel.change_state(state)
        self.tell("ChannelStateChange", channel)
        self.dialled(channel, "ANSWER" if state == "Up" else state.upper())

    def dialled(self, channel: Channel, status: str, forward: str = "") -> None:
        """Sends the event for the progress or the result of dialling a phone."""
        self.tell("Dial", peer=channel.told(), dialstatus=status, forward=forward)

    def end(self, channel: Channel, cause: int, sip_status: int | None = None) -> None:
        """Ends the channel; `sip_status` is the SIP status that its phone sent."""
        if channel.cause is not None:
            return
        channel.cause = cause
        for playback in [one for one in self.playbacks.values() if one.channel is channel]:
            self._finish(playback, "failed")
        for members in self.bridges.values():
            members.discard(channel.id)
        del self.channels[channel.id]
        is_told = channel.is_in_app or channel.is_subscribed or not channel.app_data
        self._leave(channel)
        if is_told:
            said = {} if sip_status is None else {"tech_cause": sip_status}
            self.tell("ChannelDestroyed", channel, cause=cause, cause_txt="so it is", **said)

    def tell(self, kind: str, channel: Channel | None = None, **more: object) -> None:
        """Sends an event to the connected instance."""
        message: dict[str, object] = {"type": kind, "timestamp": self._now(), "application": "callrace"}
        if channel is not None:
            message["channel"] = channel.told()
        text = json.dumps(message | more)
        for stream in [stream for transport in self._transports for stream in transport.streams]:
            if self.events_take_s:
                asyncio.get_running_loop().call_later(self.events_take_s, stream.put, text)
            else:
                stream.put(text)
        self._changed.set()

    # Inside

    def _now(self) -> str:
        return datetime.fromtimestamp(time.time() + self.clock_ahead_s, UTC).isoformat(
            timespec="milliseconds"
        )

    def _do(self, work: Awaitable[None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        assert isinstance(task, asyncio.Task)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _add(self, channel: Channel, person: _Person) -> None:
        self.channels[channel.id] = channel
        self._do(person.take_part(self, channel))

    def _enter(self, channel: Channel, args: list[str]) -> None:
        channel.is_in_app = True
        self.tell("StasisStart", channel, args=args)

    def _leave(self, channel: Channel) -> None:
        if channel.is_in_app:
            channel.is_in_app = False
            self.tell("StasisEnd", channel)

    async def _play(self, playback: Playback, after: list[Playback]) -> None:
        for one in after:
            await one.over.wait()
        for sound in playback.sounds:
            playback.channel.heard.append(sound)
            await asyncio.sleep(self.sounds_s.get(sound, SOUND_S))
        self._finish(playback, "done")

    def _finish(self, playback: Playback, state: str) -> None:
        if playback.over.is_set():
            return
        playback.over.set()
        del self.playbacks[playback.id]
        if playback.task is not None and playback.task is not asyncio.current_task():
            playback.task.cancel()
        self.tell("PlaybackFinished", playback={"id": playback.id, "state": state})

    async def _ring(self, phone: Phone, channel: Channel, timeout_s: float) -> None:
        await asyncio.sleep(phone.rings_after_s)
        if channel.cause is None and channel.state == "Down":
            if phone.has_early_media:
                self.dialled(channel, "PROGRESS")
            else:
                self.change_state(channel, "Ringing")
        await asyncio.sleep(timeout_s)
        if channel.state != "Up":
            self.end(channel, NO_ANSWER)

    # Requests

    async def carry_out(self, request: Request) -> tuple[int, object]:
        """Carries out a request; returns the status and the body of the answer."""
        for method, pattern, handle in _ROUTES:
            found = re.fullmatch(pattern, request.uri)
            if method == request.method and found:
                try:
                    body = handle(self, *found.groups(), dict(request.query or {}))
                    body = await body if isinstance(body, Awaitable) else body
                except Refused as refusal:
                    return refusal.status, {"message": str(refusal)}
                finally:
                    self._changed.set()
                return (204, None) if body is None else (200, body)
        raise AssertionError(f"this Asterisk knows nothing of {request}")

    def _channel(self, channel_id: str) -> Channel:
        if channel_id not in self.channels:
            raise Refused(404, "Channel not found")
        return self.channels[channel_id]

    def _ours(self, channel_id: str) -> Channel:
        channel = self._channel(channel_id)
        if not channel.is_in_app:
            raise Refused(409, "Channel not in Stasis application")
        return channel

    def _members(self, bridge_id: str) -> set[str]:
        if bridge_id not in self.bridges:
            raise Refused(404, "Bridge not found")
        return self.bridges[bridge_id]

    def info(self, query: dict[str, str]) -> object:
        return {"system": {"version": "22.10.1"}, "status": {"startup_time": self._started}}

    def filter_events(self, query: dict[str, str]) -> None:
        return None

    def application(self, query: dict[str, str]) -> object:
        channels = self.channels.values()
        ours = [one.id for one in channels if one.is_in_app or one.is_subscribed or not one.app_data]
        return {"name": "callrace", "channel_ids": ours, "bridge_ids": list(self.bridges)}

    def subscribe(self, query: dict[str, str]) -> object:
        self._channel(query["eventSource"].removeprefix("channel:")).is_subscribed = True
        return self.application(query)

    def unsubscribe(self, query: dict[str, str]) -> object:
        self._channel(query["eventSource"].removeprefix("channel:")).is_subscribed = False
        return self.application(query)

    def list_channels(self, query: dict[str, str]) -> object:
        return [channel.told() for channel in self.channels.values()]

    def list_bridges(self, query: dict[str, str]) -> object:
        return [{"id": name, "channels": sorted(members)} for name, members in self.bridges.items()]

    def originate(self, channel_id: str, query: dict[str, str]) -> object:
        if channel_id in self.channels:
            raise Refused(409, "Channel with given unique ID already exists")
        phone = self.phones.get(query["endpoint"])
        if phone is None or not phone.is_known:
            raise Refused(500, "Allocation failed")
        if query.get("originator", "") not in self.channels:
            raise Refused(400, "The originator is gone")
        channel = Channel(channel_id, query["endpoint"], "Down", query.get("callerId", ""))
        self._add(channel, phone)
        self._do(self._ring(phone, channel, float(query["timeout"])))
        return channel.told()

    def answer(self, channel_id: str, query: dict[str, str]) -> None:
        self._ours(channel_id).change_state("Up")

    def rtp_statistics(self, channel_id: str, query: dict[str, str]) -> object:
        if self._channel(channel_id).up_at is None:
            raise Refused(404, "RTP info not found")
        return self._channel(channel_id).rtp_statistics()

    def hang_up(self, channel_id: str, query: dict[str, str]) -> None:
        code = query.get("reason_code")
        cause = int(code) if code is not None else _REASONS[query.get("reason", "normal")]
        self.end(self._channel(channel_id), cause)

    def play(self, channel_id: str, playback_id: str, query: dict[str, str]) -> object:
        channel = self._ours(channel_id)
        playing = [one for one in self.playbacks.values() if one.channel is channel]
        playback = self.playbacks[playback_id] = Playback(playback_id, channel, query["media"].split(","))
        playback.task = self._do(self._play(playback, playing))
        return {"id": playback_id, "state": "queued"}

    def stop_playing(self, playback_id: str, query: dict[str, str]) -> None:
        if playback_id not in self.playbacks:
            raise Refused(404, "Playback not found")
        finish = self.playbacks[playback_id]
        asyncio.get_running_loop().call_later(STOPPING_S, self._finish, finish, "done")

    def start(self, channel_id: str, what: str, query: dict[str, str]) -> None:
        self._ours(channel_id).hears = what

    def stop(self, channel_id: str, what: str, query: dict[str, str]) -> None:
        channel = self._ours(channel_id)
        channel.hears = None if channel.hears == what else channel.hears

    def go_on(self, channel_id: str, query: dict[str, str]) -> None:
        channel = self._ours(channel_id)
        goes_on = self.contexts.get(query.get("context", ""))
        if goes_on is not None:
            self._leave(channel)
            self._do(goes_on(channel))
            return
        channel.continued_at = query.get("label", "")
        del self.channels[channel_id]
        self._leave(channel)

    def set_variable(self, channel_id: str, query: dict[str, str]) -> None:
        """The only variable known is TIMEOUT(absolute), which ends a channel after so many seconds; 0: never."""
        channel = self._channel(channel_id)
        if query["variable"] == "TIMEOUT(absolute)":
            if channel.timeout is not None:
                channel.timeout.cancel()
            after_s = float(query["value"])
            loop = asyncio.get_running_loop()
            channel.timeout = loop.call_later(after_s, self.end, channel, NORMAL) if after_s else None

    def variable(self, channel_id: str, query: dict[str, str]) -> object:
        """The only variable that can be read is the address to which a channel's audio goes."""
        goes_to = self._channel(channel_id).audio_goes_to
        if query["variable"] != "CHANNEL(rtp,dest)" or goes_to is None:
            raise Refused(500, "Unable to read provided function")
        return {"value": goes_to}

    def create_bridge(self, bridge_id: str, query: dict[str, str]) -> object:
        if bridge_id in self.bridges:
            raise Refused(409, f"Bridge with id '{bridge_id}' already exists")
        self.bridges[bridge_id] = set()
        return {"id": bridge_id}

    async def put_in(self, bridge_id: str, query: dict[str, str]) -> None:
        """Adds channels to a bridge; a channel that hears a sound is added when the sound is over."""
        members, ids = self._members(bridge_id), query["channel"].split(",")
        for channel_id in ids:
            if channel_id not in self.channels:
                raise Refused(400, "Channel not found")
            if not self.channels[channel_id].is_in_app:
                raise Refused(422, "Channel not in Stasis application")
        for playback in [one for one in self.playbacks.values() if one.channel.id in ids]:
            await playback.over.wait()
        members.update(one for one in ids if one in self.channels)

    def take_out(self, bridge_id: str, query: dict[str, str]) -> None:
        members, ids = self._members(bridge_id), query["channel"].split(",")
        if not members.issuperset(ids):
            raise Refused(422, "Channel not in this bridge")
        members.difference_update(ids)

    def destroy_bridge(self, bridge_id: str, query: dict[str, str]) -> None:
        self._members(bridge_id)
        del self.bridges[bridge_id]


_ROUTES: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("GET", "asterisk/info", Asterisk.info),
    ("PUT", "applications/[^/]+/eventFilter", Asterisk.filter_events),
    ("GET", "applications/[^/]+", Asterisk.application),
    ("POST", "applications/[^/]+/subscription", Asterisk.subscribe),
    ("DELETE", "applications/[^/]+/subscription", Asterisk.unsubscribe),
    ("GET", "channels", Asterisk.list_channels),
    ("GET", "bridges", Asterisk.list_bridges),
    ("POST", "channels/([^/]+)", Asterisk.originate),
    ("DELETE", "channels/([^/]+)", Asterisk.hang_up),
    ("GET", "channels/([^/]+)/rtp_statistics", Asterisk.rtp_statistics),
    ("POST", "channels/([^/]+)/answer", Asterisk.answer),
    ("POST", "channels/([^/]+)/play/([^/]+)", Asterisk.play),
    ("DELETE", "playbacks/([^/]+)", Asterisk.stop_playing),
    ("POST", "channels/([^/]+)/(ring|moh)", Asterisk.start),
    ("DELETE", "channels/([^/]+)/(ring|moh)", Asterisk.stop),
    ("POST", "channels/([^/]+)/variable", Asterisk.set_variable),
    ("GET", "channels/([^/]+)/variable", Asterisk.variable),
    ("POST", "channels/([^/]+)/continue", Asterisk.go_on),
    ("POST", "bridges/([^/]+)", Asterisk.create_bridge),
    ("DELETE", "bridges/([^/]+)", Asterisk.destroy_bridge),
    ("POST", "bridges/([^/]+)/addChannel", Asterisk.put_in),
    ("POST", "bridges/([^/]+)/removeChannel", Asterisk.take_out),
)
