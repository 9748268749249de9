"""The marketplace in force, kept at hand in memory by the programs that answer from it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ari_app.domain.geo import Geography
from ari_app.domain.snapshot import Snapshot
from ari_app.store import marketplaces, revision
from ari_app.store.errors import StoreError

log = logging.getLogger(__name__)

RELOAD_EVERY_S = 1.0

TakenOver = Callable[[Snapshot], Awaitable[None]]


class Market:
    """`snapshot` is the newest one; None as long as no marketplace was applied."""

    def __init__(self, engine: Engine, geography: Geography) -> None:
        self._engine = engine
        self._geography = geography
        self._revision: int | None = None
        self.snapshot: Snapshot | None = None

    def load(self) -> None:
        """Takes over what is applied, if anything is. Raises StoreError."""
        loaded = marketplaces.load(self._engine)
        if loaded is None:
            return
        self.snapshot = loaded.snapshot(self._geography)
        self._revision = loaded.revision
        log.info("marketplace version %s is in force", loaded.version)

    def snapshot_of(self, version: int, at: int) -> Snapshot | None:
        """The snapshot that a call began with, in force or not. Raises StoreError."""
        if self.snapshot is not None and self.snapshot.version == version:
            return self.snapshot
        loaded = marketplaces.load_version(self._engine, version, at)
        return loaded.snapshot(self._geography) if loaded else None

    async def keep_up_to_date(self, taken_over: TakenOver | None = None) -> None:
        """Takes over an applied marketplace or a pause within RELOAD_EVERY_S. Runs for ever.

        `taken_over` is awaited with each new snapshot.
        """
        while True:
            await asyncio.sleep(RELOAD_EVERY_S)
            try:
                if await asyncio.to_thread(revision.read, self._engine) == self._revision:
                    continue
                await asyncio.to_thread(self.load)
                if taken_over is not None and self.snapshot is not None:
                    await taken_over(self.snapshot)
            except (SQLAlchemyError, StoreError) as error:
                log.warning("the database does not answer (%s); memory serves on", error)
