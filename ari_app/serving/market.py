"""The marketplace in force, held in memory by the programs that serve calls."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Engine

from ari_app.domain.calls.geo import Geography
from ari_app.domain.market import trunks
from ari_app.domain.routing.snapshot import Snapshot
from ari_app.serving.chores import Chores
from ari_app.serving.clock import CallClock
from ari_app.store.db import revision
from ari_app.store.limits import spending
from ari_app.store.market import marketplaces
from ari_app.store.market.inforce import InForce

log = logging.getLogger(__name__)

RELOAD_EVERY_S = 1.0
LOOK_EVERY_S = 5.0  # at the spending of trunks, if any has a limit

TakenOver = Callable[[Snapshot], Awaitable[None]]


@contextmanager
def _uncollected() -> Iterator[None]:
    """Switches the garbage collector off within the block: a collection there would delay every call."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Market:
    """`snapshot` is the newest snapshot; None until a marketplace is applied.

    `unreadable` says why a later version than that could not be loaded; None when there is no such version.
    """

    def __init__(self, engine: Engine, geography: Geography, chores: Chores | None = None) -> None:
        self._engine = engine
        self._geography = geography
        self._chores = chores or Chores()
        self._in_force = InForce(engine)
        self._revision: int | None = None
        self._is_told = True  # whether `taken_over` has been awaited with the newest snapshot
        self._loaded: Snapshot | None = None  # with the destinations that their trunk's spending leaves out
        self._looked_at = 0.0
        self.snapshot: Snapshot | None = None
        self.unreadable: str | None = None

    def load(self) -> None:
        """Loads the marketplace in force, if there is one and it can be read. Raises StoreError."""
        with _uncollected():
            loaded = self._in_force.read()
            if loaded is None:
                return
            snapshot = loaded.snapshot(self._geography, self._loaded)
            if self._loaded is None or self._loaded.version != snapshot.version:
                # Nor later. Not at each step of the desk: reference cycles among frozen objects are never freed.
                gc.freeze()
        if loaded.unreadable is not None and loaded.unreadable != self.unreadable:
            log.error("%s; marketplace %d stays in force", loaded.unreadable, loaded.version)
        self.snapshot = self._within_spend(snapshot)
        self._loaded, self._looked_at = snapshot, time.monotonic()
        self._revision, self._is_told, self.unreadable = loaded.revision, False, loaded.unreadable
        log.info("marketplace version %s is in force", loaded.version)

    def snapshot_of(self, version: int) -> Snapshot | None:
        """The snapshot of any version, for calls that are pinned to it. Raises StoreError."""
        if self.snapshot is not None and self.snapshot.version == version:
            return self.snapshot
        loaded = marketplaces.load_version(self._engine, version)
        return loaded.snapshot(self._geography) if loaded else None

    async def keep_up_to_date(self, taken_over: TakenOver | None = None) -> None:
        """Loads a newly applied marketplace, or a new pause, within RELOAD_EVERY_S. Runs for ever.

        `taken_over` is awaited with each new snapshot.
        """
        while True:
            await asyncio.sleep(RELOAD_EVERY_S)
            await self._chores.attempt("reloading the marketplace", lambda: self._look(taken_over))

    async def _look(self, taken_over: TakenOver | None) -> None:
        if await asyncio.to_thread(revision.read, self._engine) != self._revision:
            await asyncio.to_thread(self.load)
        elif time.monotonic() - self._looked_at > LOOK_EVERY_S:
            await asyncio.to_thread(self._look_at_spending)
        if taken_over is not None and self.snapshot is not None and not self._is_told:
            await taken_over(self.snapshot)
            self._is_told = True

    def _look_at_spending(self) -> None:
        """Leaves out the destinations whose trunk has reached its spending limit. Raises StoreError."""
        self._looked_at = time.monotonic()
        if self._loaded is None or self.snapshot is None:
            return
        within = self._within_spend(self._loaded)
        if (within.barred, within.spent) != (self.snapshot.barred, self.snapshot.spent):
            self.snapshot = within

    def _within_spend(self, snapshot: Snapshot) -> Snapshot:
        marketplace = snapshot.marketplace
        since = trunks.limited(marketplace.trunks, CallClock().now())
        if not since:
            return snapshot
        destinations = defaultdict(list)
        for name, destination in marketplace.destinations.items():
            destinations[destination.dial.trunk or ""].append(name)
        for trunk in since:
            destinations[trunk].append(trunks.legs_of(trunk))
        talked_ms = spending.talked_ms(self._engine, destinations, since)
        spent = trunks.spent_up(marketplace, talked_ms)
        overspent = trunks.overspent(marketplace, talked_ms)
        return replace(snapshot, barred={**overspent, **snapshot.barred}, spent=spent) if spent else snapshot
