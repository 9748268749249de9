"""A table of this build's figures beside those of the build before, with what each was to come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

HEAD = ("| what | before | now | now/before | target | met |", "|---|---:|---:|---:|---|---|")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table. `most` and `least` are targets for the figure, `most_ratio` is one for now/before."""

    what: str
    figure: str
    most: float | None = None
    least: float | None = None
    most_ratio: float | None = None


def table(rows: Iterable[Row], before: Mapping[str, float], now: Mapping[str, float]) -> list[str]:
    """The lines of the table. A build before may lack a figure."""
    return [*HEAD, *(_line(row, before.get(row.figure), now[row.figure]) for row in rows)]


def _line(row: Row, before: float | None, now: float) -> str:
    ratio = now / before if before else None
    then = "-" if before is None else f"{before:,.2f}"
    times = "-" if ratio is None else f"{ratio:.3f}"
    target, is_met = _target(row, now, ratio)
    met = "" if is_met is None else "yes" if is_met else "**no**"
    return f"| {row.what} | {then} | {now:,.2f} | {times} | {target} | {met} |"


def _target(row: Row, now: float, ratio: float | None) -> tuple[str, bool | None]:
    """The target in words, and whether it is met; None: there is no target, or nothing to compare with."""
    if row.most is not None:
        return f"at most {row.most:,g}", now <= row.most
    if row.least is not None:
        return f"at least {row.least:,g}", now >= row.least
    if row.most_ratio is not None:
        return f"ratio at most {row.most_ratio:g}", None if ratio is None else ratio <= row.most_ratio
    return "", None
