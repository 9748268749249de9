"""What the switch does now, asked for once for all who watch, and only while somebody does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from typing import Any

from anyio.to_thread import run_sync

from ari_app.desk import live
from ari_app.desk.site import Site
from ari_app.domain.reports.now import View
from ari_app.web.problems import of_error

log = logging.getLogger(__name__)

EVERY_S = 0.2


class Feed:
    """One look at the switch after another. Each is for all who watch; who is slow misses some, and no look waits."""

    def __init__(self, look: Callable[[], View]) -> None:
        self.shared: dict[Hashable, Any] = {}
        """What was made of the last look, for all who see it in the same way."""
        self._look = look
        self._watching = 0
        self._task: asyncio.Task[None] | None = None
        self._next: asyncio.Future[View] | None = None

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Has the switch be asked, as long as the block lasts."""
        self._watching += 1
        if self._task is None:
            self._task = asyncio.create_task(self._ask(), name="feed")
        try:
            yield
        finally:
            self._watching -= 1
            if not self._watching:
                self._task.cancel()
                self._task = self._next = None

    async def next(self) -> View:
        """The next look."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        return await asyncio.shield(self._next)

    async def _ask(self) -> None:
        while True:
            try:
                view = await run_sync(self._look)
            except Exception as error:
                log.error("the live board cannot be shown: %r", error, exc_info=error)
                view = View(0, problem="the live board fails; it is in the log")
            self.shared = {}
            if self._next is not None:
                waited, self._next = self._next, None
                if not waited.done():
                    waited.set_result(view)
            await asyncio.sleep(EVERY_S)


def look_at(site: Site) -> View:
    """The switch's state now; why there is none, where it does not answer."""
    try:
        return live.view(site, None)
    except Exception as error:
        problem = of_error(error)
        if problem is None:
            raise
        return View(site.now(), problem=problem.detail)
