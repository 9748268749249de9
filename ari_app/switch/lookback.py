"""Callers of before, read from the store: a page after the other, the last call first, while calls are served.

A window may hold a million calls: to take them in at once would let those under way stand still for seconds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from sqlalchemy import Engine

from ari_app.domain.record import CallRecord
from ari_app.store import calls
from ari_app.switch.callers import Callers
from ari_app.switch.chores import Chores
from ari_app.switch.clock import CallClock

log = logging.getLogger(__name__)

PAGE = 2_000  # calls in a query
AT_ONCE = 200  # calls taken in while the event loop waits: a millisecond
AGAIN_S = 1.0


async def keep_looking_back(engine: Engine, callers: Callers, chores: Chores) -> None:
    """Recalls what is asked about, whenever more is. Runs for ever."""
    while True:
        kinds, window_ms = await callers.asked()
        if kinds:
            is_connected = all(basis != "any" for basis, _ in kinds)
            await _recall(engine, callers, chores, CallClock().now() - window_ms, is_connected)
        callers.recalled()


async def _recall(engine: Engine, callers: Callers, chores: Chores, since: int, is_connected: bool) -> None:
    count, pages = 0, list[Sequence[CallRecord]]()

    async def take_in_next() -> None:
        last = pages[-1][-1] if pages else None
        page = await asyncio.to_thread(calls.callers_before, engine, last, since, is_connected, PAGE)
        await _take_in(callers, page)
        pages[:] = [page]

    while True:
        if not await chores.attempt("recalling callers of before", take_in_next):
            await asyncio.sleep(AGAIN_S)
            continue
        count += len(pages[0])
        if len(pages[0]) < PAGE:
            log.info("%d calls of before are recalled, for repeat callers", count)
            return


async def _take_in(callers: Callers, page: Sequence[CallRecord]) -> None:
    for start in range(0, len(page), AT_ONCE):
        callers.recall(page[start : start + AT_ONCE])
        await asyncio.sleep(0)
