"""What the switch remembers of callers: when they last dialled, how often, and their earlier calls."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.market.terms import Basis
from ari_app.domain.routing.ratelimits import RateLimits
from ari_app.domain.terms.qualification import EarlierCall
from ari_app.domain.terms.repeats import Memory, RepeatKind

log = logging.getLogger(__name__)

REDIALS_KEPT = 10_000
RECALL_S = 10.0  # so long an ended call waits for the store to tell more


class Callers:
    """The memory behind rapid redial and repeat callers. `lookback` fills it from the store, while calls are served.

    Redials are bounded by number, earlier calls by the longest window any campaign asks for.
    """

    def __init__(self) -> None:
        self._dialled: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._memory = Memory()
        self._has_asked = asyncio.Event()
        self._is_known = asyncio.Event()
        self._is_known.set()
        self._pages = 0  # of before, recalled so far
        self.rates = RateLimits()

    def dialled(self, did: str, ani: str | None, at: int) -> int | None:
        """Notes a call to a number; when the same caller dialled it before (ms), or None."""
        if ani is None:
            return None
        before = self._dialled.pop((did, ani), None)
        self._dialled[did, ani] = at
        if len(self._dialled) > REDIALS_KEPT:
            self._dialled.popitem(last=False)
        return before

    def note(self, basis: Basis, record: CallRecord, at: int) -> dict[RepeatKind, EarlierCall]:
        """Notes that a call is now what `basis` says; the caller's earlier calls that were."""
        return self._memory.note(basis, record, at)

    def last(self, basis: Basis, record: CallRecord) -> dict[RepeatKind, EarlierCall]:
        """The caller's earlier calls that are what `basis` says."""
        return self._memory.last(basis, record)

    def converted(self, known: Iterable[CallRecord]) -> None:
        """Takes in calls that have come to be payable since they were over."""
        for record in known:
            self._memory.recall_payable(record)

    # Looking back: what terms ask about is noted from the moment that they ask, and read from the store meanwhile

    def ask(self, kinds: frozenset[RepeatKind], window_ms: int) -> None:
        """From now on these kinds are remembered for `window_ms`. Those of before are to be recalled."""
        is_known = kinds <= self._memory.kinds and window_ms <= self._memory.window_ms
        self._memory.widen(kinds, window_ms)
        if not is_known:
            self._has_asked.set()
            self._is_known.clear()

    async def asked(self) -> tuple[frozenset[RepeatKind], int]:
        """Waits until calls of before are to be recalled: of which kinds, and of how long, in ms."""
        await self._has_asked.wait()
        self._has_asked.clear()
        return self._memory.kinds, self._memory.window_ms

    def recall(self, known: Iterable[CallRecord]) -> None:
        """Takes in calls that are over, in any order."""
        for record in known:
            self._memory.recall(record)

    def recall_before(self, known: Iterable[CallRecord]) -> None:
        """The same, of a page of what was asked about: who waits for the rest waits on."""
        self._pages += 1
        self.recall(known)

    def recalled(self) -> None:
        """All that was asked about is taken in, unless more was asked meanwhile."""
        if not self._has_asked.is_set():
            self._is_known.set()

    async def earlier(self, record: CallRecord) -> dict[RepeatKind, EarlierCall]:
        """The caller's calls before this one, when those of before are recalled.

        Where the store tells nothing for RECALL_S, those that are known: the call is over, and is to be settled.
        """
        pages = -1
        while not self._is_known.is_set() and pages != self._pages:
            pages = self._pages
            with suppress(TimeoutError):
                async with asyncio.timeout(RECALL_S):
                    await self._is_known.wait()
        if not self._is_known.is_set():
            log.warning("call %s is judged while callers of before are not known yet", record.id)
        memory = self._memory
        found = memory.before("any", record, record.started_at)
        if record.connected_at is not None:
            found |= memory.before("connected", record, record.connected_at)
        return found | memory.last("qualified", record)
