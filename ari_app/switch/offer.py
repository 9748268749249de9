"""Runs one race over ARI: the domain decides, this module rings, prompts, bridges and hangs up.

From the first ring to the end of the conversation the call's events come here, one at a time. Each becomes an event of
the race, and each command of the race becomes a request.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress

from ari_app.ari.errors import AriError, AriUnavailable, Conflict, NotFound
from ari_app.ari.events import (
    ChannelDestroyed,
    ChannelDtmfReceived,
    Dialled,
    PlaybackFinished,
    StasisStart,
)
from ari_app.domain.calls.record import Exclusion
from ari_app.domain.calls.stage import Role, Stage
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.ivr.prompts import ACCEPT_PROMPT
from ari_app.domain.ivr.whisper import heard
from ari_app.domain.market.campaigns import Route
from ari_app.domain.market.destinations import Dial
from ari_app.domain.market.trunks import is_worth_another, why_failed
from ari_app.domain.routing import legs as racing
from ari_app.domain.routing.legs import Leg, Phase
from ari_app.domain.routing.race import Race, RacePlan
from ari_app.serving.ids import bridge_id
from ari_app.switch.call import NO_CAUSE, Call, CallerGone, FoundUp
from ari_app.switch.conversation import Talk
from ari_app.switch.legs import Legs, NotDialled
from ari_app.switch.placequeue import PlaceFreed, PlaceQueue
from ari_app.switch.places import Places
from ari_app.switch.racer import Ending, wait_music

CLEAN_UP_MS = 10_000
FORWARD_LENGTH = 64  # characters of what a phone says of where its calls are taken


class Offer:
    """A call's race: make it, `run` it, and `close` it in any case.

    Before it runs, the caller already hears ringback or music (`wait_music`).
    """

    def __init__(
        self,
        call: Call,
        route: Route,
        places: Places,
        on_connected: Callable[[int], None],
        on_parted: Callable[[], None],
    ) -> None:
        """See `racer.MakeRacer`."""
        self.race = Race(RacePlan(()))
        self._call = call
        self._route = route
        self._places = places
        self._queue = PlaceQueue(call, places)
        follows = places.following is not None
        self._legs = Legs(call, places.capacity, route.ring_timeout, route.max_duration, may_transfer=follows)
        self._on_connected = on_connected
        self._on_parted = on_parted
        self._bridge_id = bridge_id(call.name)
        self._legs_before = list(call.record.legs)  # of a race that a restart of the switch cut off
        self._talk = Talk(call, places, route.max_duration, self._hang_up_agent)

    @property
    def legs(self) -> list[Leg]:
        """The legs of the race, each with its phase."""
        return self.race.legs

    async def run(self, plan: RacePlan) -> Ending:
        """Offers the call until a conversation has ended or no destination is left. Raises CallerGone."""
        call = self._call
        self.race = Race(plan)
        call.post(call.client.bridges.create(call.inbox, self._bridge_id))
        self._perform(self.race.start(call.now()))
        while not self.race.over or self._talk.is_on:
            self._take_in(await self._talk.event(self._deadline()))
        if self._talk.ended_by == "system":
            return "limit"
        return "agent" if self.race.winner else "exhausted"

    async def close(self) -> None:
        """Hangs up every leg, removes the bridge, and waits a bounded time until they are gone."""
        call = self._call
        self._queue.close()
        self._talk.close()
        if not self.race.over:
            self._perform(self.race.handle(racing.CallerHungUp(), call.now()))
        self._legs.cut_goodbyes_short()
        try:
            await self._await_silence()
            await call.requests_done()
            await call.client.bridges.destroy(self._bridge_id)
        finally:
            for leg in self._legs.still_there():
                self._note(leg, EventName.NOT_CONFIRMED_GONE)
                self._legs.gone(leg)
            self._fill_in_record()

    async def _await_silence(self) -> None:
        until = self._call.now() + CLEAN_UP_MS
        while self._legs.still_there() and self._call.now() < until:
            try:
                self._take_in(await self._talk.event(until))
            except CallerGone:
                continue

    # Events in

    def _take_in(self, event: object) -> None:
        now = self._call.now()
        self._legs.end_goodbyes(now)
        if isinstance(event, PlaceFreed):
            for destination in self._queue.freed(event.place, self.race.waits_for):
                self._perform(self.race.handle(racing.Freed(destination), self._call.now()))
            return
        happened = racing.TimeUp() if event is None else self._translate(event, now)
        if happened is not None:
            self._perform(self.race.handle(happened, now))

    def _translate(self, event: object, now: int) -> racing.RaceEvent | None:
        match event:
            case StasisStart(channel_id=channel_id):
                return self._picked_up(channel_id)
            case FoundUp(channel_id=channel_id) if not self._has_answered(channel_id):
                return self._picked_up(channel_id, "while disconnected")
            case racing.LegAnswered():
                return event
            case racing.LegSoundless(leg):
                self._note(leg, EventName.WITHOUT_SOUND)
                return event
            case Dialled():
                return self._dialled(event)
            case ChannelDtmfReceived(channel_id=channel_id, digit=digit) if not self._legs.is_echo(event):
                return self._of_leg(
                    channel_id, lambda leg: racing.LegDigit(leg, digit), EventName.PRESSED, digit
                )
            case ChannelDestroyed(channel_id=channel_id, cause=cause, tech_cause=status):
                ended = self._legs.number_of(channel_id)
                return None if ended is None else self._ended(ended, cause, status)
            case PlaybackFinished(playback_id=playback_id):
                asked = self._legs.playback_finished(playback_id)
                return None if asked is None else racing.PromptDone(asked)
            case racing.LegBridged():
                return self._bridged(event, now)
            case NotDialled(leg, cause, why, status):
                self._note(leg, EventName.NOT_DIALLED, why)
                if is_worth_another(status) and self._rung_by_other_trunk(leg, why):
                    return None
                self.race.legs[leg].record.failure = why
                return self._gone(leg, cause)
        return None

    def _picked_up(self, channel_id: str, how: str = "") -> racing.RaceEvent | None:
        """An answer counts when audio is known to be there. A leg that is being hung up is hung up all the same."""
        leg = self._legs.number_of(channel_id)
        if leg is None:
            return None
        self._note(leg, EventName.ANSWERED, how)
        if self.race.legs[leg].phase is Phase.CANCELLING:
            return racing.LegAnswered(leg)
        self._legs.listen(leg)
        return None

    def _dialled(self, event: Dialled) -> racing.RaceEvent | None:
        """183 without 180 also means ringing. A phone that redirects gives the address; the leg's end follows."""
        leg = self._legs.number_of(event.channel_id)
        if leg is None:
            return None
        record = self.race.legs[leg].record
        if event.forward:
            record.forwarded_to = "".join(filter(str.isprintable, event.forward))[:FORWARD_LENGTH]
            self._note(leg, EventName.FORWARDED, record.forwarded_to)
        elif event.status in ("RINGING", "PROGRESS") and record.ringing_at is None:
            self._note(leg, EventName.RINGING)
            return racing.LegRinging(leg)
        return None

    def _has_answered(self, channel_id: str) -> bool:
        leg = self._legs.number_of(channel_id)
        return leg is not None and self.race.legs[leg].record.answered_at is not None

    def _of_leg(
        self, channel_id: str, happened: Callable[[int], racing.RaceEvent], what: EventName, detail: str = ""
    ) -> racing.RaceEvent | None:
        leg = self._legs.number_of(channel_id)
        if leg is None:
            return None
        self._note(leg, what, detail)
        return happened(leg)

    def _ended(self, leg: int, cause: int | None, status: int | None) -> racing.RaceEvent | None:
        """`status`: the SIP response that it ended with; one of its trunk's own is no word of its phone's."""
        one = self.race.legs[leg]
        if one.phase is Phase.CONNECTED and self._talk.is_on:  # the caller is transferred
            self._hang_up_agent("agent")
        if one.phase in (Phase.DIALLING, Phase.RINGING):
            trunk = self._dial(leg)[0].trunk
            why = why_failed(trunk, status, one.record.ringing_at is not None)
            if why is not None and is_worth_another(status) and self._rung_by_other_trunk(leg, why):
                return None
            one.record.failure = why
        return self._gone(leg, cause, status)

    def _rung_by_other_trunk(self, leg: int, why: str) -> bool:
        """Dials a leg that has not rung by its other trunk, once and within its time; False if there is none."""
        one = self.race.legs[leg]
        destination = one.record.destination
        other = self._places.dial(destination)[0].or_trunk
        if other is None or one.by_other_trunk or one.phase is not Phase.DIALLING:
            return False
        one.by_other_trunk = True
        self._legs.gone(leg)
        full, places = self._call_up(leg)
        if full is not None:
            self._queue.note_full(destination, full, places[full])
            return False
        self._note(leg, EventName.OTHER_TRUNK, f"{other}, as {why}")
        return True

    def _dial(self, leg: int) -> tuple[Dial, dict[str, int]]:
        """The leg's dial target, by its present trunk, and the places that it takes."""
        one = self.race.legs[leg]
        return self._places.dial(one.record.destination, by_other_trunk=one.by_other_trunk)

    def _call_up(self, leg: int) -> tuple[str | None, dict[str, int]]:
        """Dials the leg. Returns the place that is full, if one is, and the limits of all places that it takes."""
        dial, places = self._dial(leg)
        invite = self._places.invite(
            self.race.legs[leg].record.destination, dial, self._route, self._call.record
        )
        return self._legs.ring(leg, dial, places, invite), places

    def _gone(self, leg: int, cause: int | None, sip_status: int | None = None) -> racing.RaceEvent:
        self._note(leg, EventName.GONE, _cause_text(cause, self.race.legs[leg].record.failure))
        self._legs.gone(leg)
        return racing.LegEnded(leg, cause, sip_status, self._talk.agent_died_at)

    def _bridged(self, event: racing.LegBridged, now: int) -> racing.RaceEvent | None:
        """The bridge reply and ChannelDestroyed race: the leg may be gone already."""
        leg = self.race.legs[event.leg]
        if leg.phase is not Phase.BRIDGING:
            return None
        self._note(event.leg, EventName.CONNECTED)
        self._talk.begin(leg.record.destination, now)
        self._on_connected(now)
        self._keep()
        return event

    # Commands out

    def _perform(self, commands: list[racing.RaceCommand]) -> None:
        """Carries out the commands, and those that follow: if a leg gets no place, the next one is rung."""
        waiting, is_anyone_rung = deque(commands), False
        while waiting:
            command = waiting.popleft()
            match command:
                case racing.Ring(leg, destination):
                    if self._ring(leg, destination):
                        is_anyone_rung = True
                    else:
                        waiting += self.race.handle(racing.LegBlocked(leg), self._call.now())
                case racing.Prompt(leg):
                    self._legs.say(leg, *self._whisper(), self._route.accept_prompt or ACCEPT_PROMPT)
                case racing.SayTaken(leg):
                    self._legs.say_taken(leg)
                case racing.HangUp(leg, reason):
                    self._legs.hang_up(leg, reason)
                case racing.Award(leg):
                    self._award(leg)
                case racing.Hush(leg):
                    self._legs.hush(leg)
                case racing.Bridge(leg):
                    self._bridge(leg)
                case racing.Reoffer(leg):
                    self._reoffer(leg)
                case racing.Exhausted():
                    self._call.note(EventName.NOBODY_LEFT)
                    if any(leg.record.accepted_at is not None for leg in self.race.legs):
                        self._call.end_by_itself(None)
        if is_anyone_rung:
            self._keep()

    def _whisper(self) -> list[str]:
        record = self._call.record
        return heard(self._route.whisper, record.answers, record.place.state) if self._route.whisper else []

    def _ring(self, leg: int, destination: str) -> bool:
        """Dials a leg. Returns False when a place that it needs is full; it then waits for that place."""
        full, places = self._call_up(leg)
        if full is None:
            self._note(leg, EventName.OFFERED, f"wave {self.race.legs[leg].record.wave}")
            return True
        self._queue.add(destination, full, places[full])
        return False

    def _award(self, leg: int) -> None:
        self._note(leg, EventName.ACCEPTED, "the call is awarded")
        self._call.under_way.parties["agent"] = self._legs.channel_id(leg)
        self._call.enter(Stage.BRIDGING)
        self._keep()

    def _bridge(self, leg: int) -> None:
        # Sent before the bridge, on the same lane: if the switch dies now, no conversation is without a limit.
        self._call.end_by_itself(self._route.max_duration)
        self._call.post(self._add_to_bridge(leg))
        # Sent after the bridge: an agent who has answered must not wait for it.
        wait_music(self._call, self._route, start=False)

    async def _add_to_bridge(self, leg: int) -> None:
        call = self._call
        try:
            await self._put_together([call.channel_id, self._legs.channel_id(leg)])
        except AriError:
            self._legs.hang_up(leg, "normal")
            raise
        call.inbox.put(racing.LegBridged(leg))

    async def _put_together(self, channel_ids: list[str]) -> None:
        call, bridges = self._call, self._call.client.bridges
        try:
            await bridges.add_channel(self._bridge_id, channel_ids)
        except (AriUnavailable, NotFound):
            # After a break it is unknown whether it was done; or the bridge was not made.
            await call.client.until_connected()
            with suppress(Conflict):  # it was made
                await bridges.create(call.inbox, self._bridge_id)
            await bridges.add_channel(self._bridge_id, channel_ids)

    def _hang_up_agent(self, role: Role) -> None:
        """Ends the race, as the conversation is over, or goes on without the agent, whose channel may still exist."""
        self._perform(self.race.handle(racing.CallerHungUp(), self._call.now()))

    def _reoffer(self, leg: int) -> None:
        call = self._call
        self._note(leg, EventName.VANISHED, "the call is offered again")
        call.record.disposition = call.record.winner = call.cut_at = None
        call.under_way.parties.pop("agent", None)
        call.enter(Stage.WAITING)
        self._keep()
        call.end_by_itself(None)
        if self.race.legs[leg].connected_at is not None:
            call.post(call.client.bridges.remove_channel(self._bridge_id, [call.channel_id]))
            self._on_parted()
        wait_music(call, self._route, start=True)

    # Time

    def _deadline(self) -> int | None:
        times = (self.race.deadline(), self._legs.next_goodbye())
        return min((at for at in times if at is not None), default=None)

    # Journal

    def _keep(self) -> None:
        """Writes the call and its rung legs, as they are now, into the journal."""
        rung = [leg.record for leg in self.race.legs if leg.was_rung]
        self._call.record.legs = self._legs_before + rung
        self._call.under_way.destinations = [leg.record.destination for leg in self.race.legs]
        self._call.keep()

    def _fill_in_record(self) -> None:
        record = self._call.record
        rung = [leg.record for leg in self.race.legs if leg.record.outcome is not None]
        record.legs = self._legs_before + rung
        record.excluded += [
            Exclusion(leg.record.destination, self._queue.why_not_rung(leg.record.destination))
            for leg in self.race.legs
            if leg.record.outcome is None
        ]
        self._talk.write_down()

    def _note(self, leg: int, what: EventName, detail: str = "") -> None:
        name = self.race.legs[leg].record.destination
        self._call.note(what, f"{name}: {detail}" if detail else name)


def _cause_text(cause: int | None, failure: str | None) -> str:
    """How a leg ended, for the timeline: its Q.850 cause. `failure`: why it was not dialled, or its trunk failed it."""
    if cause is None:
        return "while disconnected"
    if cause == NO_CAUSE and failure is None:
        return "no cause given"
    return f"cause {cause}" + (f", {failure}" if failure is not None and cause else "")
