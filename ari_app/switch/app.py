"""The switch: takes every call that Asterisk hands over."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Engine

from ari_app import logs
from ari_app.ari.client import Client
from ari_app.ari.errors import AriError
from ari_app.ari.events import StasisStart
from ari_app.domain.clock import iso
from ari_app.domain.geo import Geography
from ari_app.domain.marketplace import Marketplace
from ari_app.domain.qualification import EarlierCall
from ari_app.domain.record import CallRecord
from ari_app.domain.snapshot import Snapshot
from ari_app.store import calls
from ari_app.store.calls import Settlement
from ari_app.store.errors import StoreError
from ari_app.store.writer import CAPACITY, Writer
from ari_app.switch.callers import Callers
from ari_app.switch.capacity import Capacity
from ari_app.switch.clock import CallClock
from ari_app.switch.live import PHASES, agents_view, live_view, phase_of
from ari_app.switch.market import Market
from ari_app.switch.metrics import Metrics
from ari_app.switch.phones import Phones
from ari_app.switch.session import Session
from ari_app.switch.sweeper import Sweeper

log = logging.getLogger(__name__)

CALLS_AT_ONCE = 2_000
DRAIN_S = 20.0
BACKLOG_LIMIT = CAPACITY // 2  # of calls to be saved; beyond it new calls had better go elsewhere


class Switch:
    """Sessions, one a call, and the market that the next call starts from."""

    def __init__(
        self, engine: Engine, writer: Writer, geography: Geography, metrics: Metrics | None = None
    ) -> None:
        self._engine = engine
        self._writer = writer
        self.market = Market(engine, geography)
        self._capacity = Capacity()
        self._phones = Phones(self._capacity)
        self._sweeper = Sweeper()
        self._supervision: Mapping[str, Any] = {"ami": "not connected", "problem": "not watched"}
        self._callers = Callers()
        self._sessions: dict[asyncio.Task[Settlement], Session] = {}
        self._refusals: set[asyncio.Task[None]] = set()
        self._started_at = CallClock().now()
        self.metrics = metrics or Metrics()
        self.is_draining = False
        self.client: Client | None = None

    def load(self) -> None:
        """Reads the marketplace in force, and the callers that its windows still remember."""
        self.market.load()
        if self.market.snapshot is None:
            log.info("no marketplace is applied yet: calls are refused until one is")
            return
        window_ms = _longest_window(self.market.snapshot.marketplace)
        self._callers.look_back(window_ms, self._connected_within(window_ms))

    async def keep_up_to_date(self) -> None:
        """Takes over what is applied while calls run. Runs for ever."""
        await self.market.keep_up_to_date(self._taken_over)

    async def _taken_over(self, snapshot: Snapshot) -> None:
        """A longer window than before reaches callers whom nobody remembers: they are read again."""
        window_ms = _longest_window(snapshot.marketplace)
        if window_ms > self._callers.window_ms:
            self._callers.look_back(window_ms, await asyncio.to_thread(self._connected_within, window_ms))

    def _connected_within(self, window_ms: int) -> list[tuple[str, str, EarlierCall]]:
        since = CallClock().now() - window_ms
        return [
            (caller.campaign, caller.ani, EarlierCall(caller.call_id, caller.connected_at))
            for caller in calls.recent_callers(self._engine, since)
        ]

    # Calls

    def on_incoming(self, start: StasisStart) -> None:
        """A channel entered Stasis that no call has made: a new call, or something to be let go."""
        assert self.client is not None
        snapshot = self.market.snapshot
        if snapshot is None or len(self._sessions) >= CALLS_AT_ONCE or start.args[:1] != ("in",):
            log.warning("channel %s refused: no marketplace, or too many calls", start.channel_id)
            self._refuse(self.client, start.channel_id)
            return
        session = Session(self.client, start, snapshot, self._capacity, self._callers)
        task = asyncio.create_task(session.run(), name=f"call-{session.record.id}")
        self._sessions[task] = session
        task.add_done_callback(self._ended)

    def _refuse(self, client: Client, channel_id: str) -> None:
        task = asyncio.create_task(self._hang_up(client, channel_id))
        self._refusals.add(task)
        task.add_done_callback(self._refusals.discard)

    async def _hang_up(self, client: Client, channel_id: str) -> None:
        try:
            await client.channels.hangup(channel_id, "congestion")
        except AriError as error:
            log.warning("channel %s could not be let go: %s", channel_id, error)

    def _ended(self, task: asyncio.Task[Settlement]) -> None:
        session = self._sessions.pop(task)
        error = task.exception()
        settlement = task.result() if error is None else self._broken(session, error)
        try:
            self._writer.submit(settlement)
        except StoreError as refusal:
            log.error("call is not saved: %s", refusal, extra=logs.fields(call=session.record.id))
        self.metrics.ended(settlement.record)
        log.info("call ended", extra=_summary(settlement.record))

    def _broken(self, session: Session, error: BaseException) -> Settlement:
        """A defect of ours ended the call: it is recorded, and moves no money."""
        log.error("call broke", exc_info=error, extra=logs.fields(call=session.record.id))
        session.record.disposition = "failed"
        session.record.ended_at = session.record.ended_at or session.call.now()
        session.call.note("failed", f"{type(error).__name__}: {error}")
        return Settlement(session.record)

    async def drain(self) -> None:
        """Ends every call under way and waits, a bounded time, until they are gone and settled."""
        self.is_draining = True
        tasks = list(self._sessions)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=DRAIN_S)

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
        calls = {session.record.id for session in self._sessions.values()}
        for channel_id in self._sweeper.stale(loose, calls, time.monotonic()):
            log.warning("leg %s is hung up: its call is over", channel_id)
            self.metrics.swept.inc()
            if self.client is not None:
                self._refuse(self.client, channel_id)

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
            "calls_by_phase": dict.fromkeys(PHASES, 0)
            | Counter(phase_of(session.record) for session in self._sessions.values()),
            "unsaved_calls": self._writer.backlog(),
            "capacity_in_use": self._capacity.in_use(),
            "malformed_events": self.client.malformed_events if self.client is not None else 0,
            "not_ready": self.not_ready(),
            "supervision": {
                **self._supervision,
                "phones": self._phones.counts(),
                "stray_legs": self._sweeper.strays(),
            },
            "agents": agents_view(snapshot, self._capacity, self._phones.states()) if snapshot else [],
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
            "draining": self.is_draining,
        }
        return [reason for reason, is_so in reasons.items() if is_so]

    def live(self) -> list[dict[str, object]]:
        """The calls under way."""
        return [live_view(session.record, session.legs) for session in self._sessions.values()]


def _summary(record: CallRecord) -> dict[str, Any]:
    """What the log says of a call that has ended; the amounts in minor units."""
    verdict, money = record.qualification, record.money
    return logs.fields(
        call=record.id,
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


def _longest_window(marketplace: Marketplace) -> int:
    """How far back, in ms, any campaign asks for repeat callers."""
    windows = [
        clause.no_repeat_within or 0
        for campaign in marketplace.campaigns.values()
        for clause in campaign.qualify
    ]
    return max(windows, default=0)
