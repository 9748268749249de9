"""Auto-pause: after how many unanswered calls a destination is offered no more calls."""

from __future__ import annotations

from collections.abc import Collection

from ari_app.domain.market.destinations import AutoPause

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def why_pause(unanswered_at: Collection[int], rule: AutoPause, now: int) -> str | None:
    """Why a destination must be paused, by the times (ms) of its unanswered calls; None: it stays active."""
    for limit, window_ms, window in ((rule.per_hour, HOUR_MS, "an hour"), (rule.per_day, DAY_MS, "a day")):
        if limit and sum(now - at < window_ms for at in unanswered_at) >= limit:
            return f"{limit} calls left unanswered within {window}"
    return None
