"""What the switch remembers of calls that destinations left unanswered. A restart forgets it."""

from __future__ import annotations

from collections import defaultdict, deque

from ari_app.domain.market.autopause import DAY_MS, why_pause
from ari_app.domain.market.destinations import AutoPause


class Unanswered:
    """The times, ms, of each destination's unanswered calls of the last day."""

    def __init__(self) -> None:
        self._at: defaultdict[str, deque[int]] = defaultdict(deque)

    def note(self, destination: str, rule: AutoPause, now: int) -> str | None:
        """Notes one more; why the destination is to be paused, or None. After a pause it starts anew."""
        times = self._at[destination]
        times.append(now)
        while now - times[0] >= DAY_MS:
            times.popleft()
        reason = why_pause(times, rule, now)
        if reason is not None:
            del self._at[destination]
        return reason
