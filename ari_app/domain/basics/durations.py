"""Durations as people write them: `90s`, `12h`, `250ms`."""

from __future__ import annotations

import re

_UNITS_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_LONGEST_MS = 3_650 * _UNITS_MS["d"]
_DURATION = re.compile(r"(\d{1,12})(ms|s|m|h|d)", re.ASCII)


def parse_duration(value: object) -> int:
    """Milliseconds of `500ms`, `30s`, `5m`, `2h` or `30d`. Raises ValueError, also for a bare number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f'expected a duration with its unit, such as "{value}s"')
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("expected a duration such as 500ms, 30s, 5m, 2h or 30d")
    duration_ms = int(match[1]) * _UNITS_MS[match[2]]
    if duration_ms > _LONGEST_MS:
        raise ValueError("expected a duration of at most 3650d")
    return duration_ms


def format_duration(duration_ms: int) -> str:
    """The duration in the largest unit that is exact: 90,000 is `90s`, 7,200,000 is `2h`."""
    if duration_ms == 0:
        return "0s"
    unit, unit_ms = next((unit, ms) for unit, ms in _UNITS_MS.items() if duration_ms % ms == 0)
    return f"{duration_ms // unit_ms}{unit}"
