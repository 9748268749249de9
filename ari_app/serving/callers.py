"""What the switch remembers about callers: when they last dialled, and their earlier calls."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.market.terms import Basis
from ari_app.domain.terms.qualification import EarlierCall
from ari_app.domain.terms.repeats import Memory, RepeatKind

log = logging.getLogger(__name__)

REDIALS_KEPT = 10_000
RECALL_S = 10.0  # how long an ended call waits for earlier calls to be read


class InMemoryCallers:
    """A `protocols.Callers` of one process. `lookback` fills it from the store while calls are served.

    It keeps at most REDIALS_KEPT redials, and earlier calls as far back as the longest window of any campaign.
    """

    def __init__(self) -> None:
        self._dialled: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._memory = Memory()
        self._has_asked = asyncio.Event()
        self._is_known = asyncio.Event()
        self._is_known.set()
        self._pages = 0  # of earlier calls, read so far

    def dialled(self, did: str, ani: str | None, at: int) -> int | None:
        """Remembers a call to a number. Returns when (ms) the same caller dialled it before, or None."""
        if ani is None:
            return None
        before = self._dialled.pop((did, ani), None)
        self._dialled[did, ani] = at
        if len(self._dialled) > REDIALS_KEPT:
            self._dialled.popitem(last=False)
        return before

    def withdrawn(self, did: str, ani: str | None, at: int) -> None:
        """Forgets a call that began at this time (ms) and was given up unanswered: the next call is no redial."""
        if ani is not None and self._dialled.get((did, ani)) == at:
            del self._dialled[did, ani]

    def remember(self, basis: Basis, record: CallRecord, at: int) -> dict[RepeatKind, EarlierCall]:
        """Remembers that this call now meets `basis`. Returns as `last` does, without this call."""
        return self._memory.remember(basis, record, at)

    def last(self, basis: Basis, record: CallRecord) -> dict[RepeatKind, EarlierCall]:
        """This caller's previous call under each repeat rule of this basis (any, connected, qualified)."""
        return self._memory.last(basis, record)

    def converted(self, known: Iterable[CallRecord]) -> None:
        """Adds calls that became payable after they had ended."""
        for record in known:
            self._memory.recall_payable(record)

    # Looking back: once terms ask about earlier calls, new calls are remembered, and older ones are read from the store

    def ask(self, kinds: frozenset[RepeatKind], window_ms: int) -> None:
        """From now on these kinds are remembered for `window_ms`. Older calls are then to be read (see `asked`)."""
        is_known = kinds <= self._memory.kinds and window_ms <= self._memory.window_ms
        self._memory.widen(kinds, window_ms)
        if not is_known:
            self._has_asked.set()
            self._is_known.clear()

    async def asked(self) -> tuple[frozenset[RepeatKind], int]:
        """Waits until older calls are to be read; returns of which kinds, and how far back (ms)."""
        await self._has_asked.wait()
        self._has_asked.clear()
        return self._memory.kinds, self._memory.window_ms

    def recall(self, known: Iterable[CallRecord]) -> None:
        """Adds ended calls, in any order."""
        for record in known:
            self._memory.recall(record)

    def recall_before(self, known: Iterable[CallRecord]) -> None:
        """Adds one page of the older calls. Whoever waits in `earlier` goes on waiting for the other pages."""
        self._pages += 1
        self.recall(known)

    def recalled(self) -> None:
        """Says that all older calls were added, unless more were asked for meanwhile."""
        if not self._has_asked.is_set():
            self._is_known.set()

    async def earlier(self, record: CallRecord) -> dict[RepeatKind, EarlierCall]:
        """The caller's calls before this one; waits until older calls are read.

        If the store gives nothing for RECALL_S, returns what is known: the call has ended, and must be settled.
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
