"""The switch: takes every call that Asterisk hands over."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import Counter, deque
from collections.abc import Collection, Coroutine, Mapping
from contextlib import suppress
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ari_app import logs
from ari_app.access.actor import CALLRACE
from ari_app.ari.client import Client
from ari_app.ari.errors import AriError, AriReplaced
from ari_app.ari.events import StasisStart
from ari_app.domain.basics.clock import iso
from ari_app.domain.calls.geo import Geography
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.calls.stage import ROWS
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.market.campaigns import Campaign
from ari_app.domain.routing.recovery import UnderWay, give_up
from ari_app.domain.routing.snapshot import Snapshot
from ari_app.domain.terms.repeats import Kind, kinds_of, longest_window
from ari_app.serving.caps import Caps
from ari_app.serving.chores import Chores
from ari_app.serving.clock import CallClock
from ari_app.serving.lookback import keep_hearing, keep_looking_back
from ari_app.serving.market import Market
from ari_app.serving.phones import Phones
from ari_app.serving.unanswered import Unanswered
from ari_app.store.calls import calls
from ari_app.store.calls.calls import Settlement
from ari_app.store.calls.journal import Journal
from ari_app.store.calls.writer import CAPACITY, Writer
from ari_app.store.db.errors import DatabaseUnavailable, StoreError
from ari_app.store.market import pauses
from ari_app.store.market.pauses import Pause
from ari_app.switch.bystander import Bystander, Strangers
from ari_app.switch.call import Call
from ari_app.switch.live import PHASES, agents_view, live_view
from ari_app.switch.metrics import Metrics
from ari_app.switch.recovery import NotTakenUp, Resumed, settled, sweep
from ari_app.switch.session import Session, new_call
from ari_app.switch.shared import Shared
from ari_app.switch.survey import FirstLook, Surveyed, look
from ari_app.switch.sweeper import Sweeper

log = logging.getLogger(__name__)

CALLS_AT_ONCE = 2_000
# Requests without an answer: at so many Asterisk is a tenth of a second behind, and falling further.
BEHIND = 256
ON_THEIR_WAY_S = 0.1  # events of what ended just before a survey come by another connection than its answer
DRAIN_S = 20.0
LEAVE_S = 0.5  # what can be saved by then is, while calls go on
STAND_S = 0.02  # and then, while nothing does; what is not saved by then goes to the spool
UNSERVED = "unserved"  # the dialplan's label for calls that no switch takes
TELL_S = 1.0
OVERLAP_MS = 60_000  # conversions are looked for so far back again: whoever tells them has a clock of its own
BACKLOG_LIMIT = CAPACITY // 2  # of calls to be saved; beyond it new calls had better go elsewhere


class Switch:
    """Sessions, one a call, and the market that the next call starts from."""

    def __init__(
        self,
        engine: Engine,
        writer: Writer,
        journal: Journal,
        geography: Geography,
        metrics: Metrics | None = None,
    ) -> None:
        self._engine = engine
        self._writer = writer
        self._journal = journal
        self._again_and_again = Chores()
        self.market = Market(engine, geography, self._again_and_again)
        self.shared = Shared.of(Caps(engine, self._again_and_again))
        self._phones = Phones(self.shared.capacity)
        self._sweeper = Sweeper()
        self._supervision: Mapping[str, Any] = {"ami": "not connected", "problem": "not watched"}
        self._heard = 0
        self._unanswered = Unanswered()
        self._sessions: dict[asyncio.Task[Settlement], Session] = {}
        self._bystanders: dict[asyncio.Task[None], Bystander] = {}
        self._strangers: set[asyncio.Task[None]] = set()
        self._chores: set[asyncio.Task[None]] = set()
        self._surveyed: FirstLook | None = None  # for the calls that a switch before this one left
        self._looking: asyncio.Task[None] | None = None  # for those under way, after a break
        self._over: deque[str] = deque(maxlen=CALLS_AT_ONCE)  # the channels of the calls that ended last
        self._started_at = CallClock().now()
        self._converted_until = self._started_at
        self._untold: list[CallRecord] = []
        self._draining = False
        self._drained = asyncio.Event()
        self.metrics = metrics or Metrics()
        self.client: Client | None = None

    def load(self) -> None:
        """Reads the marketplace in force, and what caps have left. Callers of before are recalled while calls run."""
        self._heard = calls.newest_of_others(self._engine)
        self.market.load()
        if self.market.snapshot is None:
            log.info("no marketplace is applied yet: calls are refused until one is")
            return
        campaigns = self.market.snapshot.marketplace.campaigns
        self.shared.callers.ask(*_asked(campaigns))
        self.shared.caps.look(self.market.snapshot.marketplace)

    async def keep_up_to_date(self) -> None:
        """Takes over what is applied while calls run, and watches the caps. Runs for ever."""
        await asyncio.gather(
            self.market.keep_up_to_date(self._taken_over),
            self.shared.caps.keep_looking(lambda: self.market.snapshot),
            self.shared.caps.keep_sweeping(self._writer.backlog),
            keep_looking_back(
                self._engine, self._writer.spooled_calls, self.shared.callers, self._again_and_again
            ),
            keep_hearing(self._engine, self._heard, self.shared.callers, self._again_and_again),
        )

    async def _taken_over(self, snapshot: Snapshot) -> None:
        """New clauses may ask about callers whom nobody remembers: they are recalled. Others are repeat callers now,
        as their calls were told to be converted.
        """
        campaigns = snapshot.marketplace.campaigns
        since, self._converted_until = self._converted_until, CallClock().now()
        told = await asyncio.to_thread(calls.converted_callers, self._engine, since - OVERLAP_MS)
        self.shared.callers.converted(told)
        self.shared.callers.ask(*await asyncio.to_thread(_asked, campaigns))

    # What a switch before this one left

    def recover(self) -> None:
        """Takes up the calls of a switch that died, and begins to write this one's down.

        To be called once, when connected and before the first event is read: so none is missed, and no new
        call comes before the places of the old ones are taken. Raises StoreError.
        """
        assert self.client is not None
        aside = self._journal.aside
        left = {call.record.id: call for call in [*aside.calls(), *self._journal.left()]}
        last_seen = self._journal.last_seen or self._started_at
        known = {*left, *(record.id for record in self._journal.lost)}
        saved = self._writer.spooled() & known
        saved |= calls.saved(self._engine, known)
        if left:
            log.warning(
                "a switch died, last seen at %s: %d calls were under way, %d of them are saved",
                iso(last_seen),
                len(left),
                len(saved & left.keys()),
            )
        versions = {call.marketplace_version for call_id, call in left.items() if call_id not in saved}
        snapshots = {version: self._snapshot_of(version) for version in versions}
        for call in left.values():  # written down: this switch may die before it has looked
            its_own = call.last_seen or self._journal.last_seen_by(call.timeline)
            call.last_seen = its_own or self._started_at
        self._journal.start()
        self._journal.forget(saved)
        aside.forget(saved)
        surveyed = self._surveyed = FirstLook(self.client)
        for call_id, call in sorted(left.items()):
            if call_id in saved:
                self._over.append(call.caller)
                continue
            try:
                self._take_up(call, snapshots[call.marketplace_version], surveyed)
            except Exception as error:
                log.error("call %s is set aside: %s", call_id, error, exc_info=_defect(error))
                self._set_aside(call, error, surveyed)
        for record in self._journal.lost:
            if record.id not in saved:
                give_up(record, last_seen)
                self._save(Settlement(record))
        self._do(self._sweep(self.client, surveyed))

    def _snapshot_of(self, version: int) -> Snapshot | Exception:
        """The snapshot of a version, or why it cannot be had. Raises DatabaseUnavailable."""
        try:
            found = self.market.snapshot_of(version)
        except DatabaseUnavailable:
            raise
        except Exception as error:
            log.error(
                "marketplace %d is not there for its calls: %s", version, error, exc_info=_defect(error)
            )
            return error
        return found or NotTakenUp(f"there is no marketplace {version}")

    def _take_up(self, left: UnderWay, began_with: Snapshot | Exception, surveyed: FirstLook) -> None:
        """Serves or settles one call. Raises what keeps it from that, having done nothing."""
        assert self.client is not None
        if left.record.ended_at is not None:
            self._over.append(left.caller)
            self._do(self._settle_left(left, began_with, surveyed))
            return
        snapshot = began_with
        if left.pin is None and self.market.snapshot is not None:  # whose it is, is decided only now
            snapshot = self.market.snapshot
            left.marketplace_version = snapshot.version
        if isinstance(snapshot, Exception):
            raise snapshot
        call = Call(self.client, self._journal, left)
        try:
            session = Session(call, snapshot, self.shared)
            self._begin(session, session.run(Resumed(session, self.shared.callers, surveyed).serve))
        except BaseException:
            call.inbox.close()
            raise

    async def _settle_left(
        self, left: UnderWay, began_with: Snapshot | Exception, surveyed: FirstLook
    ) -> None:
        """It waits for callers of before, so in a chore: until it is saved the journal has the call."""
        try:
            self._save(await settled(left, began_with, self.shared.callers))
        except Exception as error:
            log.error("call %s is set aside: %s", left.record.id, error, exc_info=_defect(error))
            self._set_aside(left, error, surveyed)

    def _set_aside(self, left: UnderWay, why: Exception, surveyed: FirstLook) -> None:
        """Keeps a call for a switch that can take it up; see `bystander` for its people."""
        assert self.client is not None
        reason = f"{type(why).__name__}: {why}"
        self.shared.callers.recall([left.record])
        if left.record.ended_at is not None:
            self._over.append(left.caller)
            self._do(asyncio.to_thread(self._keep_aside, left, reason))
            return
        call = Call(self.client, self._journal, left)
        bystander = Bystander(call, surveyed, lambda: self._keep_aside(left, reason))
        task = asyncio.create_task(bystander.run(), name=f"aside-{left.record.id}")
        self._bystanders[task] = bystander
        task.add_done_callback(self._bystander_left)

    def _keep_aside(self, left: UnderWay, reason: str) -> None:
        """The journal lets go of it only when its file is there."""
        try:
            self._journal.aside.put(left, reason)
        except OSError as error:
            log.critical("call %s stays in the journal: it cannot be set aside: %s", left.record.id, error)
        else:
            self._journal.forget([left.record.id])

    def _bystander_left(self, task: asyncio.Task[None]) -> None:
        bystander = self._bystanders.pop(task)
        self._over.append(bystander.call.channel_id)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("call %s, set aside, is watched no more", bystander.record.id, exc_info=error)
        self._look_whether_drained()

    def _in_hand(self) -> list[Session | Bystander]:
        """The calls under way, those that are only watched included."""
        return [*self._sessions.values(), *self._bystanders.values()]

    def on_reconnected(self) -> None:
        """Asterisk's events of a while are lost: one survey tells each call, and finds who came or was left behind."""
        assert self.client is not None
        if self._looking is not None:
            self._looking.cancel()  # it broke again since: what was seen before is not the last word
        self._looking = self._do(self._look_again(self.client))

    async def _look_again(self, client: Client) -> None:
        connection = client.connections
        with suppress(AriReplaced):  # which ends the switch
            found = await look(client)
            await asyncio.sleep(ON_THEIR_WAY_S)
            await client.announce(Surveyed(found), connection)
            await sweep(client, found, self._had, self.on_incoming, self._let_talk)

    async def _sweep(self, client: Client, surveyed: FirstLook) -> None:
        with suppress(AriReplaced):
            await sweep(client, await surveyed.found(), self._had, self.on_incoming, self._let_talk)

    def _let_talk(self, client: Client, bridge: str, members: frozenset[str]) -> None:
        strangers = Strangers(client, bridge, members)
        task = asyncio.create_task(strangers.run(), name="strangers")
        self._strangers.add(task)
        task.add_done_callback(self._strangers_parted)

    def _strangers_parted(self, task: asyncio.Task[None]) -> None:
        self._strangers.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("who talks in a call that nobody knows is watched no more", exc_info=error)
        self._look_whether_drained()

    def _look_whether_drained(self) -> None:
        if self._draining and not self._in_hand() and not self._strangers:
            self._drained.set()

    def _had(self, channel_id: str) -> bool:
        """Whether a channel's call is in hand, or over. Its inbox is closed a moment before its session has ended."""
        under_way = (session.call.channel_id for session in self._sessions.values())
        return channel_id in self._over or channel_id in under_way

    # Calls

    def on_incoming(self, start: StasisStart) -> None:
        """A channel entered Stasis that no call has made: a new call, or something to be let go."""
        assert self.client is not None
        if self._draining and start.args[:1] == ("in",):
            self._do(_hand_back(self.client, start.channel_id))
            return
        snapshot = self.market.snapshot
        if start.args[:1] != ("in",):
            log.warning("channel %s let go: it belongs to no call under way", start.channel_id)
            self._let_go(self.client, start.channel_id)
            return
        version = snapshot.version if snapshot is not None else 0
        call = new_call(self.client, start, version, self._journal)
        refusal = self._why_refused(self.client)
        if snapshot is None or refusal is not None:
            self._refuse(call, refusal or "no marketplace is in force")
            return
        session = Session(call, snapshot, self.shared)
        self._begin(session, session.run())

    def _why_refused(self, client: Client) -> str | None:
        """Why no new call can be served at this moment, or None."""
        if len(self._sessions) >= CALLS_AT_ONCE:
            return f"{CALLS_AT_ONCE} calls are under way already"
        if len(self._sessions) >= self._writer.room():
            return "the database is away, and there is no room for more calls that wait for it"
        if client.waiting() >= BEHIND:
            return "Asterisk cannot keep up with the calls it has"
        return None

    def _begin(self, session: Session, work: Coroutine[Any, Any, Settlement]) -> None:
        task = asyncio.create_task(work, name=f"call-{session.record.id}")
        self._sessions[task] = session
        task.add_done_callback(self._ended)

    def _refuse(self, call: Call, reason: str) -> None:
        """Turns a call away unanswered, so that the carrier may try elsewhere. It is recorded all the same."""
        record = call.record
        record.disposition, record.end_source, record.ended_at = "failed", "system", record.started_at
        call.note(EventName.REFUSED, reason)
        call.keep()
        log.warning("call refused: %s", reason, extra=logs.fields(call=record.id))
        call.inbox.close()
        self._over.append(call.channel_id)
        self._let_go(call.client, call.channel_id)
        self._save(Settlement(record))

    def _let_go(self, client: Client, channel_id: str) -> None:
        self._do(self._hang_up(client, channel_id))

    def _do(self, chore: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Does what no call waits for, in a task of its own; `drain` awaits it."""
        task = asyncio.create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)
        return task

    async def _hang_up(self, client: Client, channel_id: str) -> None:
        try:
            await client.channels.hangup(channel_id, "congestion")
        except AriError as error:
            log.warning("channel %s could not be let go: %s", channel_id, error)

    def _ended(self, task: asyncio.Task[Settlement]) -> None:
        session = self._sessions.pop(task)
        self._over.append(session.call.channel_id)
        error = task.exception()
        self._save(task.result() if error is None else self._broken(session, error))
        self._pause_the_silent(session)

    def _pause_the_silent(self, session: Session) -> None:
        """Destinations that have left too many calls unanswered are offered no more."""
        now = CallClock().now()
        for leg in session.record.legs:
            if leg.outcome == "no_answer":
                rule = session.case.destination(leg.destination).auto_pause
                reason = self._unanswered.note(leg.destination, rule, now)
                if reason is not None:
                    self._do(self._pause(Pause(leg.destination, now, reason, str(CALLRACE))))

    async def _pause(self, pause: Pause) -> None:
        try:
            await asyncio.to_thread(pauses.pause, self._engine, pause)
        except (SQLAlchemyError, StoreError) as error:
            log.warning("%s is not paused (%s): %s", pause.destination, pause.reason, error)
        else:
            log.warning("%s is paused, until it is resumed: %s", pause.destination, pause.reason)

    def _save(self, settlement: Settlement) -> None:
        try:
            self._writer.submit(settlement)
        except StoreError as refusal:
            log.error("call is not saved: %s", refusal, extra=logs.fields(call=settlement.record.id))
        self._untold.append(settlement.record)
        if len(self._untold) == 1:
            asyncio.get_running_loop().call_later(TELL_S, self.tell)
        self._look_whether_drained()

    def tell(self) -> None:
        """Counts and logs the calls that have ended: twenty together cost what two cost one by one."""
        ended, self._untold = self._untold, []
        for record in ended:
            self.metrics.ended(record)
            log.info("call ended", extra=_summary(record))

    def _broken(self, session: Session, error: BaseException) -> Settlement:
        """A defect of ours ended the call: it is recorded, and moves no money."""
        log.error("call broke", exc_info=error, extra=logs.fields(call=session.record.id))
        session.record.disposition = "failed"
        session.record.ended_at = session.record.ended_at or session.call.now()
        session.call.note(EventName.FAILED, f"{type(error).__name__}: {error}")
        session.call.keep()
        return Settlement(session.record)

    def take_no_more(self) -> None:
        """From now on new calls are handed back to the dialplan, which goes on with its next rung."""
        if not self._draining:
            log.info("draining: no new calls; %d are under way", len(self._in_hand()))
        self._draining = True
        self._look_whether_drained()

    async def drained(self) -> None:
        """Returns when no call is taken any more and the last one is over."""
        await self._drained.wait()

    async def drain(self) -> None:
        """Ends every call under way and waits, a bounded time, until they are gone and settled."""
        self.take_no_more()
        tasks: list[asyncio.Task[Any]] = [*self._sessions, *self._bystanders, *self._strangers]
        for task in tasks:
            task.cancel()
        for endless in (self._surveyed, self._looking):  # while Asterisk does not answer
            if endless is not None:
                endless.cancel()
        waits = [*tasks, *self._chores]  # a call that came last is handed back before we go
        if waits:
            await asyncio.wait(waits, timeout=DRAIN_S)
        self.tell()

    async def leave(self) -> bool:
        """Hands over when what has ended is saved, for which calls do not stand still."""
        await asyncio.to_thread(self._writer.flush, LEAVE_S)
        return self.hand_over()

    def hand_over(self) -> bool:
        """Writes down each call as it stands at this moment, for the next switch to take up; False where it cannot be.

        When it is True, nothing more may happen: the process is to end at once, without ending its calls.
        """
        if not self._journal.is_usable:
            log.error("not handed over: the disk does not take the calls under way; this switch goes on")
            return False
        for session in self._sessions.values():
            session.call.keep()  # who is only watched was written down when it was set aside
        self._writer.close(STAND_S)
        self._journal.close()
        self.tell()
        log.info("handed over: %d calls are left in Asterisk for the next switch", len(self._in_hand()))
        return True

    # Supervision: what it sees of Asterisk. None of it is needed for a call.

    def trunks(self) -> set[str]:
        """The trunks by which destinations are dialled."""
        snapshot = self.market.snapshot
        destinations = snapshot.marketplace.destinations.values() if snapshot else ()
        return {one.dial.trunk for one in destinations if one.dial.trunk is not None}

    def phone_changed(self, phone: str, state: str) -> None:
        """A registered phone's device state is now `state`, in Asterisk's words."""
        self._phones.take_over(self.market.snapshot)
        self._phones.changed(phone, state)

    def supervised(self, seen: Mapping[str, Any], loose: Collection[str]) -> None:
        """What was seen (`ami`, `problem`, ...), and the channels in no bridge; stray legs are hung up."""
        if seen["problem"] != self._supervision["problem"]:
            log.info("supervision: %s", seen["problem"] or "watching Asterisk by AMI")
        self._supervision = seen
        if seen["problem"]:
            self._phones.forget()
            return
        self._phones.take_over(self.market.snapshot)
        calls = {session.call.name for session in self._in_hand()}
        for channel_id in self._sweeper.stale(loose, calls, time.monotonic()):
            log.warning("leg %s is hung up: its call is over", channel_id)
            self.metrics.swept.inc()
            if self.client is not None:
                self._let_go(self.client, channel_id)

    # What operators see

    def renew_journal(self) -> None:
        """Has the journal forget the calls that are over, within two seconds."""
        self._journal.begin_anew()

    def status(self) -> dict[str, Any]:
        """How the switch is, for `callrace lab status` and `callrace doctor`."""
        snapshot = self.market.snapshot
        return {
            "pid": os.getpid(),
            "started_at": iso(self._started_at),
            "asterisk": "connected" if self.client is not None and self.client.connected else "not connected",
            "marketplace_version": snapshot.version if snapshot else None,
            "draining": self._draining,
            "calls": len(self._sessions),
            "calls_by_phase": dict.fromkeys(PHASES, 0)
            | Counter(ROWS[session.call.stage].phase for session in self._sessions.values()),
            "unsaved_calls": self._writer.backlog(),
            "saving_problem": self._writer.problem(),
            "refused_calls": self._writer.refused(),
            "calls_set_aside": len(self._journal.aside),
            "unreadable_marketplace": self.market.unreadable,
            "failing_chores": dict(self._again_and_again.failing),
            "capacity_in_use": self.shared.capacity.in_use(),
            "on_trunks": self.shared.capacity.on_trunks(),
            "malformed_events": self.client.malformed_events if self.client is not None else 0,
            "not_ready": self.not_ready(),
            "supervision": {
                **self._supervision,
                "phones": self._phones.counts(),
                "stray_legs": self._sweeper.strays(),
            },
            "agents": agents_view(snapshot, self.shared.capacity, self._phones.states()) if snapshot else [],
            "agents_total": len(snapshot.marketplace.destinations) if snapshot else 0,
        }

    def not_ready(self) -> list[str]:
        """Why a call that came now would not be served well; empty when it would."""
        backlog = self._writer.backlog()
        reasons = {
            "Asterisk is not connected": self.client is None or not self.client.connected,
            "no marketplace is applied": self.market.snapshot is None,
            f"{backlog} calls wait to be saved": backlog >= BACKLOG_LIMIT,
            f"{len(self._sessions)} calls are under way": len(self._sessions) >= CALLS_AT_ONCE,
            "draining": self._draining,
        }
        return [reason for reason, is_so in reasons.items() if is_so]

    def live(self) -> list[dict[str, object]]:
        """The calls under way."""
        return [live_view(session.record, session.call.stage, session.legs) for session in self._in_hand()]


def _defect(error: Exception) -> Exception | None:
    """The error, where its traceback says more than it does."""
    return None if isinstance(error, (NotTakenUp, StoreError)) else error


def _summary(record: CallRecord) -> dict[str, Any]:
    """What the log says of a call that has ended; the amounts in minor units."""
    verdict, money = record.qualification, record.money
    return logs.fields(
        call=record.id,
        did=record.did,
        ani=record.ani,
        disposition=record.disposition,
        campaign=record.campaign,
        publisher=record.publisher,
        winner=record.winner,
        total_ms=record.durations_ms.total,
        connected_ms=record.durations_ms.connected if record.connected_at else None,
        qualified=verdict.qualified if verdict else None,
        charged=money.charged if money else None,
        paid=money.paid if money else None,
        currency=money.currency if money else None,
    )


def _asked(campaigns: Mapping[str, Campaign]) -> tuple[frozenset[Kind], int]:
    """What the campaigns' terms ask about repeat callers, and how far back, in ms."""
    return kinds_of(campaigns.values()), longest_window(campaigns.values())


async def _hand_back(client: Client, channel_id: str) -> None:
    """Lets a call that we do not take go on in the dialplan, where that serves calls by itself.

    Not told by a variable: a channel that ARI has set one on is not allowed to write a file (FILE) any more, so
    what became of the call would be lost.
    """
    try:
        await client.channels.continue_in_dialplan(channel_id, label=UNSERVED)
    except AriError as error:
        log.warning("channel %s could not be handed back: %s", channel_id, error)
