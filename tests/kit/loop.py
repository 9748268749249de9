"""How long the event loop is stopped while something happens."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

LONGEST_STOP_S = 0.05  # what is promised


@asynccontextmanager
async def turns_of_the_loop() -> AsyncIterator[list[float]]:
    """The processor time of each turn of the loop meanwhile, s: other programs of this machine do not count.

    Nor does what pytest holds when garbage is collected: it stays out of that, as what a switch holds at its start.
    """
    turns: list[float] = []

    async def measure() -> None:
        while True:
            began = time.thread_time()
            await asyncio.sleep(0)
            turns.append(time.thread_time() - began)

    gc.collect()
    gc.freeze()
    task = asyncio.create_task(measure())
    try:
        yield turns
    finally:
        task.cancel()
        gc.unfreeze()
