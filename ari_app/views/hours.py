"""A day's calls by the hour beside those of the same day a week before, as a picture. Pure geometry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT, TOP, FOOT, LEFT = 1000, 190, 14, 20, 34
HOURS = 24
_NICE = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of the day: its calls, those of them that qualified, and those of a week before; and where they are."""

    words: str
    x: float
    width: float
    now: float
    part: float
    before: float


@dataclass(frozen=True, slots=True)
class Chart:
    """The picture: hours, and the lines of the scale (their height in the picture, and what they mean)."""

    hours: Sequence[Hour]
    scale: Sequence[tuple[float, int]]
    width: int = WIDTH
    height: int = HEIGHT
    foot: int = HEIGHT - FOOT


def chart(today: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]]) -> Chart:
    """The chart of two days, from a report's lines by the hour (`2026-11-28T09:00-05:00`), each with `incoming`."""
    now, then = _by_hour(today), _by_hour(before)
    most = max([1, *(one["incoming"] for one in (*now.values(), *then.values()))])
    top = _above(most)
    step = (WIDTH - LEFT) / HOURS
    hours = []
    for hour in range(HOURS):
        calls, earlier = now.get(hour, _NONE), then.get(hour, _NONE)
        hours.append(
            Hour(
                f"{hour:02d}:00",
                round(LEFT + hour * step + 2, 1),
                round(step - 4, 1),
                _high(calls["incoming"], top),
                _high(calls.get("qualified") or 0, top),
                _high(earlier["incoming"], top),
            )
        )
    foot = HEIGHT - FOOT
    marks = sorted({0, top // 2, top}) if top > 1 else [0, 1]
    return Chart(hours, [(round(foot - _high(mark, top), 1), mark) for mark in marks])


_NONE: Mapping[str, Any] = {"incoming": 0, "qualified": 0}


def _by_hour(lines: Sequence[Mapping[str, Any]]) -> dict[int, dict[str, Any]]:
    """The lines by the hour of the day. An hour that the clock shows twice is one."""
    found: dict[int, dict[str, Any]] = {}
    for line in lines:
        hour = int(line["hour"][11:13])
        one = found.setdefault(hour, {"incoming": 0, "qualified": 0})
        for name in one:
            one[name] += line.get(name) or 0
    return found


def _high(count: int, top: int) -> float:
    return round((HEIGHT - FOOT - TOP) * count / top, 1)


def _above(count: int) -> int:
    """A round number that is not less."""
    power = 1
    while True:
        for nice in _NICE:
            if nice * power >= count:
                return nice * power
        power *= 10
