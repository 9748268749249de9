"""Chores: work done again and again beside the calls. A chore that fails is reported and tried again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from sqlalchemy.exc import SQLAlchemyError

from ari_app.store.db.errors import StoreError

log = logging.getLogger(__name__)

EXPECTED = (SQLAlchemyError, StoreError, OSError)
"""Errors that a chore must expect. Any other error is a defect, and is logged with its traceback."""


class Chores:
    """`failing`: the chores whose last attempt failed, with the reason; for status, `callrace doctor` and a metric."""

    def __init__(self) -> None:
        self.failing: dict[str, str] = {}

    async def attempt(self, chore: str, work: Callable[[], Awaitable[None]]) -> bool:
        """Does a chore once; returns whether it succeeded. The first failure is logged, and later the recovery."""
        try:
            await work()
        except Exception as error:
            if chore not in self.failing:
                traceback = None if isinstance(error, EXPECTED) else error
                log.error("%s fails, and is tried again: %s", chore, _said(error), exc_info=traceback)
            self.failing[chore] = _said(error)
            return False
        if self.failing.pop(chore, None) is not None:
            log.info("%s: done again", chore)
        return True

    async def until_done(self, chore: str, work: Callable[[], Awaitable[None]], again_s: float) -> None:
        """Tries a chore every `again_s` until it succeeds."""
        while True:
            if await self.attempt(chore, work):
                return
            await asyncio.sleep(again_s)


def _said(error: Exception) -> str:
    """An error in one line: an expected one by its first line, any other one with its type."""
    first, *_ = str(error).splitlines() or [""]
    return first if isinstance(error, EXPECTED) and first else f"{type(error).__name__}: {first}"
