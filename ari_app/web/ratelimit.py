"""How often a program may ask: so many requests a minute of each key, and what it is told of that.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ (RateLimit, RateLimit-Policy).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import NamedTuple

A_MINUTE = 600
WINDOW_MS = 60_000
KEYS_KEPT = 10_000


class Taken(NamedTuple):
    """What a request finds: whether it is one too many, and the headers that say how many are left until when."""

    is_too_many: bool
    headers: Mapping[str, str]


class RateLimit:
    """Counts requests by key, minute by minute; of the KEYS_KEPT that asked last."""

    def __init__(self, a_minute: int = A_MINUTE) -> None:
        self._most = a_minute
        self._counted: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def take(self, key: str, now: int) -> Taken:
        """Counts a request at `now` (ms)."""
        window = now // WINDOW_MS
        began, count = self._counted.get(key, (window, 0))
        count = count + 1 if began == window else 1
        self._counted[key] = window, count
        self._counted.move_to_end(key)
        if len(self._counted) > KEYS_KEPT:
            self._counted.popitem(last=False)
        rest_s = (WINDOW_MS - now % WINDOW_MS + 999) // 1000
        is_too_many = count > self._most
        headers = {
            "ratelimit-policy": f'"key";q={self._most};w={WINDOW_MS // 1000}',
            "ratelimit": f'"key";r={max(self._most - count, 0)};t={rest_s}',
        }
        return Taken(is_too_many, headers | ({"retry-after": str(rest_s)} if is_too_many else {}))
