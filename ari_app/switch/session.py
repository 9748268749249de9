"""The life of a call, top to bottom: attribute, screen, qualify, locate, route, reserve, race, settle."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

from ari_app import logs
from ari_app.ari.errors import AriError, Conflict, NotFound
from ari_app.domain.calls.geo import Place
from ari_app.domain.calls.record import CallRecord, Disposition, Exclusion
from ari_app.domain.calls.stage import ROWS, Stage
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.ivr.prompts import NOBODY_PROMPT
from ari_app.domain.market.campaigns import Route
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
    IntakeOutcome,
    IntakeStep,
    Located,
    Offered,
    Pinned,
    Placed,
    Refused,
    Reserve,
    Reserved,
    Take,
    Taken,
    Told,
    Unknown,
)
from ari_app.domain.routing.legs import Leg
from ari_app.domain.routing.recovery import winning_leg
from ari_app.domain.routing.routing import Decision
from ari_app.domain.routing.screening import Refusal, capped
from ari_app.domain.routing.snapshot import Attribution, Snapshot
from ari_app.domain.routing.transfers import following
from ari_app.domain.terms.settlement import pin
from ari_app.store.calls.calls import Settlement
from ari_app.switch.call import Call, CallerGone
from ari_app.switch.case import Case
from ari_app.switch.ivr import run_flow
from ari_app.switch.places import Places
from ari_app.switch.racer import Ending, Racer, wait_music
from ari_app.switch.recording import CallRecording
from ari_app.switch.reservation import Reservation
from ari_app.switch.shared import Shared

log = logging.getLogger(__name__)

# Q.850
UNALLOCATED = 1  # SIP 404
NORMAL = 16


@dataclass(frozen=True, slots=True)
class Before:
    """What an earlier switch had done for a caller, until the switch was last seen (ms).

    `is_screened`: the caller was screened, and is not screened again. `is_up`: the caller's channel was answered.
    """

    last_seen: int
    is_screened: bool
    is_up: bool


class Session:
    """One call. However `run` ends, the caller has been hung up and the record settled."""

    def __init__(self, call: Call, snapshot: Snapshot, shared: Shared) -> None:
        self.call = call
        self.case = Case(call.record, snapshot)
        self.places = Places(shared.capacity, snapshot.marketplace)
        self.reservation = Reservation(call, self.case, shared.caps)
        self.recording = CallRecording(call, shared.recorder)
        self._shared = shared
        self._before: Before | None = None
        self._hangup_cause = NORMAL
        self._racer: Racer | None = None

    @property
    def record(self) -> CallRecord:
        """The record, as far as it is filled in."""
        return self.call.record

    @property
    def legs(self) -> Sequence[Leg]:
        """The legs of the race, once there is one."""
        return self._racer.legs if self._racer is not None else ()

    async def run(self, serve: Callable[[], Awaitable[None]] | None = None) -> Settlement:
        """Serves the call to its end, and settles it. If no party ended the call, the system has ended it.

        `serve` is what is done for the caller; by default everything from the beginning.
        """
        record = self.record
        logs.begin(record.id)
        try:
            await self._while_here(serve or self.serve)
        except CallerGone as gone:
            record.end_source = gone.by
            if gone.why is not None:
                self.call.note(gone.why)
            left_as = ROWS[self.call.stage].left_as if gone.by == "caller" else None
            record.disposition = record.disposition or left_as or "failed"
        except asyncio.CancelledError:  # the switch is stopping; the call is still ended and settled
            record.disposition = record.disposition or "failed"
            self.call.note(EventName.SWITCH_STOPPED)
        except AriError as error:
            record.disposition = record.disposition or "failed"
            self.call.note(EventName.FAILED, str(error))
            log.error("call failed: %s", error)
        finally:
            await _to_its_end(self._leave())
            await _to_its_end(self._read_earlier_calls())
        return self._settle()

    async def _while_here(self, serve: Callable[[], Awaitable[None]]) -> None:
        """Runs `serve`. A request that fails because the caller is just leaving is no error."""
        try:
            await serve()
        except (NotFound, Conflict):
            await self.call.raise_if_caller_gone()
            raise

    async def serve(self, before: Before | None = None) -> None:
        """Serves the call from attribution to the last agent; goes on from `before`, if given. Raises CallerGone."""
        record, self._before = self.record, before
        arrival = Arrival(record.did, record.ani, record.started_at, record.attestation)
        intake = Intake(self.case.snapshot, arrival, Random(record.id))
        step = self._first_step(intake)
        while not isinstance(step, Ended):
            step = intake.handle(await self._perform(step), self.call.now())
        match step:
            case Unknown():
                self.call.note(EventName.UNKNOWN_NUMBER, record.did)
                self._end_as("unknown_number")
                self._hangup_cause = UNALLOCATED
            case Refused(refusal):
                await self._refuse(refusal)
            case FlowEnded():
                self._end_as("flow_ended")
            case Offered(decision):
                await self._offer(intake.campaign.route, decision)

    def _first_step(self, intake: Intake) -> IntakeStep:
        """The first step: a restarted call keeps its attribution and its terms. A caller who was let in is not screened
        again: a change since then is for newer calls.
        """
        if self._before is None or self.case.attribution is None:
            return intake.start()
        return intake.resume(self.case.attribution, is_taken=self._before.is_screened)

    async def _perform(self, step: IntakeStep) -> IntakeOutcome:
        """Performs a step of the intake; returns its outcome. Raises CallerGone."""
        record = self.record
        match step:
            case Attributed(found, place):
                if self.case.attribution is None:
                    self._pin(found, place)
                return Pinned(self._shared.callers.dialled(record.did, record.ani, record.started_at))
            case Count(what):
                return Counted(self._counters[what]())
            case Take():
                await self._answer()
                self.call.enter(Stage.IVR)
                return Taken()
            case Ask(flow, timezone):
                run = await run_flow(self.call, flow, self.case.snapshot.geography, timezone)
                return Told(run.offers, run.entered_zip)
            case Located(place):
                self.case.put_at(place)
                where = " ".join(filter(None, (place.state, place.zip))) or "unknown"
                self.call.note(EventName.LOCATED, f"{where}, from {place.from_}")
                return Placed()
            case Reserve(decision):
                self._note_excluded(decision.excluded)
                return await self._reserve(decision)
        raise TypeError(f"{step} is no step to perform")

    def _end_as(self, disposition: Disposition) -> None:
        """Sets the disposition to record; from now on a caller who hangs up does not change it."""
        self.record.disposition = disposition
        self.call.enter(Stage.ENDING)

    # Attribute, screen

    def _pin(self, found: Attribution, place: Place) -> None:
        """Pins the call to its attribution, for good."""
        record, case = self.record, self.case
        case.attribution = found
        pin(record, found, case.market.currency_of(found.campaign))
        case.earlier |= self._shared.callers.remember("any", record, record.started_at)
        case.put_at(place)
        self.call.keep()

    @property
    def _counters(self) -> Mapping[Counter, Callable[[], Refusal | None]]:
        """Functions that count the call; each returns why there is no room for it, or None after counting it."""
        return {"trunk": self._enter_trunk, "rates": self._too_often, "caps": self._cap_full}

    def _enter_trunk(self) -> Refusal | None:
        return self.places.enter(self.call.under_way.trunk)

    def _too_often(self) -> Refusal | None:
        record, rules = self.record, self.case.market.screen
        return self._shared.rates.refusal(rules, record.did, record.ani, record.started_at)

    def _cap_full(self) -> Refusal | None:
        found = self.case.whose
        full = self._shared.caps.full(self.case.market, found, self.record.started_at)
        return capped(found.campaign, full) if full is not None else None

    async def _refuse(self, refusal: Refusal) -> None:
        """Plays to the caller that the call is refused; if there is no announcement, rejects the call unanswered."""
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
        """Answers the channel, unless it is up: a second answer would wait for a prompt that still plays."""
        before = self._before
        if before is not None and before.is_up:
            self.record.answered_at = self.record.answered_at or before.last_seen
            return
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
        campaign = self.case.whose.campaign
        await self.recording.ask_consent(campaign.recording, self.case.place)
        self.call.enter(Stage.WAITING)
        wait_music(self.call, campaign.route, start=True)
        answer = await self.reservation.make(decision.rung)
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
        self.places.following = following(self.case.whose.campaign, self.case.snapshot)
        told = self.connected, self.recording.parted
        racer = self._racer = self._shared.make_racer(self.call, rules, self.places, *told)
        try:
            ending = await racer.run(decision.plan)
        finally:
            await racer.close()
        await self.offered(ending, rules.fallback.play)

    async def offered(self, ending: Ending, fallback: str | None = None) -> None:
        """Goes on after the race or the conversation has ended with `ending`. Raises CallerGone."""
        record, gone = self.record, self.call.gone
        if ending != "agent" and gone is not None and gone.by == "system":
            raise gone  # the caller left while the offer was being closed
        match ending:
            case "agent":
                record.end_source = "agent"
                leg = winning_leg(record)
                has_died = leg is not None and leg.line is not None and leg.line.died_at is not None
                if record.transferee is None and not has_died:
                    self.call.note(EventName.AGENT_HUNG_UP)
            case "limit":
                self.call.note(EventName.LONGEST_DURATION)
            case "exhausted":
                if gone is not None:  # the caller left while the last phones were hung up
                    raise gone
                if record.disposition is None:
                    self._end_as("no_answer")
                await self._fall_back(fallback)

    def connected(self, at: int) -> None:
        """Caller and agent hear each other since `at` (ms)."""
        case = self.case
        case.earlier = self._shared.callers.remember("connected", self.record, at) | case.earlier
        self.reservation.connected(at)
        self.recording.connected()

    async def _fall_back(self, prompt: str | None) -> None:
        self.call.note(EventName.FALLBACK, prompt or "hang up")
        await self.call.play_last(prompt or NOBODY_PROMPT)

    # The end

    async def _leave(self) -> None:
        """Hangs up the caller, if still there, and waits until every request is answered."""
        call = self.call
        self.reservation.close()
        try:
            if call.gone is None:
                await call.hang_up(self._hangup_cause)
            await call.requests_done()
        except AriError as error:
            call.note(EventName.HANGUP_FAILED, str(error))
        finally:
            call.inbox.close()
            self.places.close()
        self.record.end_source = self.record.end_source or "system"
        self.record.ended_at = call.end()
        call.note(EventName.ENDED, f"by the {self.record.end_source}")

    async def _read_earlier_calls(self) -> None:
        self.case.earlier |= await self._shared.callers.earlier(self.record)

    def _settle(self) -> Settlement:
        record, transfers = self.record, self.case.conclude()
        if record.connected_at is not None and record.qualification and record.qualification.qualified:
            self._shared.callers.remember("qualified", record, record.connected_at)
        self.call.keep()
        return Settlement(record, transfers)


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Awaits work of bounded time to its end, even when this task is cancelled because the switch stops."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([task])
    task.result()
