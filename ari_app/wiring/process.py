"""What all programs that serve calls have in common: a setting of Python, and how background work is run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

log = logging.getLogger(__name__)

SWITCH_INTERVAL_S = 0.0005
"""How long another thread may hold the interpreter while the event loop waits (Python's default is 5 ms)."""

AGAIN_S = 1.0


async def run_forever(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs background work for ever. When it fails, that is logged and it is restarted; no call ends by it."""
    while True:
        try:
            await work()
        except Exception as error:
            log.error("%r, which stands beside the calls, is restarted", error, exc_info=error)
        await asyncio.sleep(AGAIN_S)
