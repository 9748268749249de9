"""A call's conversations: `domain.routing.conversation` decides, this module acts and measures the time.

A call can have several conversations, when an agent vanished and the call was offered again. The longest one counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ari_app.ari.events import ChannelDestroyed, ChannelHold, ChannelUnhold
from ari_app.domain.calls.record import EndSource, LineRecord
from ari_app.domain.calls.stage import Role, Stage
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.routing.conversation import (
    AllGone,
    Conversation,
    End,
    GiveBack,
    HangUpParty,
    Joined,
    Left,
    LimitReached,
    Lost,
    Release,
    Ringback,
    Rung,
    Stopped,
    TalkEvent,
)
from ari_app.domain.routing.recovery import winning_leg
from ari_app.domain.routing.transfers import is_with_transferee, pending
from ari_app.domain.terms.qualification import seconds
from ari_app.serving.ids import bridge_id
from ari_app.switch.call import Call, CallerGone
from ari_app.switch.lifesigns import Vigil
from ari_app.switch.places import Places
from ari_app.switch.transfers import Transfers


@dataclass(frozen=True, slots=True)
class _Talked:
    """A conversation that has ended: its destination, its beginning and its end (ms).

    `handed_over_at`: when the agent's part of it ended, as the agent transferred the caller; None: it was not. `lines`:
    what the parties' lines were like."""

    destination: str | None
    began_at: int
    ended_at: int
    handed_over_at: int | None
    lines: Mapping[Role, LineRecord]

    def ms(self, end: int) -> int:
        """Its duration in a call that ended at `end`, which may be before the measured end of the conversation."""
        return max(min(self.ended_at, end) - self.began_at, 0)

    def first_ms(self, end: int) -> int | None:
        """The duration of the agent's part, or None."""
        if self.handed_over_at is None:
            return None
        return max(min(self.handed_over_at, self.ended_at, end) - self.began_at, 0)


class Talk:
    """The conversations of one call, from the first to the last."""

    def __init__(
        self,
        call: Call,
        places: Places | None,
        max_duration_ms: int,
        hang_up: Callable[[Role], None] | None = None,
    ) -> None:
        """`hang_up(role)` hangs up a party; by default the party's channel. No transfer is followed without
        `places`, which say how.
        """
        self._call = call
        self._conversation = Conversation(max_duration_ms)
        self._hang_up = hang_up or self._hang_up_channel
        release = partial(self._hang_up, "agent")
        self._transfers = Transfers(call, places, self._handle, self.deadline, release)
        self._vigil = Vigil(call)
        self._lines: dict[Role, LineRecord] = {}  # of those who have left the present conversation
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

    @property
    def agent_died_at(self) -> int | None:
        """The last sign of life of the last conversation's agent, whose line was found dead; None: it was not."""
        line = self._talked[-1].lines.get("agent") if self._talked else None
        return None if line is None else line.died_at

    def deadline(self) -> int | None:
        """When the conversation must end, ms; None: there is no conversation.

        Also None while nobody knows whether it still lasts: then it is ended when Asterisk is back, if it still lasts.
        Meanwhile a hangup would reach nobody, and the time until now would be charged to an advertiser whose caller may
        have left long ago."""
        return None if self._call.has_lost_sight else self._conversation.deadline()

    def begin(self, destination: str | None, at: int, alive_at: int | None = None) -> None:
        """Agent and caller hear each other since `at`. `destination` is None when it is unknown.

        `alive_at`: until when it is known that they did; None: until now.
        """
        record = self._call.record
        self._call.enter(Stage.TALKING)
        record.disposition, record.winner, record.connected_at = "connected", destination, at
        self._lines.clear()
        self._vigil.begin(alive_at)
        self._handle(Joined("agent"), at)

    def resume(self) -> None:
        """A conversation of an earlier switch goes on: whom the agent has transferred the caller to, or wants to."""
        call, record = self._call, self._call.record
        transfer, leg = pending(record), winning_leg(record)
        if is_with_transferee(record):
            transfer, channel_id = record.transfers[-1], call.under_way.transferee
            assert transfer.answered_at is not None and channel_id is not None
            self._handle(Rung(), transfer.asked_at)
            self._transfers.resume(transfer, channel_id)
            if leg is not None:
                leg.ended_at = transfer.answered_at if leg.ended_at is None else leg.ended_at
                if leg.ended_at < transfer.answered_at:
                    self._handle(Left("agent"), leg.ended_at)
            self._handle(Joined("transferee"), transfer.answered_at)
        elif transfer is not None and call.under_way.agent is None:
            self._handle(Rung(), transfer.asked_at)
            self._handle(Left("agent"), call.now() if leg is None or leg.ended_at is None else leg.ended_at)
            self._transfers.again(transfer)
        elif transfer is not None:
            self._transfers.give_up(transfer)

    async def event(self, until: int | None = None) -> Any:
        """The call's next event, after its effect on the conversation; None at `until` or at the conversation's limit.

        None also for what is about a transfer. Raises CallerGone, also after its effect.
        """
        while (event := await self._next(until)) is None and self._vigil.look():
            continue
        return event

    async def _next(self, until: int | None) -> Any:
        for at in (self.deadline(), self._transfers.deadline(), self._vigil.deadline()):
            if at is not None and (until is None or at < until):
                until = at
        try:
            event = await self._call.event(until)
        except CallerGone as gone:
            self._caller_gone(gone)
            raise
        match event:
            case None:
                self._transfers.time_up(self._call.now())
                self._handle(LimitReached(), self._call.now())
            case ChannelDestroyed():
                self._channel_ended(event)
            case ChannelHold() | ChannelUnhold() if self.is_on:
                self._held(event)
            case _ if self._transfers.takes(event):
                return None
        return event

    def close(self) -> None:
        """Ends the conversation, if there is one."""
        self._handle(Stopped(), self._call.end())
        self._transfers.close()

    def write_down(self) -> None:
        """Writes the longest conversation into the call's record."""
        if not self._talked:
            return
        end, record = self._call.end(), self._call.record
        longest = max(self._talked, key=lambda one: one.ms(end))
        self._call.enter(Stage.TALKING)
        record.disposition = "connected"
        record.winner, record.connected_at = longest.destination, longest.began_at
        record.durations_ms.connected, record.durations_ms.first = longest.ms(end), longest.first_ms(end)
        record.line, leg = longest.lines.get("caller"), winning_leg(record)
        if leg is not None and leg.destination == longest.destination:
            leg.line = longest.lines.get("agent")

    def _caller_gone(self, gone: CallerGone) -> None:
        if gone.by != "caller":
            self._handle(AllGone(), self._call.end())
            return
        died_at = self._leaves("caller", self._call.end(), gone.ended)
        if died_at is not None:
            gone.why, self._call.cut_at = None, died_at
        self._handle(Left("caller"), self._call.end())

    def _channel_ended(self, event: ChannelDestroyed) -> None:
        role = self._call.under_way.role_of(event.channel_id)
        if role is None or role == "caller":
            return
        at = min(self._call.happened(event), self._call.end())
        at = min(at, self._leaves(role, at, event) or at)
        if role == "transferee":
            self._transfers.gone(event, at)
            return
        self._handle(Lost(role) if event.cause is None else Left(role), at)
        if self.is_on:
            self._agent_left(at)

    def _leaves(self, role: Role, at: int, ended: ChannelDestroyed | None) -> int | None:
        """A party's channel has ended; returns its last sign of life if its line was dead: that counts as its end."""
        if not self.is_on:
            return None
        died_at = self._vigil.alive_until(ended)
        self._lines[role] = self._line(role, at if died_at is None else died_at, died_at)
        if died_at is not None:
            whose = (role == "agent" and self._call.record.winner) or f"the {role}"
            talked = seconds(died_at - (self._conversation.began_at or died_at))
            self._call.note(EventName.LINE_DEAD, f"{whose}: last sign of life {talked} after the connection")
        return died_at

    def _held(self, event: ChannelHold | ChannelUnhold) -> None:
        role = self._call.under_way.role_of(event.channel_id)
        if role is None:
            return
        line, at = self._call.under_way.line(role), self._call.happened(event)
        if isinstance(event, ChannelHold):
            line.hold(at)
        else:
            line.unhold(at)
        self._call.keep()

    def _line(self, role: Role, until: int, died_at: int | None = None) -> LineRecord:
        under_way = self._call.under_way
        return LineRecord(
            self._vigil.packet_at(under_way.parties[role]), under_way.line(role).held(until), died_at
        )

    def _agent_left(self, at: int) -> None:
        """The agent is gone, and the caller is not: the caller is, or is to be, transferred."""
        self._transfers.agent_gone()
        self._call.under_way.parties.pop("agent", None)
        leg = winning_leg(self._call.record)
        if leg is not None:
            leg.ended_at = at
        self._call.keep()

    def _handle(self, event: TalkEvent, at: int) -> None:
        for command in self._conversation.handle(event, at):
            match command:
                case End():
                    self._add_talked()
                    self._transfers.release()
                case HangUpParty("transferee"):
                    self._transfers.hang_up()
                case HangUpParty(role):
                    self._hang_up(role)
                case Release() | GiveBack() | Ringback():
                    self._transfers.perform(command)

    def _add_talked(self) -> None:
        began_at, ended_at = self._conversation.began_at, self._conversation.ended_at
        assert began_at is not None and ended_at is not None
        self._vigil.end()
        lines = {role: self._line(role, ended_at) for role in self._call.under_way.parties} | self._lines
        talk = _Talked(self._call.record.winner, began_at, ended_at, self._conversation.handed_over_at, lines)
        self._talked.append(talk)
        self._call.under_way.lines.clear()

    def _hang_up_channel(self, role: Role) -> None:
        channel_id = self._call.under_way.parties.get(role)
        if channel_id is not None:
            self._call.post(self._call.read_rtp(channel_id))
            self._call.post(self._call.client.channels.hangup(channel_id))


async def talk_on(call: Call, places: Places | None, max_duration_ms: int, last_seen: int) -> EndSource:
    """Watches a conversation resumed from an earlier switch until it ends; returns who ended it. Raises CallerGone.

    Transfers are refused without `places`. `last_seen` (ms): until when that switch lived.

    After that the agent is gone, or is being hung up, and the record has the duration.
    """
    record = call.record
    talk = Talk(call, places, max_duration_ms)
    talk.begin(record.winner, call.now() if record.connected_at is None else record.connected_at, last_seen)
    call.end_by_itself(max((talk.deadline() or 0) - call.now(), 0))
    talk.resume()
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
        if leg is not None and leg.ended_at is None:
            leg.ended_at = call.end()
        call.post(call.client.bridges.destroy(bridge_id(call.name)))
