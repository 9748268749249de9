"""Destinations that leave calls unanswered: after how many they are offered no more."""

from __future__ import annotations

from collections.abc import Collection

from ari_app.domain.market.destinations import AutoPause

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def why_pause(unanswered_at: Collection[int], rule: AutoPause, now: int) -> str | None:
    """Why a destination is to be paused, given when (ms) it left calls unanswered; None: it is not."""
    for limit, window_ms, window in ((rule.per_hour, HOUR_MS, "an hour"), (rule.per_day, DAY_MS, "a day")):
        if limit and sum(now - at < window_ms for at in unanswered_at) >= limit:
            return f"{limit} calls left unanswered within {window}"
    return None
