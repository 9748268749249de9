"""Resident memory of the processes that stay, over a soak."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

EVERY_S = 2.0
WARM_S = 120.0  # until what is made once is made, and calls end as often as they begin (SIP remembers one for 32 s)
WINDOW_S = 120.0


@dataclass(frozen=True, slots=True)
class Growth:
    """Resident MB of a process in the first WINDOW_S after it was warm, and in the last."""

    first_mb: float
    last_mb: float

    @property
    def share(self) -> float:
        """How much it has grown: 0.05 is five per cent."""
        return self.last_mb / self.first_mb - 1


@dataclass(slots=True)
class Memory:
    """Samples by process, in MB, one every EVERY_S."""

    samples: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    async def keep_looking(self, pids: Mapping[str, int]) -> None:
        """Runs for ever."""
        while True:
            for name, pid in pids.items():
                self.samples[name].append(resident_mb(pid))
            await asyncio.sleep(EVERY_S)

    def growth(self) -> dict[str, Growth]:
        """Of each process, once it ran for longer than WARM_S and twice WINDOW_S."""
        warm, window = int(WARM_S / EVERY_S), int(WINDOW_S / EVERY_S)
        return {
            name: Growth(median(seen[warm : warm + window]), median(seen[-window:]))
            for name, seen in self.samples.items()
            if len(seen) >= warm + 2 * window
        }


def resident_mb(pid: int) -> float:
    """What a process has in memory now."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
