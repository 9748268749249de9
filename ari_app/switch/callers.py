"""What the switch remembers of callers: when they last dialled, how often, and their earlier calls."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from ari_app.domain.marketplace import Basis
from ari_app.domain.qualification import EarlierCall
from ari_app.domain.ratelimits import RateLimits
from ari_app.domain.record import CallRecord
from ari_app.domain.repeats import Kind, Memory

REDIALS_KEPT = 10_000


class Callers:
    """The memory behind rapid redial and repeat callers. `look_back` fills it from the store.

    Redials are bounded by number, earlier calls by the longest window any campaign asks for.
    """

    def __init__(self) -> None:
        self._dialled: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._memory = Memory()
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

    def note(self, basis: Basis, record: CallRecord, at: int) -> dict[Kind, EarlierCall]:
        """Notes that a call is now what `basis` says; the caller's earlier calls that were."""
        return self._memory.note(basis, record, at)

    def last(self, basis: Basis, record: CallRecord) -> dict[Kind, EarlierCall]:
        """The caller's earlier calls that are what `basis` says."""
        return self._memory.last(basis, record)

    def converted(self, known: Iterable[CallRecord]) -> None:
        """Takes in calls that have come to be payable since they were over."""
        for record in known:
            self._memory.recall_payable(record)

    def knows(self, kinds: frozenset[Kind], window_ms: int) -> bool:
        """Whether all that these kinds and this window ask about is remembered."""
        return kinds <= self._memory.kinds and window_ms <= self._memory.window_ms

    def look_back(self, kinds: frozenset[Kind], window_ms: int, known: Iterable[CallRecord]) -> None:
        """Remembers these kinds for `window_ms` from now on. `known`: calls that are over, the oldest first.

        What was seen since is newer than what the store knows, and stays.
        """
        memory = Memory(kinds, window_ms)
        for record in known:
            memory.recall(record)
        memory.absorb(self._memory)
        self._memory = memory
