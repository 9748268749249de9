"""A call's conversations: `domain.routing.conversation` decides, this module acts and measures the time.

A call can have several conversations, when an agent vanished and the call was offered again. The longest one counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ari_app.ari.events import ChannelDestroyed
from ari_app.domain.calls.record import EndSource
from ari_app.domain.calls.stage import Role, Stage
from ari_app.domain.routing.conversation import (
    AllGone,
    Conversation,
    End,
    HangUpParty,
    Joined,
    Left,
    LimitReached,
    Lost,
    Stopped,
    TalkEvent,
)
from ari_app.domain.routing.recovery import winning_leg
from ari_app.serving.ids import bridge_id
from ari_app.switch.call import Call, CallerGone


@dataclass(frozen=True, slots=True)
class _Talked:
    """A conversation that has ended: its destination, its beginning and its end (ms)."""

    destination: str | None
    began_at: int
    ended_at: int

    def ms(self, end: int) -> int:
        """Its duration in a call that ended at `end`, which may be before the measured end of the conversation."""
        return max(min(self.ended_at, end) - self.began_at, 0)


class Talk:
    """The conversations of one call, from the first to the last."""

    def __init__(
        self, call: Call, max_duration_ms: int, hang_up: Callable[[Role], None] | None = None
    ) -> None:
        """`hang_up(role)` hangs up a party; by default the party's channel."""
        self._call = call
        self._conversation = Conversation(max_duration_ms)
        self._hang_up = hang_up or self._hang_up_channel
        self._talked: list[_Talked] = []

    @property
    def is_on(self) -> bool:
        """Whether a conversation is under way."""
        return self._conversation.is_on

    @property
    def ended_at(self) -> int | None:
        """When the last conversation ended, ms; None: there was none, or it is under way."""
        return self._conversation.ended_at

    @property
    def ended_by(self) -> EndSource | None:
        """Who ended the last conversation."""
        return self._conversation.ended_by

    def deadline(self) -> int | None:
        """When the conversation must end, ms; None: there is no conversation.

        Also None while nobody knows whether it still lasts: then it is ended when Asterisk is back, if it still lasts.
        Meanwhile a hangup would reach nobody, and the time until now would be charged to an advertiser whose caller may
        have left long ago."""
        return None if self._call.has_lost_sight else self._conversation.deadline()

    def begin(self, destination: str | None, at: int) -> None:
        """Agent and caller hear each other since `at`. `destination` is None when it is unknown."""
        record = self._call.record
        self._call.enter(Stage.TALKING)
        record.disposition, record.winner, record.connected_at = "connected", destination, at
        self._handle(Joined("agent"), at)

    async def event(self, until: int | None = None) -> Any:
        """The call's next event, after its effect on the conversation; None at `until` or at the conversation's limit.

        Raises CallerGone, also after its effect.
        """
        limit = self.deadline()
        if limit is not None and (until is None or limit < until):
            until = limit
        try:
            event = await self._call.event(until)
        except CallerGone as gone:
            self._handle(Left("caller") if gone.by == "caller" else AllGone(), self._call.end())
            raise
        if event is None:
            self._handle(LimitReached(), self._call.now())
        elif isinstance(event, ChannelDestroyed):
            self._channel_ended(event)
        return event

    def close(self) -> None:
        """Ends the conversation, if there is one."""
        self._handle(Stopped(), self._call.end())

    def write_down(self) -> None:
        """Writes the longest conversation into the call's record."""
        if not self._talked:
            return
        end, record = self._call.end(), self._call.record
        longest = max(self._talked, key=lambda one: one.ms(end))
        self._call.enter(Stage.TALKING)
        record.disposition = "connected"
        record.winner, record.connected_at = longest.destination, longest.began_at
        record.durations_ms.connected = longest.ms(end)

    def _channel_ended(self, event: ChannelDestroyed) -> None:
        for role, channel_id in self._call.under_way.parties.items():
            if channel_id == event.channel_id and role != "caller":
                gone = Lost(role) if event.cause is None else Left(role)
                self._handle(gone, min(self._call.happened(event), self._call.end()))
                return

    def _handle(self, event: TalkEvent, at: int) -> None:
        for command in self._conversation.handle(event, at):
            match command:
                case End():
                    self._add_talked()
                case HangUpParty(role):
                    self._hang_up(role)

    def _add_talked(self) -> None:
        began_at, ended_at = self._conversation.began_at, self._conversation.ended_at
        assert began_at is not None and ended_at is not None
        self._talked.append(_Talked(self._call.record.winner, began_at, ended_at))

    def _hang_up_channel(self, role: Role) -> None:
        channel_id = self._call.under_way.parties.get(role)
        if channel_id is not None:
            self._call.post(self._call.read_rtp(channel_id))
            self._call.post(self._call.client.channels.hangup(channel_id))


async def talk_on(call: Call, max_duration_ms: int) -> EndSource:
    """Watches a conversation resumed from an earlier switch until it ends; returns who ended it. Raises CallerGone.

    After that the agent is gone, or is being hung up, and the record has the duration.
    """
    record = call.record
    talk = Talk(call, max_duration_ms)
    talk.begin(record.winner, call.now() if record.connected_at is None else record.connected_at)
    call.end_by_itself(max((talk.deadline() or 0) - call.now(), 0))
    call.keep()
    try:
        while talk.is_on:
            await talk.event()
        return talk.ended_by or "system"
    finally:
        talk.close()
        if talk.ended_by == "agent" and call.cut_at is None:
            call.cut_at = talk.ended_at
        talk.write_down()
        leg = winning_leg(record)
        if leg is not None:
            leg.ended_at = call.end()
        call.post(call.client.bridges.destroy(bridge_id(call.name)))
