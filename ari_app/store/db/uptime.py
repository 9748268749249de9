"""The machine's monotonic clock, by which one process tells another of a moment: nobody sets it.

Linux: CLOCK_MONOTONIC, the same for all processes; /proc/sys/kernel/random/boot_id (random(4)) says since when.
"""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@cache
def boot() -> str:
    """Which start of the machine this is; empty where it is not told."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


def monotonic_ms() -> int:
    """The monotonic clock."""
    return int(time.monotonic() * 1000)
