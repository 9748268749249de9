"""The switch: takes every call that Asterisk hands over. Here its parts are put together.

admission     whether and how a new call is taken          `session` serves it
succession    the calls that an earlier switch left        `recovery`, `bystander`
in hand       the calls under way, each in its own task
endings       saves and counts the calls that have ended
supervision   watches Asterisk beside the calls            `survey`, `sweeper`
upkeep        keeps marketplace, caps and callers up to date
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Engine

from ari_app.ari.client import Client
from ari_app.ari.events import StasisStart
from ari_app.domain.basics.clock import iso
from ari_app.domain.calls.geo import Geography
from ari_app.domain.calls.stage import ROWS
from ari_app.serving.caps import Caps
from ari_app.serving.chores import Chores
from ari_app.serving.market import Market
from ari_app.serving.phones import Phones
from ari_app.store.calls.journal import Journal
from ari_app.store.calls.writer import CAPACITY, Writer
from ari_app.switch.admission import Admission
from ari_app.switch.endings import Endings
from ari_app.switch.inhand import CALLS_AT_ONCE, InHand
from ari_app.switch.live import PHASES, agents_view, live_view
from ari_app.switch.metrics import Metrics
from ari_app.switch.shared import Shared
from ari_app.switch.succession import Succession
from ari_app.switch.supervision import Supervision
from ari_app.switch.upkeep import Upkeep

log = logging.getLogger(__name__)

DRAIN_S = 20.0
LEAVE_S = 0.5  # when leaving, ended calls are saved for this long while calls go on
STAND_S = 0.02  # and then for this long while the event loop stands still; the rest goes to the spool
BACKLOG_LIMIT = CAPACITY // 2  # of calls to be saved; above it, new calls should take another route


class Switch:
    """A switch, as programs and people see it. `client` is set when it is connected."""

    def __init__(
        self,
        engine: Engine,
        writer: Writer,
        journal: Journal,
        geography: Geography,
        metrics: Metrics | None = None,
    ) -> None:
        chores = Chores()
        self.metrics = metrics or Metrics()
        self.client: Client | None = None
        self.market = market = Market(engine, geography, chores)
        self.shared = shared = Shared.of(Caps(engine, chores))
        self._journal = journal
        self._writer = writer
        self._in_hand = in_hand = InHand()
        self._endings = endings = Endings(engine, writer, self.metrics, in_hand, shared.unanswered)
        self._admission = Admission(market, shared, journal, writer, in_hand, endings)
        self._succession = Succession(engine, market, shared, journal, writer, in_hand, endings)
        self._supervision = Supervision(
            market, Phones(shared.capacity), in_hand, self.metrics, self.on_incoming
        )
        self._upkeep = Upkeep(engine, market, shared, writer, chores)

    def load(self) -> None:
        """Reads the marketplace in force, and which caps are full. Earlier calls are read later, while calls run."""
        self._upkeep.load()

    async def keep_up_to_date(self) -> None:
        """Loads what is applied while calls run, and watches the caps. Runs for ever."""
        await self._upkeep.keep_up_to_date()

    # Calls

    def recover(self) -> None:
        """Recovers the calls of a switch that died, and begins this switch's journal.

        Call it once, when connected and before the first event is read: so no event is missed, and no new call comes
        before the old calls have taken their places. Raises StoreError.
        """
        assert self.client is not None
        surveyed = self._supervision.first_look(self.client)
        self._succession.recover(self.client, surveyed, self._upkeep.started_at)
        self._supervision.sweep(self.client, surveyed)

    def on_incoming(self, start: StasisStart) -> None:
        """A channel that no call has made entered Stasis: a new call, or a channel to be hung up."""
        assert self.client is not None
        self._admission.on_incoming(self.client, start)

    def on_reconnected(self) -> None:
        """Events were lost in a break. One survey shows each call what has changed, and finds channels without one."""
        assert self.client is not None
        self._supervision.look_again(self.client)

    def tell(self) -> None:
        """Counts and logs the calls that have ended."""
        self._endings.tell()

    # The end

    def take_no_more(self) -> None:
        """From now on new calls are sent back to the dialplan, which serves them without a switch."""
        self._in_hand.take_no_more()

    async def drained(self) -> None:
        """Waits until no call is taken any more and the last one is over."""
        await self._in_hand.drained()

    async def drain(self) -> None:
        """Ends every call under way and waits, a bounded time, until they are gone and settled."""
        self.take_no_more()
        waits = self._in_hand.end_all()
        self._supervision.look_no_more()
        if waits:
            await asyncio.wait(waits, timeout=DRAIN_S)
        self.tell()

    async def leave(self) -> bool:
        """Saves the calls that have ended, while the others go on, and then hands over."""
        await asyncio.to_thread(self._writer.flush, LEAVE_S)
        return self.hand_over()

    def hand_over(self) -> bool:
        """Writes each call as it is now into the journal, for the next switch; returns False when that is impossible.

        After True nothing more may happen: the process must end at once, without ending its calls.
        """
        if not self._journal.is_usable:
            log.error("not handed over: the disk does not take the calls under way; this switch goes on")
            return False
        for session in self._in_hand.sessions.values():
            session.call.keep()  # a call that is only watched was saved when it was set aside
        self._writer.close(STAND_S)
        self._journal.close()
        self.tell()
        log.info("handed over: %d calls are left in Asterisk for the next switch", len(self._in_hand.calls()))
        return True

    # Supervision of Asterisk

    def trunks(self) -> set[str]:
        """The trunks by which destinations are dialled."""
        return self._supervision.trunks()

    def phone_changed(self, phone: str, state: str) -> None:
        """A registered phone has a new device state, named as in Asterisk."""
        self._supervision.phone_changed(phone, state)

    def supervised(self, seen: Mapping[str, Any], loose: Collection[str]) -> None:
        """Takes what AMI has shown (`ami`, `problem`, ...), and the channels in no bridge; hangs up stray legs."""
        self._supervision.supervised(self.client, seen, loose)

    # What operators see

    def renew_journal(self) -> None:
        """Removes ended calls from the journal, within two seconds."""
        self._journal.compact()

    def status(self) -> dict[str, Any]:
        """The switch's state, for `callrace lab status` and `callrace doctor`."""
        snapshot = self.market.snapshot
        return {
            "pid": os.getpid(),
            "started_at": iso(self._upkeep.started_at),
            "asterisk": "connected" if self.client is not None and self.client.connected else "not connected",
            "marketplace_version": snapshot.version if snapshot else None,
            "draining": self._in_hand.is_draining,
            "calls": len(self._in_hand.sessions),
            "calls_by_phase": dict.fromkeys(PHASES, 0)
            | Counter(ROWS[session.call.stage].phase for session in self._in_hand.sessions.values()),
            "unsaved_calls": self._writer.backlog(),
            "saving_problem": self._writer.problem(),
            "refused_calls": self._writer.refused(),
            "calls_set_aside": len(self._journal.aside),
            "unreadable_marketplace": self.market.unreadable,
            "failing_chores": dict(self._upkeep.chores.failing),
            "capacity_in_use": self.shared.capacity.in_use(),
            "on_trunks": self.shared.capacity.on_trunks(),
            "malformed_events": self.client.malformed_events if self.client is not None else 0,
            "not_ready": self.not_ready(),
            "supervision": self._supervision.status(),
            "agents": agents_view(snapshot, self.shared.capacity, self._supervision.phones())
            if snapshot
            else [],
            "agents_total": len(snapshot.marketplace.destinations) if snapshot else 0,
        }

    def not_ready(self) -> list[str]:
        """The reasons why a call that came now would not be served well; empty when there are none."""
        backlog = self._writer.backlog()
        reasons = {
            "Asterisk is not connected": self.client is None or not self.client.connected,
            "no marketplace is applied": self.market.snapshot is None,
            f"{backlog} calls wait to be saved": backlog >= BACKLOG_LIMIT,
            f"{len(self._in_hand.sessions)} calls are under way": len(self._in_hand.sessions)
            >= CALLS_AT_ONCE,
            "draining": self._in_hand.is_draining,
        }
        return [reason for reason, is_so in reasons.items() if is_so]

    def is_ready(self) -> bool:
        """Whether a call that came now would be served well."""
        return not self.not_ready()

    def live(self) -> list[dict[str, object]]:
        """The calls under way."""
        return [
            live_view(session.record, session.call.stage, session.legs) for session in self._in_hand.calls()
        ]
