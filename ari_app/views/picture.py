"""A call as a picture: what the caller was doing, and each leg of the race, on one line of time. Pure geometry.

A page draws the bars; each has a look (`ivr`, `wait`, `talk`, `rung`, `heard`, `won`, `lost`, `failed`, `other`) and
says in words what it is, for who cannot see it. From a record as its party sees it, so the picture knows no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ari_app.domain.calls.record import CallRecord, LegRecord
from ari_app.views.words import duration

WIDTH = 1000
LABEL = 170
"""How wide the picture is, and how much of it is for the names at the left; in units of its own."""
ROW = 26
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
_MOST_TICKS = 9
_LOOKS: Mapping[str | None, str] = {"won": "won", "lost": "lost", "cancelled": "other", None: "other"}


@dataclass(frozen=True, slots=True)
class Bar:
    """One thing that lasted: from `x`, so wide; in the picture's units."""

    x: float
    width: float
    look: str
    words: str


@dataclass(frozen=True, slots=True)
class Lane:
    """What one party did: the caller, or a leg. `note`: how it ended."""

    name: str
    y: int
    bars: tuple[Bar, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on the line of time."""

    x: float
    words: str


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole picture. `award`: where the race was won."""

    width: int
    height: int
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    award: float | None


def picture(record: CallRecord) -> Picture | None:
    """The picture of a call that is over; None where it took no time, or is not over."""
    if record.ended_at is None or record.ended_at <= record.started_at:
        return None
    scale = _Scale(record.started_at, record.ended_at)
    lanes = [Lane("caller", ROW, tuple(_caller(record, scale)))]
    for n, leg in enumerate(record.legs, 2):
        lanes.append(Lane(leg.destination, n * ROW, tuple(_leg(record, leg, scale)), _note(leg)))
    award = next((leg.accepted_at or leg.answered_at for leg in record.legs if leg.outcome == "won"), None)
    height = (len(lanes) + 2) * ROW
    return Picture(WIDTH, height, tuple(lanes), tuple(scale.ticks()), award and scale.x(award))


@dataclass(frozen=True, slots=True)
class _Scale:
    began: int
    ended: int

    def x(self, at: int) -> float:
        inside = min(max(at, self.began), self.ended) - self.began
        return round(LABEL + (WIDTH - LABEL - 10) * inside / (self.ended - self.began), 1)

    def bar(self, begins: int | None, ends: int | None, look: str, words: str) -> Iterator[Bar]:
        """The bar, if both its ends are known; a moment is still to be seen."""
        if begins is not None and ends is not None and ends >= begins:
            left = self.x(begins)
            said = f"{words}, {duration(ends - begins)}"
            yield Bar(left, round(max(self.x(ends) - left, 2), 1), look, said)

    def ticks(self) -> Iterator[Tick]:
        whole_s = (self.ended - self.began) / 1000
        step = next((step for step in _STEPS_S if whole_s / step <= _MOST_TICKS), _STEPS_S[-1])
        for n in range(min(int(whole_s // step), 60) + 1):
            yield Tick(self.x(self.began + n * step * 1000), _clock(n * step))


def _caller(record: CallRecord, scale: _Scale) -> Iterator[Bar]:
    ended, talks = record.ended_at, record.connected_at
    waits = record.offered_at
    yield from scale.bar(record.started_at, waits or talks or ended, "ivr", "in the IVR")
    yield from scale.bar(waits, talks or ended, "wait", "waits for an agent")
    yield from scale.bar(talks, ended, "talk", "talks")


def _leg(record: CallRecord, leg: LegRecord, scale: _Scale) -> Iterator[Bar]:
    ended = leg.ended_at or record.ended_at
    look = _LOOKS.get(leg.outcome, "failed")
    yield from scale.bar(leg.offered_at, leg.answered_at or leg.accepted_at or ended, "rung", "rings")
    heard = leg.answered_at
    if leg.outcome == "won":
        yield from scale.bar(heard, record.connected_at, "heard", "answered")
        yield from scale.bar(record.connected_at, ended, "talk", "talks")
    else:
        yield from scale.bar(heard, leg.accepted_at or ended, "heard", "answered")
        yield from scale.bar(leg.accepted_at, ended, look, "accepted, too late")


def _note(leg: LegRecord) -> str:
    said = (leg.outcome or "").replace("_", " ")
    return f"{said} by {leg.lost_by_ms} ms" if leg.lost_by_ms is not None else said


def _clock(seconds: int) -> str:
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60}:{seconds % 60:02d}"
