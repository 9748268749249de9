"""Reads callers' earlier calls from spool and store, page by page, while calls are served.

Also reads the calls that other programs serve meanwhile. A repeat window may hold a million calls: to read them at once
would stop the calls under way for seconds.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from sqlalchemy import Engine

from ari_app.domain.calls.record import CallRecord
from ari_app.serving.chores import Chores
from ari_app.serving.clock import CallClock
from ari_app.serving.protocols import Callers
from ari_app.store.calls import calls

log = logging.getLogger(__name__)

PAGE = 2_000  # calls in a query
AT_ONCE = 200  # calls added without giving way to the event loop: about a millisecond
AGAIN_S = 1.0
HEAR_EVERY_S = 0.5
OUT_OF_ORDER = 200  # rows that are read again, as they may not be committed in the order of their numbers

Spooled = Callable[[], Iterator[CallRecord]]
"""The calls that wait for the database."""


async def keep_looking_back(engine: Engine, spooled: Spooled, callers: Callers, chores: Chores) -> None:
    """Reads earlier calls whenever terms ask for more of them. Runs for ever.

    The spool is read first: a call that leaves it meanwhile is then found in the store.
    """
    while True:
        kinds, window_ms = await callers.asked()
        if kinds:
            await _recall_spooled(spooled, callers, chores)
            is_connected = all(basis != "any" for basis, _ in kinds)
            await _recall(engine, callers, chores, CallClock().now() - window_ms, is_connected)
        callers.recalled()


async def keep_hearing(engine: Engine, heard: int, callers: Callers, chores: Chores) -> None:
    """Reads calls that other programs save (mostly the AGI server), soon after they are saved. Runs for ever.

    `heard`: the row number of the last such call that was saved before the reading began.
    """
    recent: deque[str] = deque(maxlen=OUT_OF_ORDER)

    async def hear() -> None:
        nonlocal heard
        after = heard - OUT_OF_ORDER
        newest, page = await asyncio.to_thread(calls.news, engine, after, OUT_OF_ORDER + PAGE)
        known = set(recent)
        fresh = [record for record in page if record.id not in known]
        await _take_in(callers.recall, fresh)
        recent.extend(record.id for record in fresh)
        heard = max(heard, newest)

    while True:
        await asyncio.sleep(HEAR_EVERY_S)
        await chores.attempt("hearing of calls that others served", hear)


async def _recall_spooled(spooled: Spooled, callers: Callers, chores: Chores) -> None:
    async def take_in() -> None:
        records = spooled()
        while page := await asyncio.to_thread(list, islice(records, PAGE)):
            await _take_in(callers.recall_before, page)

    await chores.until_done("recalling callers of the spool", take_in, AGAIN_S)


async def _recall(engine: Engine, callers: Callers, chores: Chores, since: int, is_connected: bool) -> None:
    count, pages = 0, list[Sequence[CallRecord]]()

    async def take_in_next() -> None:
        last = pages[-1][-1] if pages else None
        page = await asyncio.to_thread(calls.callers_before, engine, last, since, is_connected, PAGE)
        await _take_in(callers.recall_before, page)
        pages[:] = [page]

    while not pages or len(pages[0]) == PAGE:
        await chores.until_done("recalling callers of before", take_in_next, AGAIN_S)
        count += len(pages[0])
    log.info("%d calls of before are recalled, for repeat callers", count)


async def _take_in(recall: Callable[[Sequence[CallRecord]], None], page: Sequence[CallRecord]) -> None:
    for start in range(0, len(page), AT_ONCE):
        recall(page[start : start + AT_ONCE])
        await asyncio.sleep(0)
