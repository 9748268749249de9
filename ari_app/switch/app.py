"""The switch: takes every call that Asterisk hands over."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Coroutine, Mapping
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ari_app.ari.client import Client
from ari_app.ari.errors import AriError
from ari_app.ari.events import StasisStart
from ari_app.domain.clock import iso
from ari_app.domain.geo import Geography
from ari_app.domain.marketplace import Campaign
from ari_app.domain.record import CallRecord, Event
from ari_app.domain.repeats import Kind, kinds_of, longest_window
from ari_app.domain.snapshot import Snapshot
from ari_app.store import calls, pauses
from ari_app.store.calls import Settlement
from ari_app.store.errors import StoreError
from ari_app.store.pauses import Pause
from ari_app.store.writer import Writer
from ari_app.switch.callers import Callers
from ari_app.switch.capacity import Capacity
from ari_app.switch.caps import Caps
from ari_app.switch.clock import CallClock
from ari_app.switch.market import Market
from ari_app.switch.session import Session, live_view, new_record
from ari_app.switch.unanswered import Unanswered

log = logging.getLogger(__name__)

CALLS_AT_ONCE = 2_000
# Requests without an answer: at so many Asterisk is a tenth of a second behind, and falling further.
BEHIND = 256
DRAIN_S = 20.0


class Switch:
    """Sessions, one a call, and the market that the next call starts from."""

    def __init__(self, engine: Engine, writer: Writer, geography: Geography) -> None:
        self._engine = engine
        self._writer = writer
        self.market = Market(engine, geography)
        self._capacity = Capacity()
        self._callers = Callers()
        self._caps = Caps(engine)
        self._unanswered = Unanswered()
        self._sessions: dict[asyncio.Task[Settlement], Session] = {}
        self._chores: set[asyncio.Task[None]] = set()
        self._started_at = CallClock().now()
        self.client: Client | None = None

    def load(self) -> None:
        """Reads the marketplace in force, the callers that its windows still remember, and what caps have left."""
        self.market.load()
        if self.market.snapshot is None:
            log.info("no marketplace is applied yet: calls are refused until one is")
            return
        campaigns = self.market.snapshot.marketplace.campaigns
        self._callers.look_back(*_asked(campaigns), self._known(campaigns))
        self._caps.look(self.market.snapshot.marketplace)

    async def keep_up_to_date(self) -> None:
        """Takes over what is applied while calls run, and watches the caps. Runs for ever."""
        await asyncio.gather(
            self.market.keep_up_to_date(self._taken_over),
            self._caps.keep_looking(lambda: self.market.snapshot),
            self._caps.keep_sweeping(self._writer.backlog),
        )

    async def _taken_over(self, snapshot: Snapshot) -> None:
        """New clauses may ask about callers whom nobody remembers: they are read again."""
        campaigns = snapshot.marketplace.campaigns
        if not self._callers.knows(*_asked(campaigns)):
            self._callers.look_back(*_asked(campaigns), await asyncio.to_thread(self._known, campaigns))

    def _known(self, campaigns: Mapping[str, Campaign]) -> list[CallRecord]:
        kinds, window_ms = _asked(campaigns)
        if not kinds:
            return []
        is_connected = all(basis != "any" for basis, _ in kinds)
        return list(calls.recent_callers(self._engine, CallClock().now() - window_ms, is_connected))

    # Calls

    def on_incoming(self, start: StasisStart) -> None:
        """A channel entered Stasis that no call has made: a new call, or something to be let go."""
        assert self.client is not None
        snapshot = self.market.snapshot
        if start.args[:1] != ("in",):
            log.warning("channel %s let go: it belongs to no call under way", start.channel_id)
            self._let_go(self.client, start.channel_id)
            return
        if snapshot is None:
            self._refuse(self.client, start, "no marketplace is in force; run `callrace apply FILE`")
            return
        if len(self._sessions) >= CALLS_AT_ONCE:
            self._refuse(self.client, start, f"{CALLS_AT_ONCE} calls are under way already")
            return
        if self.client.waiting() >= BEHIND:
            self._refuse(self.client, start, "Asterisk cannot keep up with the calls it has")
            return
        session = Session(self.client, start, snapshot, self._capacity, self._callers, self._caps)
        task = asyncio.create_task(session.run(), name=f"call-{session.record.id}")
        self._sessions[task] = session
        task.add_done_callback(self._ended)

    def _refuse(self, client: Client, start: StasisStart, reason: str) -> None:
        """Turns a call away unanswered, so that the carrier may try elsewhere. It is recorded all the same."""
        record = new_record(start)
        record.disposition, record.end_source, record.ended_at = "failed", "system", record.started_at
        record.events.append(Event(record.started_at, "refused", reason))
        log.warning("call %s refused: %s", record.id, reason)
        self._let_go(client, start.channel_id)
        self._save(Settlement(record))

    def _let_go(self, client: Client, channel_id: str) -> None:
        self._do(self._hang_up(client, channel_id))

    def _do(self, chore: Coroutine[Any, Any, None]) -> None:
        """Does what no call waits for, in a task of its own; `drain` awaits it."""
        task = asyncio.create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    async def _hang_up(self, client: Client, channel_id: str) -> None:
        try:
            await client.channels.hangup(channel_id, "congestion")
        except AriError as error:
            log.warning("channel %s could not be let go: %s", channel_id, error)

    def _ended(self, task: asyncio.Task[Settlement]) -> None:
        session = self._sessions.pop(task)
        error = task.exception()
        self._save(task.result() if error is None else self._broken(session, error))
        self._pause_the_silent(session)

    def _pause_the_silent(self, session: Session) -> None:
        """Destinations that have left too many calls unanswered are offered no more."""
        now = CallClock().now()
        for leg in session.record.legs:
            if leg.outcome == "no_answer":
                rule = session.destination(leg.destination).auto_pause
                reason = self._unanswered.note(leg.destination, rule, now)
                if reason is not None:
                    self._do(self._pause(Pause(leg.destination, now, reason, "callrace")))

    async def _pause(self, pause: Pause) -> None:
        try:
            await asyncio.to_thread(pauses.pause, self._engine, pause)
        except (SQLAlchemyError, StoreError) as error:
            log.warning("%s is not paused (%s): %s", pause.destination, pause.reason, error)
        else:
            log.warning(
                "%s is paused: %s; `callrace agents resume %s` when it is back",
                pause.destination, pause.reason, pause.destination,
            )  # fmt: skip

    def _save(self, settlement: Settlement) -> None:
        try:
            self._writer.submit(settlement)
        except StoreError as refusal:
            log.error("call %s is not saved: %s", settlement.record.id, refusal)

    def _broken(self, session: Session, error: BaseException) -> Settlement:
        """A defect of ours ended the call: it is recorded, and moves no money."""
        log.error("call %s broke", session.record.id, exc_info=error)
        session.record.disposition = "failed"
        session.record.ended_at = session.record.ended_at or session.call.now()
        session.call.note("failed", f"{type(error).__name__}: {error}")
        return Settlement(session.record)

    async def drain(self) -> None:
        """Ends every call under way and waits, a bounded time, until they are gone and settled."""
        tasks = list(self._sessions)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=DRAIN_S)
        if self._chores:
            await asyncio.wait(self._chores, timeout=DRAIN_S)

    # What operators see

    def status(self) -> dict[str, Any]:
        """How the switch is, for `callrace lab status` and `callrace doctor`."""
        snapshot = self.market.snapshot
        return {
            "pid": os.getpid(),
            "started_at": iso(self._started_at),
            "asterisk": "connected" if self.client is not None and self.client.connected else "not connected",
            "marketplace_version": snapshot.version if snapshot else None,
            "calls": len(self._sessions),
            "unsaved_calls": self._writer.backlog(),
            "capacity_in_use": self._capacity.in_use(),
        }

    def live(self) -> list[dict[str, object]]:
        """The calls under way."""
        return [live_view(session.record) for session in self._sessions.values()]


def _asked(campaigns: Mapping[str, Campaign]) -> tuple[frozenset[Kind], int]:
    """What the campaigns' terms ask about repeat callers, and how far back, in ms."""
    return kinds_of(campaigns.values()), longest_window(campaigns.values())
