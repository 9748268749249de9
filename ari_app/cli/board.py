"""The board on a full terminal: panels of lines, in colour."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.text import Text

from ari_app.domain.reports.now import View
from ari_app.views.board import (
    Line,
    Span,
    agent_line,
    agent_rows,
    call_lines,
    is_well,
    phases_text,
    state_text,
    today_text,
    trunk_lines,
)

TRUNKS_SHOWN = 6
_FRAME = 2  # lines of a panel's border
_TOP = 4
_FOOT = 3
_STYLES = {
    "good": "green",
    "bad": "bold red",
    "problem": "red",
    "strong": "bold",
    "faint": "dim",
    "held": "yellow",
    "talking": "bold green",
    "race": "bold yellow",
    "ivr": "cyan",
    "connected": "green",
    "ringing": "yellow",
    "answered": "bold cyan",
    "won": "bold green",
    "bridging": "bold green",
    "lost": "dim",
    "ended": "dim",
    "cancelling": "dim",
    "queued": "dim",
    "declined": "red",
    "busy": "red",
    "forwarded": "red",
    "failed": "bold red",
    "no_answer": "red",
}


def board(view: View, height: int) -> RenderableType:
    """The whole screen, `height` lines high."""
    layout = Layout()
    layout.split_column(
        Layout(Panel(_head(view), title="Callrace"), size=_TOP),
        Layout(name="body"),
        Layout(Panel(_drawn([Span(today_text(view.today))]), title="today"), size=_FOOT),
    )
    room = max(height - _TOP - _FOOT - _FRAME, 1)
    layout["body"].split_row(
        Layout(Panel(_first(call_lines(view), room, "calls"), title="calls"), ratio=2),
        Layout(name="side"),
    )
    trunks = trunk_lines(view.status)[:TRUNKS_SHOWN] if view.status else []
    agents_room = max(room - len(trunks) - _FRAME, 1)
    layout["side"].split_column(
        Layout(Panel(_agents(view, agents_room), title="agents")),
        Layout(Panel(Group(*map(_drawn, trunks)), title="trunks"), size=len(trunks) + _FRAME),
    )
    return layout


def _head(view: View) -> RenderableType:
    state = Span(state_text(view), "good" if is_well(view) else "bad")
    return Group(_drawn([state]), _drawn([Span(phases_text(view))]))


def _agents(view: View, room: int) -> RenderableType:
    if view.status is None:
        return Text("")
    rows = agent_rows(view.status)
    shown = rows if len(rows) <= room else rows[: room - 1]
    lines = [_drawn(agent_line(*row)) for row in shown]
    left = view.status["agents_total"] - len(shown)
    return Group(*lines, Text(f"and {left} more", "dim")) if left else Group(*lines)


def _drawn(line: Line) -> Text:
    """A line on one row of the screen, cut off if it is too long."""
    text = Text(no_wrap=True, overflow="ellipsis")
    for span in line:
        text.append(span.text, _STYLES.get(span.look, ""))
    return text


def _first(lines: Iterable[Line], room: int, what: str) -> RenderableType:
    """As many lines as there is room for; the last row then says how many are left out."""
    shown = list(map(_drawn, lines))
    if not shown:
        return Text(f"no {what}", "dim")
    if len(shown) > room:
        left = len(shown) - room + 1
        shown[room - 1 :] = [Text(f"and {left} more lines", "dim")]
    return Group(*shown)
