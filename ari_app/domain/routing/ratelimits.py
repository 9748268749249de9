"""Rate limits: how many calls one caller, or one tracking number, has within a sliding window.

Kept in memory only, and bounded: for each caller no more times than the limit allows calls, and only for the
KEYS_KEPT callers who called last. A restart of the switch forgets everything.
"""

from __future__ import annotations

from collections import OrderedDict, deque

from ari_app.domain.basics.durations import format_duration
from ari_app.domain.market.marketplace import RateLimit, Screening
from ari_app.domain.routing.screening import Refusal

KEYS_KEPT = 10_000


class SlidingWindow:
    """When calls were taken, by key. In any time of the length `within`, at most `max` calls of one key are taken.

    A call that is not taken does not count; otherwise a caller who keeps trying would be refused for ever. Times are
    milliseconds. If the clock is set back, times that are now in the future are forgotten.
    """

    def __init__(self) -> None:
        self._taken: OrderedDict[str, deque[int]] = OrderedDict()

    def has_room(self, key: str, limit: RateLimit, now: int) -> bool:
        """Whether one more call may be taken at `now`."""
        times = self._taken.get(key, ())
        return len(times) < limit.max or not 0 <= now - times[-limit.max] < limit.within

    def take(self, key: str, limit: RateLimit, now: int) -> None:
        """Counts a call that is taken at `now`."""
        times = self._taken.setdefault(key, deque())
        self._taken.move_to_end(key)
        times.append(now)
        while len(times) > limit.max:
            times.popleft()
        if len(self._taken) > KEYS_KEPT:
            self._taken.popitem(last=False)

    def kept(self) -> int:
        """How many points in time are in memory."""
        return sum(map(len, self._taken.values()))


class InMemoryRateLimits:
    """The windows of all callers and all tracking numbers, across campaigns."""

    def __init__(self) -> None:
        self._callers = SlidingWindow()
        self._numbers = SlidingWindow()

    def refusal(self, rules: Screening, did: str, ani: str | None, now: int) -> Refusal | None:
        """Counts a call at `now` (ms) and returns None; or returns which limit is exceeded, and counts nothing.

        The call of an anonymous caller counts only for the number called.
        """
        by_ani = rules.per_ani if ani is not None else None
        if by_ani is not None and not self._callers.has_room(str(ani), by_ani, now):
            return Refusal("blocked", f"{ani} has called {_often(by_ani)}, as often as a caller may")
        by_did = rules.per_did
        if by_did is not None and not self._numbers.has_room(did, by_did, now):
            return Refusal("capped", f"{did} was called {_often(by_did)}, as often as a number may be")
        if by_ani is not None:
            self._callers.take(str(ani), by_ani, now)
        if by_did is not None:
            self._numbers.take(did, by_did, now)
        return None


def _often(limit: RateLimit) -> str:
    return f"{limit.max} time{'s' if limit.max > 1 else ''} within {format_duration(limit.within)}"
