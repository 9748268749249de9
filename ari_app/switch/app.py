"""The switch: takes every call that Asterisk hands over."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Coroutine
from typing import Any

from sqlalchemy import Engine

from ari_app.ari.client import Client
from ari_app.ari.errors import AriError
from ari_app.ari.events import StasisStart
from ari_app.domain.clock import iso
from ari_app.domain.geo import Geography
from ari_app.domain.ledger import settle
from ari_app.domain.leftover import UnderWay
from ari_app.domain.marketplace import Marketplace
from ari_app.domain.qualification import EarlierCall
from ari_app.domain.snapshot import Snapshot
from ari_app.store import calls
from ari_app.store.calls import Settlement
from ari_app.store.errors import StoreError
from ari_app.store.journal import Journal
from ari_app.store.writer import Writer
from ari_app.switch.call import Call
from ari_app.switch.callers import Callers
from ari_app.switch.capacity import Capacity
from ari_app.switch.clock import CallClock
from ari_app.switch.market import Market
from ari_app.switch.recovery import Resumed, Survey, survey, sweep
from ari_app.switch.session import Session, live_view, new_call

log = logging.getLogger(__name__)

CALLS_AT_ONCE = 2_000
DRAIN_S = 20.0


class Switch:
    """Sessions, one a call, and the market that the next call starts from."""

    def __init__(self, engine: Engine, writer: Writer, journal: Journal, geography: Geography) -> None:
        self._engine = engine
        self._writer = writer
        self._journal = journal
        self.market = Market(engine, geography)
        self._capacity = Capacity()
        self._callers = Callers()
        self._sessions: dict[asyncio.Task[Settlement], Session] = {}
        self._chores: set[asyncio.Task[None]] = set()
        self._arrived: set[str] | None = set()  # channels, until what was left behind is swept
        self._started_at = CallClock().now()
        self._draining = False
        self._drained = asyncio.Event()
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

    # What a switch before this one left

    def recover(self) -> None:
        """Takes up the calls of a switch that died, and begins to write this one's down.

        To be called once, when connected and before the first event is read: so none is missed, and no new
        call comes before the places of the old ones are taken. Raises StoreError.
        """
        assert self.client is not None
        left = {call.record.id: call for call in self._journal.left()}
        last_seen = self._journal.last_seen or self._started_at
        settled = self._writer.spooled() & left.keys()
        settled |= calls.saved(self._engine, left.keys())
        if left:
            log.warning(
                "a switch died, last seen at %s: %d calls were under way, %d of them are saved",
                iso(last_seen),
                len(left),
                len(settled),
            )
        self._journal.start()
        self._journal.forget(settled)
        surveyed = asyncio.create_task(survey(self.client))
        for call in (call for call_id, call in left.items() if call_id not in settled):
            if call.record.ended_at is None:
                self._take_up(call, last_seen, surveyed)
            else:  # it was settled, and the switch died before it was saved
                self._writer.submit(Settlement(call.record, settle(call.record, call.record.ended_at)))
        self._do(self._sweep(self.client, surveyed))

    def _take_up(self, left: UnderWay, last_seen: int, surveyed: asyncio.Task[Survey]) -> None:
        assert self.client is not None
        snapshot = self.market.snapshot_of(left.marketplace_version)
        if snapshot is None:
            log.error("call %s: there is no marketplace %d", left.record.id, left.marketplace_version)
            return
        call = Call(self.client, self._journal, left)
        self._begin(Resumed(call, snapshot, self._capacity, self._callers, last_seen, surveyed))

    async def _sweep(self, client: Client, surveyed: asyncio.Task[Survey]) -> None:
        assert self._arrived is not None
        await sweep(client, surveyed, self._arrived, self.on_incoming)
        self._arrived = None

    # Calls

    def on_incoming(self, start: StasisStart) -> None:
        """A channel entered Stasis that no call has made: a new call, or something to be let go."""
        assert self.client is not None
        if self._draining and start.args[:1] == ("in",):
            self._do(_hand_back(self.client, start.channel_id))
            return
        snapshot = self.market.snapshot
        # No call is taken whose record might find no place: see `Writer.room`.
        is_full = len(self._sessions) >= min(CALLS_AT_ONCE, self._writer.room())
        if snapshot is None or is_full or start.args[:1] != ("in",):
            log.warning("channel %s refused: no marketplace, or too many calls", start.channel_id)
            self._refuse(self.client, start.channel_id)
            return
        if self._arrived is not None:
            self._arrived.add(start.channel_id)
        call = new_call(self.client, start, snapshot, self._journal)
        self._begin(Session(call, snapshot, self._capacity, self._callers))

    def _begin(self, session: Session) -> None:
        task = asyncio.create_task(session.run(), name=f"call-{session.record.id}")
        self._sessions[task] = session
        task.add_done_callback(self._ended)

    def _refuse(self, client: Client, channel_id: str) -> None:
        self._do(self._hang_up(client, channel_id))

    def _do(self, chore: Coroutine[Any, Any, None]) -> None:
        """Runs a chore that belongs to no call."""
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
        settlement = task.result() if error is None else self._broken(session, error)
        try:
            self._writer.submit(settlement)
        except StoreError as refusal:
            log.error("call %s is not saved: %s", session.record.id, refusal)
        if self._draining and not self._sessions:
            self._drained.set()

    def _broken(self, session: Session, error: BaseException) -> Settlement:
        """A defect of ours ended the call: it is recorded, and moves no money."""
        log.error("call %s broke", session.record.id, exc_info=error)
        session.record.disposition = "failed"
        session.record.ended_at = session.record.ended_at or session.call.now()
        session.call.note("failed", f"{type(error).__name__}: {error}")
        return Settlement(session.record)

    def take_no_more(self) -> None:
        """From now on new calls are handed back to the dialplan, which goes on with its next rung."""
        if not self._draining:
            log.info("draining: no new calls; %d are under way", len(self._sessions))
        self._draining = True
        if not self._sessions:
            self._drained.set()

    async def drained(self) -> None:
        """Returns when no call is taken any more and the last one is over."""
        await self._drained.wait()

    async def drain(self) -> None:
        """Ends every call under way and waits, a bounded time, until they are gone and settled."""
        self.take_no_more()
        tasks = list(self._sessions)
        for task in tasks:
            task.cancel()
        waits = [*tasks, *self._chores]  # a call that came last is handed back before we go
        if waits:
            await asyncio.wait(waits, timeout=DRAIN_S)

    # What operators see

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
            "unsaved_calls": self._writer.backlog(),
            "capacity_in_use": self._capacity.in_use(),
        }

    def live(self) -> list[dict[str, object]]:
        """The calls under way."""
        return [live_view(session.record) for session in self._sessions.values()]


async def _hand_back(client: Client, channel_id: str) -> None:
    """Lets a call that we do not take go on in the dialplan, which looks at the variable."""
    try:
        await client.channels.set_channel_var(channel_id, "CALLRACE_SERVED", "no")
        await client.channels.continue_in_dialplan(channel_id)
    except AriError as error:
        log.warning("channel %s could not be handed back: %s", channel_id, error)


def _longest_window(marketplace: Marketplace) -> int:
    """How far back, in ms, any campaign asks for repeat callers."""
    windows = [
        clause.no_repeat_within or 0
        for campaign in marketplace.campaigns.values()
        for clause in campaign.qualify
    ]
    return max(windows, default=0)
