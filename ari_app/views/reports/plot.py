"""Reports as PNG pictures, drawn by matplotlib without a display."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ari_app.domain.basics.durations import format_duration
from ari_app.domain.basics.money import exponent
from ari_app.domain.reports.forensics import JUST_S
from ari_app.domain.reports.reporting import ReportLine
from ari_app.domain.reports.rollups import AROUND_S

MOST_BARS = 30  # in a report that is not a time series; the largest are drawn
_LONGEST_NAME = 40
_DPI = 150
_INK, _FAINT = "#1f2933", "#d9dfe5"
_BLUE, _TEAL, _GREEN, _AMBER, _RED = "#9fb8d1", "#4a7fb5", "#2f9e6e", "#e0a030", "#c8553d"
_CALLS = (("incoming", _BLUE), ("connected", _TEAL), ("qualified", _GREEN))
_COUNTERS = {
    "destination": (("offered", _BLUE), ("accepted", _TEAL), ("won", _GREEN)),
    "disposition": (("incoming", _TEAL),),
}


def draw_report(file: BinaryIO, title: str, by: str, lines: Sequence[ReportLine]) -> None:
    """Draws the counts as nested bars, and below or beside them revenue and profit by currency."""
    counters = _COUNTERS.get(by, _CALLS)
    currencies = sorted({currency for line in lines for currency in line.takings})
    if by in ("hour", "day"):
        _save(_series(lines, counters, currencies), file, title)
        return
    if len(lines) > MOST_BARS:
        title += f"; the largest {MOST_BARS} of {len(lines)}"
    _save(_ranking(lines[:MOST_BARS], counters, currencies), file, title)


def _ranking(lines: Sequence[ReportLine], counters: Any, currencies: Sequence[str]) -> Figure:
    """Horizontal bars, the largest line on top."""
    names = [_as_text(line.key or "(not known)") for line in lines]
    figure = Figure(figsize=(6 + 4 * len(currencies), 1.7 + 0.42 * len(lines)), layout="constrained")
    panels = figure.subplots(1, 1 + len(currencies), sharey=True, squeeze=False)[0]
    for counter, colour in counters:
        panels[0].barh(
            names, [line.counts[counter] for line in lines], color=colour, height=0.7, label=counter
        )
    panels[0].set_xlabel("offers" if counters[0][0] == "offered" else "calls")
    panels[0].invert_yaxis()
    for panel, currency in zip(panels[1:], currencies, strict=True):
        for part, colour in (("revenue", _AMBER), ("profit", _GREEN)):
            panel.barh(names, _amounts(lines, currency, part), color=colour, height=0.7, label=part)
        panel.set_xlabel(currency)
    for panel in panels:
        _plain(panel, grid="x")
        panel.xaxis.set_major_formatter(FuncFormatter(_thousands))
        panel.xaxis.set_major_locator(MaxNLocator(5))
    return figure


def _series(lines: Sequence[ReportLine], counters: Any, currencies: Sequence[str]) -> Figure:
    """Columns along a time axis: a panel for the counts, and below it one for each currency."""
    positions = range(len(lines))  # not the hours themselves: when clocks are set back, an hour comes twice
    names = [(line.key or "")[:16].replace("T", " ") for line in lines]
    width = min(max(8.0, 1 + 0.32 * len(lines)), 16.0)
    figure = Figure(figsize=(width, 4 + 2.6 * len(currencies)), layout="constrained")
    panels = figure.subplots(1 + len(currencies), 1, sharex=True, squeeze=False)[:, 0]
    for counter, colour in counters:
        panels[0].bar(
            positions, [line.counts[counter] for line in lines], color=colour, width=0.75, label=counter
        )
    panels[0].set_ylabel("calls")
    for panel, currency in zip(panels[1:], currencies, strict=True):
        for part, colour in (("revenue", _AMBER), ("profit", _GREEN)):
            panel.bar(positions, _amounts(lines, currency, part), color=colour, width=0.75, label=part)
        panel.set_ylabel(currency)
    for panel in panels:
        _plain(panel, grid="y")
        panel.yaxis.set_major_formatter(FuncFormatter(_thousands))
    step = max(1, -(-len(names) // 32))
    panels[-1].set_xticks(positions[::step], names[::step], rotation=45, ha="right")
    return figure


def draw_endings(file: BinaryIO, title: str, seconds: dict[int, int], payable_ms: Sequence[int]) -> None:
    """Draws the histogram around the payable second; the number of connections further away is written below it."""
    inside = {second: count for second, count in seconds.items() if -AROUND_S <= second < AROUND_S}
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    panel = figure.subplots()
    colours = [
        _RED if -JUST_S <= second < 0 else _AMBER if 0 <= second < JUST_S else _BLUE for second in inside
    ]
    panel.bar(list(inside), list(inside.values()), color=colours, width=0.9, align="edge")
    panel.axvline(0, color=_INK, linewidth=1.2, linestyle="--")
    payable = ", ".join(map(format_duration, payable_ms)) or "no terms"
    panel.annotate(
        f" payable from here ({payable})", (0, 1), xycoords=("data", "axes fraction"), va="top", fontsize=9
    )
    panel.set_xlabel(
        f"seconds from the payable one; earlier: {seconds[-AROUND_S - 1]:,}, later: {seconds[AROUND_S]:,}"
    )
    panel.set_ylabel("connections")
    panel.set_xticks(range(-AROUND_S, AROUND_S + 1, 5))
    panel.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    _plain(panel, grid="y")
    _save(figure, file, title)


def _amounts(lines: Sequence[ReportLine], currency: str, part: str) -> list[float]:
    """Amounts in whole units of the currency, for drawing only."""
    unit = 10 ** exponent(currency)
    return [
        getattr(line.takings[currency], part) / unit if currency in line.takings else 0.0 for line in lines
    ]


def _plain(panel: Any, grid: str) -> None:
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color(_FAINT)
    panel.tick_params(colors=_INK, length=0)
    panel.grid(axis=grid, color=_FAINT, linewidth=0.7)
    panel.set_axisbelow(True)
    if panel.get_legend_handles_labels()[0]:
        panel.legend(
            frameon=False, ncols=3, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, fontsize=9
        )


def _as_text(name: str) -> str:
    """A name as a label: shortened, and never read as a formula by matplotlib."""
    short = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
    return short.replace("$", r"\$")


def _thousands(value: float, _position: int) -> str:
    return f"{value:,.0f}"


def _save(figure: Figure, file: BinaryIO, title: str) -> None:
    figure.suptitle(title.replace("$", r"\$"), x=0.01, ha="left", fontsize=11, color=_INK)
    figure.savefig(file, format="png", dpi=_DPI)
