"""Finds stray legs: they still exist in Asterisk although their call is over, so a phone may go on ringing."""

from __future__ import annotations

import re
from collections.abc import Collection

STALE_S = 60.0

_NAME = r"[0-9a-f]{23}(?:-r\d+)?"  # a call's name; -r: the call was restarted
_LEG = re.compile(rf"({_NAME})-leg-\d+")
_BRIDGE = re.compile(rf"{_NAME}-bridge")


def is_bridge(name: str) -> bool:
    """Whether a bridge was made for a call, of this switch or of an earlier one."""
    return _BRIDGE.fullmatch(name) is not None


class Sweeper:
    """Remembers since when each leg has been without its call. Legs in bridges are never passed to it."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def strays(self) -> int:
        """How many legs were without their call at the last look."""
        return len(self._since)

    def stale(self, loose: Collection[str], calls: Collection[str], now_s: float) -> list[str]:
        """The legs among `loose` (channels in no bridge) that have belonged to none of `calls` for STALE_S."""
        strays = [channel for channel in loose if (leg := _LEG.fullmatch(channel)) and leg[1] not in calls]
        self._since = {channel: self._since.get(channel, now_s) for channel in strays}
        return [channel for channel, since in self._since.items() if now_s - since >= STALE_S]
