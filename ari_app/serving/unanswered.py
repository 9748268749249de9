"""The calls that each destination left unanswered lately. A restart of the switch forgets them."""

from __future__ import annotations

from collections import defaultdict, deque

from ari_app.domain.market.autopause import DAY_MS, why_pause
from ari_app.domain.market.destinations import AutoPause


class InMemoryUnanswered:
    """A `protocols.Unanswered` of one process: for each destination the times (ms) of the last day."""

    def __init__(self) -> None:
        self._at: defaultdict[str, deque[int]] = defaultdict(deque)

    def count(self, destination: str, rule: AutoPause, now: int) -> str | None:
        """Counts one more; returns why to pause the destination, or None. After a pause the count starts at zero."""
        times = self._at[destination]
        times.append(now)
        while now - times[0] >= DAY_MS:
            times.popleft()
        reason = why_pause(times, rule, now)
        if reason is not None:
            del self._at[destination]
        return reason
