"""Asterisk may crash of itself under such a load. Then it is started again, as its operator would, and it is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.chaos.faults import Fault, Injected
from tests.chaos.stage import Stage

_POLL_S = 0.05


@asynccontextmanager
async def _nothing(stage: Stage) -> AsyncIterator[None]:
    yield


CRASHED = Fault("Asterisk crashed of itself", _nothing, (0.0, 0.0), kills=True, kills_asterisk=True)
"""What is noted for a crash that nobody injected. All calls end with it, as with a kill."""


@asynccontextmanager
async def started_again(stage: Stage, injected: list[Injected]) -> AsyncIterator[None]:
    """Meanwhile, Asterisk is started again when it has died; `injected` gets a line for each time.

    Its time is when it was found dead, and when it has booted.
    """
    over = asyncio.Event()
    watching = asyncio.create_task(_start_again(stage, injected, over))
    try:
        yield
    finally:
        over.set()
        await watching


async def _start_again(stage: Stage, injected: list[Injected], over: asyncio.Event) -> None:
    while not over.is_set():
        async with stage.starting:
            if not _is_alive(stage.lab.pid):
                died_at = time.time()
                await stage.start_asterisk()
                injected.append(Injected(CRASHED, died_at, died_at, time.time()))
        await asyncio.sleep(_POLL_S)


def _is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
