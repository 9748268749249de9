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
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from ari_app.ari.testing import requests
from ari_app.ari.testing.connection import Transport
from ari_app.ari.testing.phones import NO_ANSWER, Caller, Channel, Phone, Playback, _Person
from ari_app.ari.transport import Request

SOUND_S = 2.0
STOPPING_S = 0.02  # how long a playback that is stopped goes on: Asterisk looks at it once a frame


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
        self.asked: list[str] = []  # the channels whose devices were asked whether they are there
        self.clock_ahead_s = 0.0  # compared with this machine's clock
        self.events_take_s = 0.0  # delay from an event to its arrival
        self.started = self._now()
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

    def replaces(self, party: Channel) -> Channel:
        """An INVITE with Replaces (RFC 3891): its channel takes a party's place in its bridge, and is told of."""
        intruder = Channel("intruder", "PJSIP/carrier-0000ffff", "Up", "", is_in_app=True)
        self.channels[intruder.id] = intruder
        members = next(members for members in self.bridges.values() if party.id in members)
        members.remove(party.id)
        members.add(intruder.id)
        self.tell("StasisStart", intruder, args=[], replace_channel=party.told())
        return intruder

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
        self.started = self._now()
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

    def refer(self, channel: Channel, to: str, replaces: str | None = None) -> None:
        """A phone sends REFER; by an endpoint that may not transfer it is refused at once."""
        if "-transfer/" not in channel.name:
            channel.notified.append("603")
            return
        self.tell_transfer(channel, to, {} if replaces is None else {"protocol_id": replaces})

    def tell_transfer(self, channel: Channel, to: str, more: dict[str, str], **state: str) -> None:
        """Sends the event for a REFER, or for the `state` that its phone was told."""
        referred = {"source_channel": channel.told()}
        refer_to = {"requested_destination": {"destination": to, **more}}
        self.tell("ChannelTransfer", None, referred_by=referred, refer_to=refer_to, **state)

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

    # What Asterisk does

    async def carry_out(self, request: Request) -> tuple[int, object]:
        """Carries out a request; returns the status and the body of the answer."""
        try:
            return await requests.carry_out(self, request)
        finally:
            self._changed.set()

    def dial(self, channel: Channel, phone: Phone, timeout_s: float) -> None:
        """Calls a phone, for so long at most."""
        self._add(channel, phone)
        self._do(self._ring(phone, channel, timeout_s))

    def play(self, playback: Playback) -> None:
        """Plays sounds to a channel, after those that it hears already."""
        playing = [one for one in self.playbacks.values() if one.channel is playback.channel]
        self.playbacks[playback.id] = playback
        playback.task = self._do(self._play(playback, playing))

    def stop(self, playback: Playback) -> None:
        """Ends a playback, a frame later."""
        asyncio.get_running_loop().call_later(STOPPING_S, self._finish, playback, "done")

    def go_on(self, channel: Channel, context: str, label: str) -> None:
        """The channel goes on in the dialplan: as `contexts` says, else at the label, where nobody follows it."""
        goes_on = self.contexts.get(context)
        if goes_on is not None:
            self._leave(channel)
            self._do(goes_on(channel))
            return
        channel.continued_at = label
        del self.channels[channel.id]
        self._leave(channel)

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
