"""One call as its coroutine sees it: the channel, the events, the record it is filling in."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ari_app.ari.client import Client
from ari_app.ari.errors import AriError, AriReplaced, NotFound
from ari_app.ari.events import (
    ChannelDestroyed,
    Disconnected,
    Event,
    PlaybackFinished,
    Reconnected,
    Replaced,
    StasisEnd,
    StasisStart,
    now_ms,
)
from ari_app.ari.inbox import Inbox
from ari_app.domain.calls.record import CallRecord, EndSource, TimelineEvent
from ari_app.domain.calls.rtp import RtpStatistics
from ari_app.domain.calls.stage import Stage
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.ivr.prompts import media
from ari_app.domain.routing.recovery import UnderWay, winning_leg
from ari_app.serving.clock import CallClock
from ari_app.serving.ids import numbered
from ari_app.store.calls.journal import Journal
from ari_app.switch import rtp
from ari_app.switch.survey import Survey, Surveyed

log = logging.getLogger(__name__)

# Of a prompt that somebody recorded, none is longer; it bounds the wait for its end.
PLAYBACK_LIMIT_MS = 300_000
ABSOLUTE_TIMEOUT = "TIMEOUT(absolute)"  # the dialplan function: seconds from now; 0 for none
NO_CAUSE = 0  # the Q.850 cause is not known
# How much later than the switch Asterisk ends a conversation that is too long: only if no switch is there.
BACKSTOP_MS = 3_000
# A request may find the caller's channel gone before its own event of that is read.
GONE_MS = 1_000


class CallerGone(Exception):
    """The caller's channel is gone. Raised wherever the call's coroutine was waiting.

    `by` says who ended it, `why` how the timeline tells it.
    """

    def __init__(self, by: EndSource = "caller", why: EventName = EventName.CALLER_HUNG_UP) -> None:
        super().__init__(why)
        self.by = by
        self.why = why


@dataclass(frozen=True, slots=True)
class FoundUp:
    """A leg is up, after a break in which it may have answered. Put into the call's inbox."""

    channel_id: str


class Call:
    """The caller's channel, its inbox of events, its clock and its record."""

    def __init__(self, client: Client, journal: Journal, under_way: UnderWay) -> None:
        self.client = client
        self.inbox: Inbox = client.inbox()
        self.under_way = under_way
        self.clock = CallClock(under_way.timeline)
        under_way.timeline = self.clock.timeline
        self.gone: CallerGone | None = None  # how the caller's channel ended; None: it is there
        self.cut_at: int | None = None  # when the call, or its conversation, ended; None: it has not
        # Known to be there until it is told, or seen, that they are not; and since when (s, monotonic).
        self._channels = {self.channel_id: time.monotonic()}
        self._lost_sight_at: int | None = None  # since when nobody can tell what has ended
        self._journal = journal
        self._minted = 0
        self._tasks: set[asyncio.Task[None]] = set()
        client.watch(self.inbox, self.channel_id)

    @property
    def channel_id(self) -> str:
        """The caller's channel."""
        return self.under_way.caller

    @property
    def record(self) -> CallRecord:
        """What is written down of the call, as far as it has come."""
        return self.under_way.record

    @property
    def name(self) -> str:
        """What the ids of this call's objects in Asterisk begin with."""
        return self.under_way.name

    @property
    def stage(self) -> Stage:
        """Where the call is in its life."""
        return self.under_way.stage

    def enter(self, stage: Stage) -> None:
        """The call is in this stage from now on; `keep` writes it down."""
        self.under_way.stage = stage

    def keep(self) -> None:
        """Writes the call down as it stands, for the switch after this one, should this one die."""
        self._journal.keep(self.under_way)

    def now(self) -> int:
        """Milliseconds since the epoch, on this call's clock."""
        return self.clock.now()

    def note(self, what: EventName, detail: str = "", at: int | None = None) -> None:
        """Adds a line to the call's timeline."""
        self.record.events.append(TimelineEvent(self.now() if at is None else at, what, detail))

    async def event(self, until: int | None = None) -> Any:
        """The call's next event, or None when `until` (ms) comes first. Raises CallerGone."""
        timeout_s = None if until is None else max(until - self.now(), 0) / 1000
        event = await self.inbox.get(timeout_s)
        if isinstance(event, ChannelDestroyed):
            self.is_gone(event.channel_id)
        if isinstance(event, ChannelDestroyed | StasisEnd):
            self._carried(event.channel_id, rtp.of_variable(event.rtp))
        match event:
            case StasisEnd(channel_id=self.channel_id) if self.under_way.is_lent:
                pass  # it was sent away
            case StasisStart(channel_id=self.channel_id):
                self._is_back()
            case StasisEnd(channel_id=gone) | ChannelDestroyed(channel_id=gone) if (
                gone == self.channel_id and self.gone is None
            ):
                self.is_gone(self.channel_id)
                self.cut_at = self.happened(event) if self.cut_at is None else self.cut_at
                self.gone = CallerGone()
                raise self.gone
            case Replaced():
                raise AriReplaced(
                    "another switch has taken the application over; this call is its affair now"
                )
            case Disconnected() if self._lost_sight_at is None:
                self._lost_sight_at = self.happened(event)
            case Reconnected(restarted=True):
                self._all_gone(event)
            case Surveyed(found):
                self._find_the_gone(found)
        return event

    def is_up(self, channel_id: str) -> None:
        """A channel of the call is there from now on."""
        self._channels[channel_id] = time.monotonic()

    def is_gone(self, channel_id: str) -> None:
        """A channel of the call is not there any more."""
        self._channels.pop(channel_id, None)

    async def read_rtp(self, channel_id: str) -> None:
        """Asks what a party's line has carried: before we hang up on somebody whose end is not waited for."""
        with suppress(NotFound):
            self._carried(channel_id, rtp.of_answer(await self.client.channels.rtp_statistics(channel_id)))

    async def hang_up(self, cause: int | None = None) -> None:
        """Hangs the caller up, for a Q.850 cause; asked in front of it is what the line of one who talked carried.

        Neither waits for the other. Raises AriError.
        """
        is_asked = self.gone is None and self.record.connected_at is not None
        asked = [self.post(self.read_rtp(self.channel_id))] if is_asked else []
        await asyncio.gather(*asked, self.client.channels.hangup(self.channel_id, reason_code=cause))

    def _carried(self, channel_id: str, statistics: RtpStatistics | None) -> None:
        """Writes down what the line of somebody who talks, or has talked, carried."""
        if statistics is None or self.record.connected_at is None:
            return
        if channel_id == self.channel_id:
            self.record.rtp = statistics
        elif channel_id == self.under_way.agent and (leg := winning_leg(self.record)) is not None:
            leg.rtp = statistics

    async def see_caller_out(self) -> None:
        """After a request that found a channel gone: raises CallerGone if it was the caller's."""
        until = self.now() + GONE_MS
        while await self.event(until) is not None:
            continue

    def _find_the_gone(self, found: Survey) -> None:
        """No event is told twice: after a break, channels that are no longer there have ended, others answered.

        When, nobody saw: nobody is to pay for longer than it is known that they talked. Channels that came since the
        survey was asked for are none of its business.
        """
        if self._lost_sight_at is None:
            return
        lost_sight_at, self._lost_sight_at = self._lost_sight_at, None
        self.note(EventName.ASTERISK_IS_BACK)
        known = {name for name, since in self._channels.items() if since < found.asked_at}
        gone = known - found.states.keys()
        if gone & {self.channel_id, self.under_way.agent}:
            self.cut_at = lost_sight_at
        if found.is_in_stasis(self.channel_id):
            self._is_back()
        # The caller first: for one who is gone nobody is rung again.
        for channel_id in sorted(gone, key=lambda name: name != self.channel_id):
            self.inbox.put(ChannelDestroyed(now_ms(), channel_id, None, "gone while disconnected"))
        for channel_id in known - gone - {self.channel_id}:
            if found.states[channel_id] == "Up":
                self.inbox.put(FoundUp(channel_id))

    def _all_gone(self, event: Event) -> None:
        """Asterisk died with all its channels, when we last saw it; that is when the call ended."""
        self.cut_at, self._lost_sight_at = self._lost_sight_at, None
        for channel_id in self._channels.keys() - {self.channel_id}:
            self.inbox.put(ChannelDestroyed(event.at_ms, channel_id, NO_CAUSE, "Asterisk restarted"))
        if self.gone is None:
            self.gone = CallerGone("system", EventName.ASTERISK_RESTARTED)
            raise self.gone

    def happened(self, event: Event) -> int:
        """When an event happened, ms on this call's clock: a broken connection, or a busy machine, tells it late.

        Not before what the timeline tells already.
        """
        return max(self.now() - max(now_ms() - event.at_ms, 0), self.record.events[-1].at)

    def end(self) -> int:
        """The time to write down for what ends now, ms: earlier, where it is known to have ended before."""
        return self.now() if self.cut_at is None else self.cut_at

    def end_by_itself(self, after_ms: int | None) -> None:
        """Has Asterisk end the caller's channel after this time, should no switch be there to do it; None: no more.

        See CHANNEL's `TIMEOUT(absolute)`: it holds in Stasis and in a bridge, native ones too.
        """
        seconds = 0 if after_ms is None else (after_ms + BACKSTOP_MS) / 1000
        channels = self.client.channels
        self.post(channels.set_channel_var(self.channel_id, ABSOLUTE_TIMEOUT, f"{seconds:.3f}"))

    # Lending

    async def lend(self) -> None:
        """From now on the caller's channel may be out of Stasis: whoever has it hands it back by Stasis().

        To be called before it is sent away. What becomes of it meanwhile is told all the same. Raises AriError.
        """
        await self.client.applications.subscribe(self.channel_id)
        self.under_way.is_lent = True
        self.keep()

    async def back(self, until: int | None = None) -> StasisStart | None:
        """How the channel came back to us; None where it has not by `until` (ms), or came while nobody looked.

        Raises CallerGone.
        """
        while self.under_way.is_lent:
            event = await self.event(until)
            if event is None:
                return None
            if isinstance(event, StasisStart) and event.channel_id == self.channel_id:
                return event
        return None

    async def reclaim(self, found: Survey) -> bool:
        """Where a switch before this one lent the channel, waits until it is back; whether it was away.

        Raises CallerGone.
        """
        if not self.under_way.is_lent or self.channel_id not in found.states:
            return False
        if found.is_in_stasis(self.channel_id):
            self._is_back()
            return False
        await self.client.applications.subscribe(self.channel_id)
        await self.back()
        return True

    def _is_back(self) -> None:
        if self.under_way.is_lent:
            self.under_way.is_lent = False
            self.keep()
            self.post(self.client.applications.unsubscribe(self.channel_id))

    # Requests that need not be waited for keep their order (one lane a call) and have an owner here.

    def post(self, request: Coroutine[Any, Any, Any]) -> asyncio.Task[None]:
        """Sends a request without waiting for its answer; an error is noted in the timeline."""
        task = asyncio.create_task(self._carry_out(request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _carry_out(self, request: Coroutine[Any, Any, Any]) -> None:
        try:
            await request
        except AriError as error:
            self.note(EventName.REQUEST_FAILED, str(error))

    async def requests_done(self) -> None:
        """Waits until every posted request is answered; each has a time-out of its own."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    # Prompts

    def mint(self, kind: str) -> str:
        """A new id for an object of this call. Made before the request that uses it."""
        self._minted += 1
        return numbered(self.name, kind, self._minted)

    async def start_playing(self, channel_id: str, prompt: str) -> str:
        """Starts a prompt on a channel of this call; the playback's id."""
        playback_id = self.mint("play")
        await self.play_as(playback_id, channel_id, prompt)
        return playback_id

    async def play_as(self, playback_id: str, channel_id: str, *prompts: str) -> None:
        """Starts prompts, one after the other, as one playback whose id is minted already."""
        await self.client.channels.play(self.inbox, playback_id, channel_id, [media(p) for p in prompts])

    async def play(self, prompt: str, until: int | None = None) -> bool:
        """Plays a prompt to the caller, to its end; whether it is known to have been heard. Raises CallerGone.

        It is stopped at `until` (ms), should that come first.
        """
        playback_id = await self.start_playing(self.channel_id, prompt)
        latest = self.now() + PLAYBACK_LIMIT_MS
        until = latest if until is None else min(until, latest)
        while event := await self.event(until):
            if is_end_of(playback_id, event):
                return isinstance(event, PlaybackFinished) and not event.failed
        await self.client.playbacks.stop(playback_id)
        return False

    async def play_last(self, prompt: str) -> None:
        """Plays the prompt that ends the call. Raises CallerGone: who hangs up breaks it off, which is told first."""
        if not await self.play(prompt):
            await self.see_caller_out()


def is_end_of(playback_id: str, event: object) -> bool:
    """Whether the event ends a playback. A look at Asterisk after a break does: its own end may have been missed."""
    match event:
        case PlaybackFinished(playback_id=finished):
            return finished == playback_id
        case Surveyed():
            return True
    return False
