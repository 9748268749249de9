"""Keeps up to date what decisions need while calls run: the marketplace, the caps, and callers' earlier calls."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from sqlalchemy import Engine

from ari_app.domain.market.campaigns import Campaign
from ari_app.domain.routing.snapshot import Snapshot
from ari_app.domain.terms.repeats import RepeatKind, kinds_of, longest_window
from ari_app.serving.chores import Chores
from ari_app.serving.clock import CallClock
from ari_app.serving.lookback import keep_hearing, keep_looking_back
from ari_app.serving.market import Market
from ari_app.store.calls import calls
from ari_app.store.calls.writer import Writer
from ari_app.switch.shared import Shared

log = logging.getLogger(__name__)

OVERLAP_MS = 60_000  # re-read this much on each poll: the reporter's clock may be behind ours


class Upkeep:
    """`started_at` (ms) is when the switch started; `chores` runs the work that is repeated."""

    def __init__(
        self, engine: Engine, market: Market, shared: Shared, writer: Writer, chores: Chores
    ) -> None:
        self.chores = chores
        self.started_at = CallClock().now()
        self._engine = engine
        self._market = market
        self._shared = shared
        self._writer = writer
        self._heard = 0
        self._converted_until = self.started_at

    def load(self) -> None:
        """Reads the marketplace in force, and which caps are full. Earlier calls are read later, while calls run."""
        self._heard = calls.newest_of_others(self._engine)
        self._market.load()
        if self._market.snapshot is None:
            log.info("no marketplace is applied yet: calls are refused until one is")
            return
        marketplace = self._market.snapshot.marketplace
        self._shared.callers.ask(*_asked(marketplace.campaigns))
        self._shared.caps.look(marketplace)

    async def keep_up_to_date(self) -> None:
        """Loads what is applied while calls run, and watches the caps. Runs for ever."""
        callers, caps, engine = self._shared.callers, self._shared.caps, self._engine
        await asyncio.gather(
            self._market.keep_up_to_date(self._taken_over),
            caps.keep_looking(lambda: self._market.snapshot),
            caps.keep_sweeping(self._writer.backlog),
            keep_looking_back(engine, self._writer.spooled_calls, callers, self.chores),
            keep_hearing(engine, self._heard, callers, self.chores),
        )

    async def _taken_over(self, snapshot: Snapshot) -> None:
        """Reads calls that count as converted since the last poll, and earlier calls if new terms ask about them."""
        campaigns = snapshot.marketplace.campaigns
        since, self._converted_until = self._converted_until, CallClock().now()
        told = await asyncio.to_thread(calls.converted_callers, self._engine, since - OVERLAP_MS)
        self._shared.callers.converted(told)
        self._shared.callers.ask(*await asyncio.to_thread(_asked, campaigns))


def _asked(campaigns: Mapping[str, Campaign]) -> tuple[frozenset[RepeatKind], int]:
    """The kinds of repeat that the campaigns' terms ask about, and how far back (ms)."""
    return kinds_of(campaigns.values()), longest_window(campaigns.values())
