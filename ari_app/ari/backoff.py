"""How long to wait before trying again."""

from __future__ import annotations

import random
from collections.abc import Iterator

FIRST_S = 0.1
LONGEST_S = 5.0


def delays() -> Iterator[float]:
    """Seconds to wait before each next attempt: doubled each time, with jitter, so that not all come at once.

    Always between FIRST_S and LONGEST_S. The iterator is endless.
    """
    longest = FIRST_S
    while True:
        longest = min(longest * 2, LONGEST_S)
        yield random.uniform(FIRST_S, longest)
