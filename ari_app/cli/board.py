"""The board of `callrace live`: what is so at one moment, laid out. Pure: from a view to what rich draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.text import Text

from ari_app.domain.basics.clock import from_iso, iso
from ari_app.domain.basics.money import format_amount
from ari_app.domain.reports.today import Sums

TRUNKS_SHOWN = 6
_FRAME = 2  # lines of a panel's border
_TOP = 4
_FOOT = 3

# What needs eyes first.
_ORDER = ("race", "ivr", "arriving", "connected", "ending")
_STYLES = {
    "race": "bold yellow",
    "ivr": "cyan",
    "connected": "green",
    "ringing": "yellow",
    "answered": "bold cyan",
    "won": "bold green",
    "lost": "dim",
    "ended": "dim",
    "cancelling": "dim",
    "queued": "dim",
    "declined": "red",
    "busy": "red",
    "failed": "bold red",
    "no_answer": "red",
}


@dataclass(frozen=True, slots=True)
class View:
    """What the board shows: the switch's /status and /live as they were at `at` (ms), and the day's sums.

    `status` is None when no switch answers, and then `problem` says why. `today` is None while unknown.
    """

    at: int
    status: dict[str, Any] | None = None
    calls: list[dict[str, Any]] = field(default_factory=list)
    today: Sequence[Sums] | None = None
    problem: str = ""


def to_json(view: View) -> dict[str, Any]:
    """The view as `callrace live --json` prints it; amounts are decimal strings."""
    return {
        "at": iso(view.at),
        "switch": view.status,
        "calls": view.calls,
        "today": None if view.today is None else [_sums_json(sums) for sums in view.today],
    }


def board(view: View, height: int) -> RenderableType:
    """The whole screen, `height` lines high."""
    layout = Layout()
    layout.split_column(
        Layout(Panel(_head(view), title="Callrace"), size=_TOP),
        Layout(name="body"),
        Layout(Panel(_line(today_text(view.today)), title="today"), size=_FOOT),
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
        Layout(Panel(Group(*trunks), title="trunks"), size=len(trunks) + _FRAME),
    )
    return layout


# The parts


def state_text(view: View) -> str:
    """How the switch is, in a line."""
    status = view.status
    if status is None:
        return f"not served: {view.problem}"
    reasons = status["not_ready"]
    parts = [
        f"switch {status['pid']} {'ready' if not reasons else 'NOT READY: ' + ', '.join(reasons)}",
        f"Asterisk {status['asterisk']}",
        f"marketplace {status['marketplace_version'] or 'none'}",
        f"to be saved {status['unsaved_calls']}",
    ]
    return " · ".join(parts)


def phases_text(view: View) -> str:
    """How many calls are in each phase."""
    if view.status is None:
        return ""
    return " · ".join(f"{phase} {count}" for phase, count in view.status["calls_by_phase"].items())


def today_text(today: Sequence[Sums] | None) -> str:
    """The day so far: calls of all currencies, money of each."""
    if today is None:
        return "unknown: the database does not answer"
    counts = [
        f"{name} {sum(getattr(sums, name) for sums in today)}" for name in ("calls", "connected", "qualified")
    ]
    money = [
        f"charged {format_amount(sums.charged, sums.currency)}, paid {format_amount(sums.paid, sums.currency)}, "
        f"kept {format_amount(sums.charged - sums.paid, sums.currency)} {sums.currency}{_corrected_text(sums)}"
        for sums in today
        if sums.currency is not None
    ]
    return " · ".join([*counts, *money])


def _corrected_text(sums: Sums) -> str:
    """What of the money came by corrections, if any did."""
    if sums.currency is None or not (sums.corrected_charged or sums.corrected_paid):
        return ""
    corrected = (format_amount(part, sums.currency) for part in (sums.corrected_charged, sums.corrected_paid))
    return " (of it corrected: charged {}, paid {})".format(*corrected)


def call_lines(view: View) -> Iterator[Text]:
    """Each call in a line, those that race first; under it the legs that ring, answer, accept."""
    for call in sorted(view.calls, key=lambda call: (_ORDER.index(call["phase"]), call["started_at"])):
        line = _line(f"{_age(view.at, call['started_at']):>6} ")
        line.append(f"{call['phase']:<9} ", _STYLES.get(call["phase"], ""))
        line.append(f"{call['ani'] or 'anonymous'} {call['place'] or ''}".strip(), "bold")
        line.append(f"  {call['campaign'] or call['did']}")
        if call["winner"]:
            line.append(f"  → {call['winner']} {_age(view.at, call['connected_at'])}", "green")
        elif call["phase"] != "race":
            line.append(f"  {call['stage'] or ''}", "dim")
        yield line
        if call["phase"] == "race":
            yield from (_leg_line(view.at, leg) for leg in call["legs"])


def leg_text(at: int, leg: dict[str, Any]) -> str:
    """A leg in a few words: who, how it is, for how long."""
    return f"{leg['destination']} {_state(leg)} {_age(at, leg['since'])}"


def agent_rows(status: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Each agent: name, places in use of those there are, and why it is not rung for other reasons."""
    return [
        (agent["agent"], f"{agent['in_use']}/{agent['capacity']}", _remark(agent))
        for agent in status["agents"]
    ]


def trunk_lines(status: dict[str, Any]) -> list[Text]:
    """Each trunk and each registration, or why nothing is known of them."""
    seen = status["supervision"]
    if seen["problem"]:
        return [_line(seen["problem"], "red")]
    rows = [(one["trunk"], one["up"], ", ".join(one["contacts"]) or "no contact") for one in seen["trunks"]]
    rows += [(server, state == "Registered", state) for server, state in seen["registrations"].items()]
    overloaded = [
        _line(f"Asterisk's {name} is overloaded", "bold red") for name in seen.get("overloaded", ())
    ]
    return [*(_trunk_line(*row) for row in rows), *overloaded]


def _remark(agent: dict[str, Any]) -> str:
    """Why the agent is not rung though there may be a place."""
    if agent["paused"]:
        return f"paused: {agent['paused']}"
    if agent["on_another_call"]:
        return "on another call"
    return "not registered" if agent["phone"] == "UNAVAILABLE" else ""


def _trunk_line(name: str, is_up: bool, detail: str) -> Text:
    line = _line(f"{name:<10} ", "green" if is_up else "bold red")
    return line.append(detail if is_up else f"DOWN {detail}")


def _head(view: View) -> RenderableType:
    is_well = view.status is not None and not view.status["not_ready"]
    return Group(_line(state_text(view), "green" if is_well else "bold red"), _line(phases_text(view)))


def _leg_line(at: int, leg: dict[str, Any]) -> Text:
    line = _line(f"       └ {_age(at, leg['since']):>6} ")
    line.append(f"{_state(leg):<10} ", _STYLES.get(_state(leg), ""))
    return line.append(f"{leg['destination']}, wave {leg['wave']}")


def _state(leg: dict[str, Any]) -> str:
    """How the leg is, or how it ended."""
    return str(leg["outcome"] or leg["phase"])


def _agents(view: View, room: int) -> RenderableType:
    if view.status is None:
        return Text("")
    rows = agent_rows(view.status)
    shown = rows if len(rows) <= room else rows[: room - 1]
    lines = [_agent_line(*row) for row in shown]
    left = view.status["agents_total"] - len(shown)
    return Group(*lines, Text(f"and {left} more", "dim")) if left else Group(*lines)


def _agent_line(name: str, places: str, remark: str) -> Text:
    style = "yellow" if remark else "" if places.startswith("0/") else "bold green"
    return _line(f"{name:<12} {places:>4}  {remark}", style)


def _line(text: str, style: str = "") -> Text:
    """Text that stays in its line, cut off where there is no room."""
    return Text(text, style, no_wrap=True, overflow="ellipsis")


def _first(lines: Iterator[Text], room: int, what: str) -> RenderableType:
    """As many lines as there is room for; the last one says how many more there are."""
    shown = list(lines)
    if not shown:
        return Text(f"no {what}", "dim")
    if len(shown) > room:
        left = len(shown) - room + 1
        shown[room - 1 :] = [Text(f"and {left} more lines", "dim")]
    return Group(*shown)


def _age(at: int, since: str | None) -> str:
    """Seconds, or minutes and seconds, from `since` to `at`."""
    if since is None:
        return ""
    ms = max(at - from_iso(since), 0)
    return f"{ms / 1000:.1f}s" if ms < 60_000 else f"{ms // 60_000}m{ms // 1000 % 60:02d}s"


def _sums_json(sums: Sums) -> dict[str, Any]:
    currency = sums.currency
    amounts = ("charged", "paid", "corrected_charged", "corrected_paid")
    return {
        "currency": currency,
        "calls": sums.calls,
        "connected": sums.connected,
        "qualified": sums.qualified,
        **{
            name: None if currency is None else format_amount(getattr(sums, name), currency)
            for name in amounts
        },
    }
