"""Performs transfers that an agent's phone asks for by REFER; `domain.routing.conversation` says who hears whom.

    REFER ─> may it be reached? ─no─> the phone is told 603
                  │ yes
             it is rung, while caller and agent talk on (or the caller, left alone, hears ringback)
                  │ answers                                   │ does not
             it joins the caller's bridge;                the phone is told 503 or 603,
             the agent leaves it, and is told 200         and the agent has the caller as before

Asterisk itself does nothing about a REFER (`serving.dialstrings`): a phone that is not told anything waits.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from ari_app.ari.errors import AriError, BadRequest, Conflict, NotFound, Unprocessable
from ari_app.ari.events import ChannelDestroyed, ChannelTransfer, Dialled, StasisStart
from ari_app.ari.resources.channels import TransferState
from ari_app.domain.calls.record import TransferOutcome, TransferRecord
from ari_app.domain.calls.stage import Stage
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.routing import conversation as talking
from ari_app.domain.routing.legs import LegAnswered, LegSoundless
from ari_app.domain.routing.transfers import MOST_TRANSFERS, Following, Reached, outcome_of, reach, shown
from ari_app.serving.capacity import InMemoryCapacity
from ari_app.serving.ids import bridge_id, transfer_leg
from ari_app.switch.call import Call, FoundUp
from ari_app.switch.legs import Legs, NotDialled
from ari_app.switch.places import Places

# So long after it was told that its caller was taken over, a phone that does not hang up is hung up.
RELEASE_MS = 2_000
SWITCH_DIED = "the switch was started anew meanwhile"


@dataclass(frozen=True, slots=True)
class _Joined:
    """The transferee of this leg is in the caller's bridge. Put into the call's inbox."""

    leg: int


@dataclass(slots=True)
class _Rung:
    """Who is rung for a transfer, or talks since: `legs` has the one leg. `until`: how long it rings (ms)."""

    leg: int
    legs: Legs
    record: TransferRecord
    until: int | None
    is_answered: bool = False


class Transfers:
    """The transfers of one call, one at a time. `tell` takes what happens to the conversation, and when (ms).

    `ends_at` says when the conversation must be over (ms). `release` hangs up the agent.
    """

    def __init__(
        self,
        call: Call,
        places: Places | None,
        tell: Callable[[talking.TalkEvent, int], None],
        ends_at: Callable[[], int | None],
        release: Callable[[], None],
    ) -> None:
        self._call = call
        self._places = places
        self._tell = tell
        self._ends_at = ends_at
        self._release_agent = release
        self._rung: _Rung | None = None
        self._release_at: int | None = None  # when the agent's phone is hung up

    # Events in

    def deadline(self) -> int | None:
        """When `time_up` is to be called next (ms), or None."""
        until = self._rung.until if self._rung is not None else None
        return min((at for at in (until, self._release_at) if at is not None), default=None)

    def time_up(self, now: int) -> None:
        """Hangs up a transferee who has rung for too long, and an agent's phone that is still there."""
        if self._release_at is not None and now >= self._release_at:
            self.release()
        rung = self._rung
        if rung is not None and rung.until is not None and now >= rung.until:
            self._fails(rung, "no_answer", None)

    def takes(self, event: object) -> bool:
        """Takes an event in, if it is about a transfer; returns whether it was."""
        rung = self._rung
        match event:
            case ChannelTransfer():
                if event.state is None:
                    self._asked(event)
                return True
            case _ if rung is None:
                return False
            case Dialled(channel_id=channel_id) if self._is_its(rung, channel_id):
                self._dialled(rung, event)
            case StasisStart(channel_id=channel_id) | FoundUp(channel_id) if self._is_its(rung, channel_id):
                rung.legs.listen(rung.leg)
            case LegAnswered(leg) if leg == rung.leg:
                self._answered(rung)
            case LegSoundless(leg) if leg == rung.leg:
                self._fails(rung, "failed", "answered without sound")
            case NotDialled(leg, _, why) if leg == rung.leg:
                rung.legs.gone(leg)
                self._ended(rung, "failed", why, None)
            case _Joined(leg) if leg == rung.leg:
                self._joined(rung)
            case _:
                return False
        return True

    def gone(self, event: ChannelDestroyed, at: int) -> None:
        """The transferee's channel has ended."""
        rung = self._rung
        if rung is None or not self._is_its(rung, event.channel_id):
            return
        rung.legs.gone(rung.leg)
        self._ended(rung, outcome_of(rung.record, event.cause), None, event.cause, at)

    def _is_its(self, rung: _Rung, channel_id: str) -> bool:
        return rung.legs.channel_id(rung.leg) == channel_id

    # A phone asks

    def _asked(self, event: ChannelTransfer) -> None:
        """A phone asks again as it hangs up, and while nobody has answered yet: it is told with the first time."""
        call = self._call
        if event.channel_id != call.under_way.agent or call.stage is not Stage.TALKING:
            self._answer(event.channel_id, "channel_declined")
        elif self._rung is None and self._release_at is None:
            record = TransferRecord(shown(event.to), call.now())
            call.record.transfers.append(record)
            call.note(EventName.TRANSFER_ASKED, f"{call.record.winner}: {record.asked}")
            refusal = self._ring(record, event.to, event.replaces)
            if refusal is not None:
                self._refuse(record, refusal)

    def _refuse(self, record: TransferRecord, why: str) -> None:
        record.outcome, record.why, record.ended_at = "refused", why, self._call.now()
        self._call.note(EventName.TRANSFER_REFUSED, why)
        self._call.keep()
        self._tell_agent("channel_declined")

    def again(self, record: TransferRecord) -> None:
        """Rings once more for a transfer of an earlier switch. Whoever was rung is hung up already."""
        record.ringing_at = None
        refusal = self._ring(record, record.asked, None)
        if refusal is not None:
            record.outcome, record.why, record.ended_at = "failed", refusal, self._call.now()
            self._call.note(EventName.TRANSFER_FAILED, refusal)
            self._tell(talking.Left("transferee"), self._call.now())

    def resume(self, record: TransferRecord, channel_id: str) -> None:
        """Somebody whom an earlier switch connected has the caller."""
        leg = int(channel_id.rpartition("-")[2])
        places = self._places
        legs = Legs(
            self._call, InMemoryCapacity() if places is None else places.capacity, RELEASE_MS, RELEASE_MS
        )
        legs.resume(leg, {} if places is None else places.places_of(record.to or "", record.trunk))
        self._rung = _Rung(leg, legs, record, None, is_answered=True)

    def give_up(self, record: TransferRecord) -> None:
        """Gives up a transfer of an earlier switch, whose agent is still there."""
        record.outcome, record.why, record.ended_at = "failed", SWITCH_DIED, self._call.now()
        self._call.under_way.parties.pop("transferee", None)
        self._call.note(EventName.TRANSFER_FAILED, f"{record.to}: {SWITCH_DIED}")
        self._tell_agent("channel_unavailable")

    def agent_gone(self) -> None:
        """The agent's channel has ended: nobody is left to be hung up."""
        self._release_at = None
        if self._places is not None:
            self._places.give_agents_back()

    def _ring(self, record: TransferRecord, asked: str, replaces: str | None) -> str | None:
        """Rings whom the phone asked for; or returns why not."""
        call, places = self._call, self._places
        following = places.following if places is not None else None
        if places is None or following is None:
            return "transfers are refused"
        if replaces is not None:
            return "a transfer to a call that is already under way is not followed"
        if len(call.record.transfers) > MOST_TRANSFERS:
            return f"there were {MOST_TRANSFERS} transfers in this call"
        found = reach(asked, following.follow, following.advertiser, following.snapshot)
        if isinstance(found, str):
            return found
        record.to, record.trunk = found.name, found.dial.trunk
        return self._dial(record, found, following, places)

    def _dial(
        self, record: TransferRecord, found: Reached, following: Following, places: Places
    ) -> str | None:
        call, now = self._call, self._call.now()
        timeout, ends_at = following.follow.ring_timeout, self._ends_at()
        left_ms = max((now if ends_at is None else ends_at) - now, 0)
        legs = Legs(call, places.capacity, timeout, left_ms)
        leg = transfer_leg(sum(event.what == EventName.TRANSFER_RUNG for event in call.record.events))
        invite = places.invite(found.destination, found.dial, following.route, call.record)
        full = legs.ring(leg, found.dial, places.places_of(found.name, found.dial.trunk), invite)
        if full is not None:
            return f"{full} has no room for another call"
        self._rung = _Rung(leg, legs, record, now + timeout)
        call.under_way.parties["transferee"] = legs.channel_id(leg)
        by = f" by trunk {record.trunk}" if record.trunk is not None else ""
        call.note(EventName.TRANSFER_RUNG, f"{record.to}{by}")
        self._tell(talking.Rung(), now)
        call.keep()
        return None

    # Who is rung

    def _dialled(self, rung: _Rung, event: Dialled) -> None:
        record = rung.record
        if event.forward:
            record.why = f"forwarded to {shown(event.forward)}"
        elif event.status in ("RINGING", "PROGRESS") and record.ringing_at is None:
            record.ringing_at = self._call.now()
            self._call.note(EventName.RINGING, record.to or "")
            self._tell_agent("channel_progress")

    def _answered(self, rung: _Rung) -> None:
        if not rung.is_answered:
            rung.is_answered, rung.until = True, None
            self._call.note(EventName.ANSWERED, rung.record.to or "")
            self._call.post(self._join(rung))

    async def _join(self, rung: _Rung) -> None:
        call = self._call
        try:
            await call.client.bridges.add_channel(bridge_id(call.name), [rung.legs.channel_id(rung.leg)])
        except AriError:
            rung.legs.hang_up(rung.leg, "normal")
            raise
        call.inbox.put(_Joined(rung.leg))

    def _joined(self, rung: _Rung) -> None:
        call, now = self._call, self._call.now()
        if rung.record.outcome is not None:  # it is being hung up
            return
        rung.record.outcome, rung.record.answered_at = "connected", now
        call.note(EventName.TRANSFERRED, rung.record.to or "")
        self._tell(talking.Joined("transferee"), now)
        call.keep()

    def _fails(self, rung: _Rung, outcome: TransferOutcome, why: str | None) -> None:
        """Hangs up who was rung. Its channel's end says that to the conversation."""
        rung.until, rung.record.outcome, rung.record.why = None, outcome, why
        rung.legs.hang_up(rung.leg, "normal")

    def _ended(
        self, rung: _Rung, outcome: TransferOutcome, why: str | None, cause: int | None, at: int | None = None
    ) -> None:
        """Whoever was rung, or talked, is gone."""
        call, record = self._call, rung.record
        self._rung = None
        call.under_way.parties.pop("transferee", None)
        record.ended_at, record.hangup_cause = call.now() if at is None else at, cause
        record.outcome, record.why = record.outcome or outcome, record.why or why
        if record.outcome == "connected":
            call.note(EventName.TRANSFEREE_GONE, f"{record.to}: cause {cause}")
        else:
            told = f": {record.why}" if record.why else ""
            call.note(EventName.TRANSFER_FAILED, f"{record.to}: {record.outcome}{told}")
        self._tell(talking.Left("transferee"), record.ended_at)
        call.keep()

    # What the conversation wants

    def perform(self, command: talking.Release | talking.GiveBack | talking.Ringback) -> None:
        """Carries out a command of the conversation."""
        call = self._call
        match command:
            case talking.Release():
                self._release_at = call.now() + RELEASE_MS
                if call.under_way.agent is not None:
                    call.post(self._part(call.under_way.agent))
            case talking.GiveBack():
                last = call.record.transfers[-1]
                self._tell_agent("channel_declined" if last.outcome == "declined" else "channel_unavailable")
            case talking.Ringback(start=True):
                call.note(EventName.AGENT_LEFT_FIRST)
                call.post(call.client.channels.ring(call.channel_id))
            case talking.Ringback(start=False):
                call.post(call.client.channels.ring_stop(call.channel_id))

    async def _part(self, agent: str) -> None:
        """The agent leaves the bridge, and its phone is told that the caller was taken over. It may hang up before."""
        call = self._call
        with suppress(NotFound, BadRequest, Conflict, Unprocessable):
            await call.client.bridges.remove_channel(bridge_id(call.name), [agent])
            await call.client.channels.transfer_progress(agent, "channel_answered")

    def release(self) -> None:
        """Hangs up the agent who transferred the caller, if that is still to be done."""
        if self._release_at is not None:
            self._release_at = None
            self._release_agent()

    def hang_up(self) -> None:
        """Hangs up the transferee."""
        rung = self._rung
        if rung is not None:
            rung.until = None
            if rung.record.outcome == "connected":
                self._call.post(self._call.read_rtp(rung.legs.channel_id(rung.leg)))
            rung.legs.hang_up(rung.leg, "normal")

    def close(self) -> None:
        """The call is over: hangs up who is still there, gives back the places, and completes the record."""
        self.release()
        rung, self._rung = self._rung, None
        if rung is None:
            return
        rung.legs.hang_up(rung.leg, "normal")
        rung.legs.gone(rung.leg)
        rung.record.outcome = rung.record.outcome or "cancelled"
        rung.record.ended_at = self._call.end()

    # What a phone is told

    def _tell_agent(self, state: TransferState) -> None:
        agent = self._call.under_way.agent
        if agent is not None:
            self._answer(agent, state)

    def _answer(self, channel_id: str, state: TransferState) -> None:
        self._call.post(self._told(channel_id, state))

    async def _told(self, channel_id: str, state: TransferState) -> None:
        with suppress(NotFound, Conflict):  # it hung up
            await self._call.client.channels.transfer_progress(channel_id, state)
