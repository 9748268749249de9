"""The state at one moment, for the live board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ari_app.domain.reports.today import Sums


@dataclass(frozen=True, slots=True)
class View:
    """What the board shows: the switch's /status and /live as they were at `at` (ms), and the day's sums.

    `status` is None when no switch answers; then `problem` says why. `today` is None while it is unknown.
    """

    at: int
    status: dict[str, Any] | None = None
    calls: list[dict[str, Any]] = field(default_factory=list)
    today: Sequence[Sums] | None = None
    problem: str = ""
