"""Caps and funds while a call is served: which caps are known to be full, and the one reservation a call waits for.

The database is asked on connections with short timeouts, each in its own lane (a thread): so a call that waits for a
lock delays few others. A call stays in one lane, which does one thing after the other. If the database does not answer
in time, there counts as being no room: no call is offered on a guess. The engine gives up a connection that hangs and
replaces it (`open_hasty`), so a lane is soon free again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ari_app.domain.caps import counters as domain
from ari_app.domain.caps.counters import BUDGET_MS, Answer, Wanted
from ari_app.domain.market.marketplace import Marketplace
from ari_app.domain.routing.snapshot import Attribution, Snapshot
from ari_app.serving.chores import Chores
from ari_app.serving.clock import CallClock
from ari_app.store.db.engine import open_hasty
from ari_app.store.db.errors import StoreError
from ari_app.store.limits import reservations
from ari_app.store.limits.usage import usage_of

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
SWEEP_EVERY_S = 60.0
LANES = {
    "postgresql": 4,
    "sqlite": 1,
}  # SQLite has one writer at a time; the others try again and again


class Caps:
    """Makes reservations for calls, and remembers which caps are full."""

    def __init__(self, engine: Engine, chores: Chores | None = None) -> None:
        self._engine = engine
        self._chores = chores or Chores()
        self._hasty = open_hasty(engine, BUDGET_MS)
        self._lanes = [ThreadPoolExecutor(1, "callrace-caps") for _ in range(LANES[engine.dialect.name])]
        for lane in self._lanes:
            lane.submit(usage_of, self._hasty, [0])  # connects now, so that no call waits for it
        self._gone: dict[tuple[str, int], int] = {}

    # What is known

    def full(self, marketplace: Marketplace, found: Attribution, at: int) -> str | None:
        """A sentence on a cap that has no room for this call, or None. It does not ask the database."""
        return domain.full(domain.call_claims(marketplace, found, at), self._gone) if self._gone else None

    def look(self, marketplace: Marketplace) -> None:
        """Reads which caps of campaigns, publishers and advertisers are full. Raises StoreError."""
        now = CallClock().now()
        starts = {
            domain.current(owner, cap, now).start
            for owner in domain.owners(marketplace)
            for cap in owner.caps
            if owner.kind != "destination"
        }
        found = usage_of(self._engine, starts) if starts else {}
        self._gone = {
            (key, start): domain.gone(key, usage.used, usage.reserved)
            for (key, start), usage in found.items()
        }

    async def keep_looking(self, snapshot: Callable[[], Snapshot | None]) -> None:
        """Calls `look` every LOOK_EVERY_S. Runs for ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            newest = snapshot()
            if newest is not None:
                look = partial(asyncio.to_thread, self.look, newest.marketplace)
                await self._chores.attempt("looking at caps", look)

    async def keep_sweeping(self, unsaved_calls: Callable[[], int]) -> None:
        """Gives back expired reservations of calls whose end was never reported. Runs for ever.

        It pauses while ended calls wait to be saved: they have ended, and what they used must count.
        """
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            if not unsaved_calls():
                sweep = partial(asyncio.to_thread, self._sweep)
                await self._chores.attempt("giving old reservations back", sweep)

    def _sweep(self) -> None:
        count = reservations.expire(self._engine, CallClock().now())
        if count:
            log.warning("%s reservations of calls that never came back were given back", count)

    # What is reserved

    async def reserve(self, wanted: Wanted) -> Answer:
        """Reserves what the call needs. Without an answer within BUDGET_MS, the result is a cautious one."""
        if wanted.is_nothing:
            return Answer()
        asked = self._lane(wanted.call_id).submit(reservations.reserve, self._hasty, wanted)
        try:
            async with asyncio.timeout(BUDGET_MS / 1000):
                return await asyncio.wrap_future(asked)
        except TimeoutError:
            self._cancel(asked, wanted.call_id)
            log.warning("call %s: the database did not answer in %s ms", wanted.call_id, BUDGET_MS)
        except asyncio.CancelledError:
            self._cancel(asked, wanted.call_id)
            raise
        except (SQLAlchemyError, StoreError) as error:
            log.warning("call %s: nothing is reserved: %s", wanted.call_id, error)
        return domain.unchecked(wanted)

    def release_losers(self, call_id: str, winner: str) -> None:
        """Gives back the reservations of the destinations that lost. The call does not wait for it."""
        give_back = reservations.give_back_losers
        self._lane(call_id).submit(self._give_back, call_id, give_back, call_id, winner)

    def _cancel(self, asked: Future[Answer], call_id: str) -> None:
        """Gives back a reservation that came too late. The lane does this after the reservation itself."""
        if not asked.cancel():
            self._lane(call_id).submit(self._give_back, call_id, reservations.give_back, call_id)

    def _lane(self, call_id: str) -> ThreadPoolExecutor:
        return self._lanes[hash(call_id) % len(self._lanes)]

    def _give_back(self, call_id: str, how: Callable[..., None], *args: str) -> None:
        try:
            how(self._hasty, *args)
        except (SQLAlchemyError, StoreError) as error:
            log.warning("call %s keeps its reservations until it is settled: %s", call_id, error)
