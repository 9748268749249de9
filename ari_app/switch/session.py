"""The life of a call, top to bottom: attribute, screen, qualify, locate, route, reserve, race, settle."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from random import Random
from typing import Any

from ari_app import logs
from ari_app.ari.client import Client
from ari_app.ari.errors import AriError, Conflict, NotFound
from ari_app.ari.events import StasisStart
from ari_app.domain.calls.geo import Place
from ari_app.domain.calls.record import CallRecord, Disposition, Exclusion
from ari_app.domain.calls.stage import ROWS, Stage
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.caps.counters import wanted
from ari_app.domain.ivr.prompts import NOBODY_PROMPT
from ari_app.domain.market.attestation import attestation_of
from ari_app.domain.market.campaigns import Route
from ari_app.domain.market.destinations import Destination, Dial
from ari_app.domain.routing.intake import (
    Arrival,
    Ask,
    Attributed,
    Count,
    Counted,
    Counter,
    Ended,
    FlowEnded,
    Intake,
    Located,
    Offered,
    Outcome,
    Pinned,
    Placed,
    Refused,
    Reserve,
    Reserved,
    Step,
    Take,
    Taken,
    Told,
    Unknown,
)
from ari_app.domain.routing.legs import Leg
from ari_app.domain.routing.recovery import UnderWay
from ari_app.domain.routing.routing import Decision
from ari_app.domain.routing.screening import Refusal, capped, trunk_full
from ari_app.domain.routing.snapshot import Attribution, Snapshot
from ari_app.domain.terms.qualification import EarlierCall
from ari_app.domain.terms.repeats import Kind
from ari_app.domain.terms.settlement import conclude, pin
from ari_app.serving.callers import Callers
from ari_app.serving.capacity import Capacity, trunk_place
from ari_app.serving.caps import Caps
from ari_app.serving.clock import CallClock
from ari_app.serving.ids import mint_call_id
from ari_app.store.calls.calls import Settlement
from ari_app.store.calls.journal import Journal
from ari_app.switch.call import Call, CallerGone
from ari_app.switch.ivr import run_flow
from ari_app.switch.offer import Ending, Offer, wait_music
from ari_app.switch.recording import CallRecording, Recorder

log = logging.getLogger(__name__)

# Q.850
UNALLOCATED = 1  # SIP 404
NORMAL = 16


def new_call(client: Client, start: StasisStart, version: int, journal: Journal) -> Call:
    """The call of a channel that the dialplan hands over: Stasis(callrace,in,DID,ANI,ATTESTATION).

    A dialplan of somebody's own may leave the attestation out. `version` is the marketplace's that it is served by.
    """
    now = CallClock().now()
    _, did, ani, attested = (*start.args, "", "", "", "")[:4]
    record = CallRecord(
        id=mint_call_id(now), did=did, ani=ani or None, started_at=now, attestation=attestation_of(attested)
    )
    trunk = trunk_of(start.channel_name)
    call = Call(client, journal, UnderWay(record, {"caller": start.channel_id}, version, trunk=trunk))
    call.note(EventName.RECEIVED, f"{record.ani or 'anonymous'} called {record.did}", at=now)
    return call


def trunk_of(channel_name: str) -> str | None:
    """The PJSIP endpoint of a channel: `carrier` of `PJSIP/carrier-0000001a`; None for what is no SIP."""
    technology, _, rest = channel_name.partition("/")
    return rest.rpartition("-")[0] or None if technology == "PJSIP" else None


class Session:
    """One call. `run` always ends with the call let go and its record settled."""

    def __init__(
        self,
        call: Call,
        snapshot: Snapshot,
        capacity: Capacity,
        callers: Callers,
        caps: Caps,
        recorder: Recorder,
    ) -> None:
        self.call = call
        self._snapshot = snapshot
        self._capacity = capacity
        self._callers = callers
        self._caps = caps
        self._recording = CallRecording(call, recorder)
        self._attribution: Attribution | None = None
        self._place = Place()
        self._earlier: dict[Kind, EarlierCall] = {}
        self._hangup_cause = NORMAL
        self._is_anyone_capped = False  # among the destinations rung
        self._trunk_taken: str | None = None  # the caller's place on a trunk of limited size
        self._release: asyncio.TimerHandle | None = None
        self.legs: list[Leg] = []  # of the race, once there is one

    @property
    def record(self) -> CallRecord:
        """The record, as far as it is filled in."""
        return self.call.record

    async def run(self) -> Settlement:
        """Serves the call to its end, whoever ends it, and settles it. What nobody ended the system has."""
        record = self.record
        logs.begin(record.id)
        try:
            await self._serve_while_here()
        except CallerGone as gone:
            record.end_source = gone.by
            self.call.note(gone.why)
            left_as = ROWS[self.call.stage].left_as if gone.by == "caller" else None
            record.disposition = record.disposition or left_as or "failed"
        except asyncio.CancelledError:  # the switch is stopping; the call is ended and settled all the same
            record.disposition = record.disposition or "failed"
            self.call.note(EventName.SWITCH_STOPPED)
        except AriError as error:
            record.disposition = record.disposition or "failed"
            self.call.note(EventName.FAILED, str(error))
            log.error("call failed: %s", error)
        finally:
            await _to_its_end(self._leave())
            await _to_its_end(self._know_the_caller())
        return self._settle()

    async def _serve_while_here(self) -> None:
        """`_serve`; a request that came too late for a caller who is leaving is no error."""
        try:
            await self._serve()
        except (NotFound, Conflict):
            await self.call.see_caller_out()
            raise

    async def _serve(self) -> None:
        record = self.record
        arrival = Arrival(record.did, record.ani, record.started_at, record.attestation)
        intake = Intake(self._snapshot, arrival, Random(record.id))
        step = self._first_step(intake)
        while not isinstance(step, Ended):
            step = intake.handle(await self._perform(step), self.call.now())
        match step:
            case Unknown():
                self.call.note(EventName.UNKNOWN_NUMBER, record.did)
                self._end_as("unknown_number")
                self._hangup_cause = UNALLOCATED
            case Refused(refusal):
                await self._turn_away(refusal)
            case FlowEnded():
                self._end_as("flow_ended")
            case Offered(decision):
                await self._offer(intake.campaign.route, decision)

    def _first_step(self, intake: Intake) -> Step:
        return intake.start()

    async def _perform(self, step: Step) -> Outcome:
        """Does what a step of the intake asks for; what came of it. Raises CallerGone."""
        match step:
            case Attributed(found, place):
                return self._pin(found, place)
            case Count(what):
                return Counted(self._counters[what]())
            case Take():
                await self._answer()
                self.call.enter(Stage.IVR)
                return Taken()
            case Ask(flow, timezone):
                run = await run_flow(self.call, flow, self._snapshot.geography, timezone)
                return Told(run.offers, run.entered_zip)
            case Located(place):
                self._put_at(place)
                where = " ".join(filter(None, (place.state, place.zip))) or "unknown"
                self.call.note(EventName.LOCATED, f"{where}, from {place.from_}")
                return Placed()
            case Reserve(decision):
                self._note_excluded(decision.excluded)
                return await self._reserve(decision)
        raise TypeError(f"{step} is no step to perform")

    def _end_as(self, disposition: Disposition) -> None:
        """How the call ends is decided; what is left is to tell the caller."""
        self.record.disposition = disposition
        self.call.enter(Stage.ENDING)

    # Attribute, screen

    def _pin(self, found: Attribution, place: Place) -> Pinned:
        """Whose the call is, for good."""
        record, self._attribution = self.record, found
        pin(record, found, self._snapshot.marketplace.currency_of(found.campaign))
        self._earlier |= self._callers.note("any", record, record.started_at)
        self._put_at(place)
        self.call.keep()
        return self._pinned()

    def _pinned(self) -> Pinned:
        record = self.record
        return Pinned(self._callers.dialled(record.did, record.ani, record.started_at))

    def _put_at(self, place: Place) -> None:
        self._place, self.record.place = place, place.record()

    @property
    def _counters(self) -> Mapping[Counter, Callable[[], Refusal | None]]:
        """Each says why it has no room for the call, or None; what it counts has the call in it then."""
        return {"trunk": self._enter_trunk, "rates": self._too_often, "caps": self._cap_full}

    def _too_often(self) -> Refusal | None:
        record, rules = self.record, self._snapshot.marketplace.screen
        return self._callers.rates.refusal(rules, record.did, record.ani, record.started_at)

    def _cap_full(self) -> Refusal | None:
        found = self._attribution
        assert found is not None
        full = self._caps.full(self._snapshot.marketplace, found, self.record.started_at)
        return capped(found.campaign, full) if full is not None else None

    def _enter_trunk(self) -> Refusal | None:
        """Takes the caller's place on the trunk, once, where that is limited."""
        trunk = self.call.under_way.trunk
        size = self._trunk_size(trunk)
        if trunk is None or size is None or self._trunk_taken is not None:
            return None
        if not self._capacity.take(trunk_place(trunk), size):
            return trunk_full(trunk, size)
        self._trunk_taken = trunk
        return None

    def _leave_trunk(self) -> None:
        if self._trunk_taken is not None:
            self._capacity.give_back(trunk_place(self._trunk_taken))
            self._trunk_taken = None

    def _trunk_size(self, trunk: str | None) -> int | None:
        """How many calls and legs the trunk takes; None: as many as come."""
        rules = self._snapshot.marketplace.trunks.get(trunk or "")
        return rules.concurrent if rules is not None else None

    async def _turn_away(self, refusal: Refusal) -> None:
        """Tells the caller that the call is not taken; or, where nothing is to be said, rejects it unanswered."""
        self._end_as(refusal.disposition)
        self.call.note(EventName.REFUSED, refusal.reason)
        self.call.keep()
        if refusal.announce is None:
            self._hangup_cause = refusal.cause
            return
        if self.record.answered_at is None:
            await self._answer()
        await self.call.play_last(refusal.announce)

    # Answer

    async def _answer(self) -> None:
        await self.call.client.channels.answer(self.call.channel_id)
        self.record.answered_at = self.call.now()
        self.call.note(EventName.CALL_ANSWERED)
        self.call.keep()

    # Route, race

    def _note_excluded(self, excluded: Iterable[Exclusion]) -> None:
        for exclusion in excluded:
            self.record.excluded.append(exclusion)
            self.call.note(EventName.EXCLUDED, f"{exclusion.destination}: {exclusion.reason}")

    async def _reserve(self, decision: Decision) -> Reserved:
        """Sees that caps and funds have room for the call: the one time that it waits for the database."""
        found = self._attribution
        assert found is not None
        await self._recording.ask_consent(found.campaign.recording, self._place)
        self.call.enter(Stage.WAITING)
        wait_music(self.call, found.campaign.route, start=True)
        now = self.call.now()
        wish = wanted(self.record.id, self._snapshot.marketplace, found, decision.rung, now)
        answer = await self._caps.reserve(wish)
        self._is_anyone_capped = any(wish.destinations.values())
        return Reserved(answer.capped, answer.left_out)

    async def _offer(self, rules: Route, decision: Decision) -> None:
        record = self.record
        self._note_excluded(decision.excluded[len(record.excluded) :])
        record.offered_at = self.call.now()
        if decision.nobody:
            self._end_as("no_route")
            self.call.note(EventName.NOBODY_ELIGIBLE)
            await self._fall_back(rules.fallback.play)
            return
        told = self._connected, self._recording.parted
        offer = Offer(self.call, decision.plan, rules, self._dial, self._capacity, *told)
        self.legs = offer.race.legs
        try:
            ending = await offer.run()
        finally:
            await offer.close()
        await self._end_of_offer(ending, rules.fallback.play)

    async def _end_of_offer(self, ending: Ending, fallback: str | None) -> None:
        record, gone = self.record, self.call.gone
        if ending != "agent" and gone is not None and gone.by == "system":
            raise gone  # seen while the offer was cleared away
        match ending:
            case "agent":
                record.end_source = "agent"
                self.call.note(EventName.AGENT_HUNG_UP)
            case "limit":
                self.call.note(EventName.LONGEST_DURATION)
            case "exhausted":
                if gone is not None:  # left while the last phones were silenced
                    raise gone
                if record.disposition is None:
                    self._end_as("no_answer")
                await self._fall_back(fallback)

    def destination(self, name: str) -> Destination:
        """A destination as the snapshot has it that the call began with."""
        return self._snapshot.marketplace.destinations[name]

    def _dial(self, destination: str) -> tuple[Dial, dict[str, int]]:
        """How to dial it, and the places that this takes, with their sizes."""
        found = self.destination(destination)
        places = {destination: found.capacity}
        trunk = found.dial.trunk
        size = self._trunk_size(trunk)
        if trunk is not None and size is not None:
            places[trunk_place(trunk)] = size
        return found.dial, places

    def _connected(self, at: int) -> None:
        record = self.record
        assert record.campaign is not None
        self._earlier = self._callers.note("connected", record, at) | self._earlier
        self._release_losers_later(at)
        self._recording.connected()

    def _release_losers_later(self, connected_at: int) -> None:
        """Once the call can not be offered again, the caps of destinations that lost have room again."""
        assert self._attribution is not None
        if self._release is not None:
            self._release.cancel()
        if self._is_anyone_capped:
            after_ms = connected_at + self._attribution.campaign.route.reoffer_within - self.call.now()
            self._release = asyncio.get_running_loop().call_later(after_ms / 1000, self._release_losers)

    def _release_losers(self) -> None:
        if self.record.winner is not None:  # None: it is being offered again at this moment
            self._caps.release_losers(self.record.id, self.record.winner)

    async def _fall_back(self, prompt: str | None) -> None:
        self.call.note(EventName.FALLBACK, prompt or "hang up")
        await self.call.play_last(prompt or NOBODY_PROMPT)

    # The end

    async def _leave(self) -> None:
        """Hangs the caller up, if it is still with us, and sees every request answered."""
        call = self.call
        if self._release is not None:
            self._release.cancel()
        try:
            if call.gone is None:
                await call.client.channels.hangup(call.channel_id, reason_code=self._hangup_cause)
            await call.requests_done()
        except AriError as error:
            call.note(EventName.HANGUP_FAILED, str(error))
        finally:
            call.inbox.close()
            self._leave_trunk()
        self.record.end_source = self.record.end_source or "system"
        self.record.ended_at = call.end()
        call.note(EventName.ENDED, f"by the {self.record.end_source}")

    async def _know_the_caller(self) -> None:
        self._earlier |= await self._callers.earlier(self.record)

    def _settle(self) -> Settlement:
        record = self.record
        transfers = conclude(
            record,
            self._attribution,
            self._place,
            self._timezone() if self._attribution else "UTC",
            self._earlier,
            self._snapshot.geography,
        )
        if record.connected_at is not None and record.qualification and record.qualification.qualified:
            self._callers.note("qualified", record, record.connected_at)
        self.call.keep()
        return Settlement(record, transfers)

    def _timezone(self) -> str:
        """The advertiser's time zone."""
        assert self._attribution is not None
        return self._snapshot.marketplace.advertisers[self._attribution.campaign.advertiser].timezone


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Awaits what is bounded in time, also when this task is cancelled meanwhile: the switch may be stopping."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([task])
    task.result()
