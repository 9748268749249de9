"""Finds legs that Asterisk still has though their call is over: a phone that rings on for nobody."""

from __future__ import annotations

import re
from collections.abc import Collection

STALE_S = 60.0

_NAME = r"[0-9a-f]{23}(?:-r\d+)?"  # of a call; -r: it was begun again
_LEG = re.compile(rf"({_NAME})-leg-\d+")
_BRIDGE = re.compile(rf"{_NAME}-bridge")


def is_bridge(name: str) -> bool:
    """Whether a bridge was made for a call, this switch's or one's before it."""
    return _BRIDGE.fullmatch(name) is not None


class Sweeper:
    """Remembers since when a leg has been without its call. A leg in a bridge is never given to it."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def strays(self) -> int:
        """How many legs were without their call at the last look."""
        return len(self._since)

    def stale(self, loose: Collection[str], calls: Collection[str], now_s: float) -> list[str]:
        """Of the channels `loose`, in no bridge, the legs that none of `calls` has known for STALE_S."""
        strays = [channel for channel in loose if (leg := _LEG.fullmatch(channel)) and leg[1] not in calls]
        self._since = {channel: self._since.get(channel, now_s) for channel in strays}
        return [channel for channel, since in self._since.items() if now_s - since >= STALE_S]
