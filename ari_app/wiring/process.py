"""What every program that serves calls asks of Python, and how it does what stands beside the calls."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

log = logging.getLogger(__name__)

SWITCH_INTERVAL_S = 0.0005
"""How long another thread may keep the event loop of a program that serves calls waiting, instead of Python's 5 ms."""

AGAIN_S = 1.0


async def begun_again(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Does for ever what stands beside the calls: when it breaks, that is logged, and no call ends by it."""
    while True:
        try:
            await work()
        except Exception as error:
            log.error("%r, which stands beside the calls, is begun again", error, exc_info=error)
        await asyncio.sleep(AGAIN_S)
