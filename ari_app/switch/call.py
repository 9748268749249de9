"""One call as its coroutine sees it: the caller's channel, the events, and the record that it fills in."""

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
from ari_app.serving.ids import bridge_id, numbered
from ari_app.store.calls.journal import Journal
from ari_app.switch import rtp
from ari_app.switch.survey import Survey, Surveyed

log = logging.getLogger(__name__)

# No recorded prompt is longer than this; it limits the wait for the end of a prompt.
PLAYBACK_LIMIT_MS = 300_000
ABSOLUTE_TIMEOUT = "TIMEOUT(absolute)"  # the dialplan function: seconds from now; 0 for none
NO_CAUSE = 0  # the Q.850 cause is not known
# Asterisk ends a conversation that is too long this much later than a switch would: only if no switch is there.
BACKSTOP_MS = 3_000
# A request may find that the caller's channel is gone before the channel's own event is read.
GONE_MS = 1_000


class CallerGone(Exception):
    """The caller's channel is gone. Raised wherever the call's coroutine was waiting.

    `by` says who ended it, `why` is the text for the timeline; None: it is there already. `ended`: how its channel
    ended, if Asterisk has told that.
    """

    def __init__(
        self,
        by: EndSource = "caller",
        why: EventName | None = EventName.CALLER_HUNG_UP,
        ended: ChannelDestroyed | None = None,
    ) -> None:
        super().__init__(why)
        self.by = by
        self.why = why
        self.ended = ended


@dataclass(frozen=True, slots=True)
class FoundUp:
    """A leg was found answered after a break of the connection. Put into the call's inbox."""

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
        # Channels believed alive, and since when (s, monotonic); an event or a survey removes them.
        self._channels = {self.channel_id: time.monotonic()}
        self._lost_sight_at: int | None = None  # since when ends of channels may have been missed
        self._journal = journal
        self._minted = 0
        self._is_followed = False  # Asterisk tells how the caller's channel ends, after it has left Stasis
        self._tasks: set[asyncio.Task[None]] = set()
        client.watch(self.inbox, self.channel_id)

    @property
    def channel_id(self) -> str:
        """The caller's channel."""
        return self.under_way.caller

    @property
    def record(self) -> CallRecord:
        """The call's record, as far as it is filled in."""
        return self.under_way.record

    @property
    def name(self) -> str:
        """The name with which the ids of this call's objects in Asterisk begin."""
        return self.under_way.name

    @property
    def stage(self) -> Stage:
        """The call's present stage."""
        return self.under_way.stage

    def enter(self, stage: Stage) -> None:
        """Sets the call's stage; `keep` saves it."""
        self.under_way.stage = stage

    def keep(self) -> None:
        """Writes the call as it is now into the journal, for the next switch if this one dies."""
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
        if isinstance(event, ChannelDestroyed | StasisEnd) and self._has_talked(event.channel_id):
            self._carried(event.channel_id, rtp.of_variable(event.rtp))
        match event:
            case StasisEnd(channel_id=self.channel_id) if self.under_way.is_lent or self._is_followed:
                pass  # the channel was lent, or its end is told by ChannelDestroyed
            case StasisStart(replaces=str() as party):
                self._put_back(party, event.channel_id)
            case StasisStart(channel_id=self.channel_id):
                self._is_back()
            case StasisEnd(channel_id=gone) | ChannelDestroyed(channel_id=gone) if (
                gone == self.channel_id and self.gone is None
            ):
                self.is_gone(self.channel_id)
                self.cut_at = self.happened(event) if self.cut_at is None else self.cut_at
                self.gone = CallerGone(ended=event if isinstance(event, ChannelDestroyed) else None)
                raise self.gone
            case Replaced():
                raise AriReplaced(
                    "another switch has taken the application over; this call is its affair now"
                )
            case Disconnected():
                self._is_followed = False
                if self._lost_sight_at is None:
                    self._lost_sight_at = self.happened(event)
            case Reconnected(restarted=True):
                self._all_gone(event)
            case Surveyed(found):
                self._find_the_gone(found)
        return event

    @property
    def has_lost_sight(self) -> bool:
        """Whether ends of channels may have been missed: the connection broke, and no survey has come since."""
        return self._lost_sight_at is not None

    def is_up(self, channel_id: str) -> None:
        """From now on a channel of the call is believed alive."""
        self._channels[channel_id] = time.monotonic()

    def is_gone(self, channel_id: str) -> None:
        """A channel of the call is gone."""
        self._channels.pop(channel_id, None)

    async def follow(self) -> None:
        """From now on Asterisk tells how the caller's channel ends. Raises AriError."""
        if not self._is_followed:
            await self.client.applications.subscribe(self.channel_id)
            self._is_followed = True

    def _put_back(self, party: str, intruder: str) -> None:
        """Hangs up whoever took a party's place in the conversation, and puts the party there again.

        Who knows a dialog's tags can do so by an INVITE with Replaces, which never comes to the dialplan. The party
        would sit in silence, and be counted as one who talks.
        """
        self.note(EventName.INTRUDER, intruder)
        self.post(self.client.channels.hangup(intruder))
        self.post(self.client.bridges.add_channel(bridge_id(self.name), [party]))

    async def read_rtp(self, channel_id: str) -> None:
        """Asks for a party's RTP statistics, before a hangup after which the channel's end is not awaited."""
        with suppress(NotFound):
            self._carried(channel_id, rtp.of_answer(await self.client.channels.rtp_statistics(channel_id)))

    async def hang_up(self, cause: int | None = None) -> None:
        """Hangs up the caller with a Q.850 cause; before that, asks for the RTP statistics if there was a conversation.

        Neither request waits for the other. Raises AriError.
        """
        is_asked = self.gone is None and self.record.connected_at is not None
        asked = [self.post(self.read_rtp(self.channel_id))] if is_asked else []
        await asyncio.gather(*asked, self.client.channels.hangup(self.channel_id, reason_code=cause))

    def _has_talked(self, channel_id: str) -> bool:
        """Whether this is the channel of a party that talks, or has talked."""
        return self.record.connected_at is not None and channel_id in self.under_way.parties.values()

    def _carried(self, channel_id: str, statistics: RtpStatistics | None) -> None:
        """Saves the RTP statistics of a party that talks, or has talked."""
        if statistics is None or not self._has_talked(channel_id):
            return
        if channel_id == self.channel_id:
            self.record.rtp = statistics
        elif channel_id == self.under_way.transferee:
            self.record.transfers[-1].rtp = statistics
        elif (leg := winning_leg(self.record)) is not None:
            leg.rtp = statistics

    async def raise_if_caller_gone(self) -> None:
        """Call it after a request that found a channel gone: raises CallerGone if it was the caller's."""
        until = self.now() + GONE_MS
        while await self.event(until) is not None:
            continue

    def _find_the_gone(self, found: Survey) -> None:
        """After a break, finds in a survey the channels that have ended and those that have answered.

        Asterisk sends no event twice, so the true time of an end is unknown: the last known time counts, so that nobody
        pays for more. Channels that were made after the survey was asked for are left out.
        """
        if self._lost_sight_at is None:
            return
        lost_sight_at, self._lost_sight_at = self._lost_sight_at, None
        self.note(EventName.ASTERISK_IS_BACK)
        known = {name for name, since in self._channels.items() if since < found.asked_at}
        gone = known - found.states.keys()
        partners = self.under_way.partners
        if self.channel_id in gone or (partners and partners <= gone):
            self.cut_at = lost_sight_at
        if found.is_in_stasis(self.channel_id):
            self._is_back()
        # The caller first: if the caller is gone, nobody is rung again.
        for channel_id in sorted(gone, key=lambda name: name != self.channel_id):
            self.inbox.put(ChannelDestroyed(now_ms(), channel_id, None, "gone while disconnected"))
        for channel_id in known - gone - {self.channel_id}:
            if found.states[channel_id] == "Up":
                self.inbox.put(FoundUp(channel_id))

    def _all_gone(self, event: Event) -> None:
        """Asterisk has died, and all channels with it. The call ended when Asterisk was last heard."""
        self.cut_at, self._lost_sight_at = self._lost_sight_at, None
        for channel_id in self._channels.keys() - {self.channel_id}:
            self.inbox.put(ChannelDestroyed(event.at_ms, channel_id, NO_CAUSE, "Asterisk restarted"))
        if self.gone is None:
            self.gone = CallerGone("system", EventName.ASTERISK_RESTARTED)
            raise self.gone

    def happened(self, event: Event) -> int:
        """When an event happened, ms on this call's clock. A broken connection or a busy machine delivers it late.

        The result is never earlier than the last line of the timeline.
        """
        return max(self.now() - max(now_ms() - event.at_ms, 0), self.record.events[-1].at)

    def end(self) -> int:
        """When the call ended (ms): `cut_at` if we learnt late; while sight is lost, when it was lost; else now."""
        if self.cut_at is not None:
            return self.cut_at
        return self.now() if self._lost_sight_at is None else self._lost_sight_at

    def end_by_itself(self, after_ms: int | None) -> None:
        """Makes Asterisk end the caller's channel after this time, in case no switch does it; None: removes this limit.

        It uses the dialplan function `TIMEOUT(absolute)`, which also works in Stasis and in bridges, even native ones.
        """
        seconds = 0 if after_ms is None else (after_ms + BACKSTOP_MS) / 1000
        channels = self.client.channels
        self.post(channels.set_channel_var(self.channel_id, ABSOLUTE_TIMEOUT, f"{seconds:.3f}"))

    # Lending

    async def lend(self) -> None:
        """From now on the caller's channel may be out of Stasis; its user gives it back by Stasis().

        Call it before the channel is sent away. The channel's events still come meanwhile. Raises AriError.
        """
        await self.client.applications.subscribe(self.channel_id)
        self.under_way.is_lent = True
        self.keep()

    async def back(self, until: int | None = None) -> StasisStart | None:
        """The event by which the channel came back; None if it is not back by `until` (ms), or came back unseen.

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
        """If an earlier switch lent the channel, waits until it is back; returns whether it was away.

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
            self.under_way.is_lent = self._is_followed = False
            self.keep()
            self.post(self.client.applications.unsubscribe(self.channel_id))

    # Requests that are sent without waiting keep their order (one lane a call); their tasks are owned here.

    def post(self, request: Coroutine[Any, Any, Any]) -> asyncio.Task[None]:
        """Sends a request without waiting for its answer; an error is written into the timeline."""
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
        """Waits until every posted request is answered; each has its own time-out."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    # Prompts

    def mint(self, kind: str) -> str:
        """A new id for an object of this call. It is made before the request that uses it."""
        self._minted += 1
        return numbered(self.name, kind, self._minted)

    async def start_playing(self, channel_id: str, prompt: str) -> str:
        """Starts a prompt on a channel of this call; returns the playback's id."""
        playback_id = self.mint("play")
        await self.play_as(playback_id, channel_id, prompt)
        return playback_id

    async def play_as(self, playback_id: str, channel_id: str, *prompts: str) -> None:
        """Starts prompts, one after the other, as one playback whose id was made before."""
        await self.client.channels.play(self.inbox, playback_id, channel_id, [media(p) for p in prompts])

    async def play(self, prompt: str, until: int | None = None) -> bool:
        """Plays a prompt to the caller, to its end; returns whether it was certainly heard. Raises CallerGone.

        It is stopped at `until` (ms), if that comes first.
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
        """Plays the last prompt of the call. Raises CallerGone when the caller hangs up during it."""
        if not await self.play(prompt):
            await self.raise_if_caller_gone()


def is_end_of(playback_id: str, event: object) -> bool:
    """Whether the event ends a playback. A survey after a break counts, as the playback's own end may be lost."""
    match event:
        case PlaybackFinished(playback_id=finished):
            return finished == playback_id
        case Surveyed():
            return True
    return False
