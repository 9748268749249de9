"""The board of `callrace live`: the state at one moment, as JSON and as lines. Pure functions.

A line consists of spans of text, each with a look: a stage, an outcome, or good, bad, strong, faint. A terminal turns
looks into colours, a web page into CSS classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ari_app.domain.basics.clock import from_iso, iso
from ari_app.domain.basics.money import format_amount
from ari_app.domain.reports.now import View
from ari_app.domain.reports.today import Sums
from ari_app.views.words import tenths

# What operators should see first.
_ORDER = ("race", "ivr", "arriving", "connected", "ending")


class Span(NamedTuple):
    """A text and its look; plain text has no look."""

    text: str
    look: str = ""


Line = Sequence[Span]


def board_json(view: View) -> dict[str, Any]:
    """The view as `callrace live --json` prints it; amounts are decimal strings."""
    return {
        "at": iso(view.at),
        "switch": view.status,
        "calls": view.calls,
        "today": None if view.today is None else [_sums_json(sums) for sums in view.today],
    }


def state_text(view: View) -> str:
    """The switch's state, in one line."""
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


def is_well(view: View) -> bool:
    """Whether a switch runs and serves calls."""
    return view.status is not None and not view.status["not_ready"]


def phases_text(view: View) -> str:
    """How many calls are in each phase."""
    if view.status is None:
        return ""
    return " · ".join(f"{phase} {count}" for phase, count in view.status["calls_by_phase"].items())


def today_text(today: Sequence[Sums] | None) -> str:
    """The day so far: all calls together, the money of each currency."""
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
    """How much of the money is due to corrections; empty when none is."""
    if sums.currency is None or not (sums.corrected_charged or sums.corrected_paid):
        return ""
    corrected = (format_amount(part, sums.currency) for part in (sums.corrected_charged, sums.corrected_paid))
    return " (of it corrected: charged {}, paid {})".format(*corrected)


def call_lines(view: View) -> Iterator[Line]:
    """Each call in a line, calls in a race first; below each call, its legs that ring, are answered or accept."""
    for call in sorted(view.calls, key=lambda call: (_ORDER.index(call["phase"]), call["started_at"])):
        yield [
            Span(f"{_age(view.at, call['started_at']):>6} "),
            Span(f"{call['phase']:<9} ", call["phase"]),
            Span(f"{call['ani'] or 'anonymous'} {call['place'] or ''}".strip(), "strong"),
            Span(f"  {call['campaign'] or call['did']}"),
            *_whereabouts(view.at, call),
        ]
        if call["phase"] == "race":
            yield from (_leg_line(view.at, leg) for leg in call["legs"])


def _whereabouts(at: int, call: dict[str, Any]) -> Iterator[Span]:
    """The call's agent, or how far the call has come; for a race, its legs show that."""
    if call["winner"]:
        yield Span(f"  → {call['winner']} {_age(at, call['connected_at'])}", "good")
    elif call["phase"] != "race":
        yield Span(f"  {call['stage'] or ''}", "faint")


def leg_text(at: int, leg: dict[str, Any]) -> str:
    """A leg in a few words: the agent, the state, and for how long."""
    return f"{leg['destination']} {_state(leg)} {_age(at, leg['since'])}"


def agent_rows(status: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Each agent: its name, its places in use and in all, and any other reason why it is not rung."""
    return [
        (agent["agent"], f"{agent['in_use']}/{agent['capacity']}", _remark(agent))
        for agent in status["agents"]
    ]


def agent_line(name: str, places: str, remark: str) -> Line:
    """A row of `agent_rows` as a line; agents that are on a call or not rung are highlighted."""
    look = "held" if remark else "" if places.startswith("0/") else "talking"
    return [Span(f"{name:<12} {places:>4}  {remark}", look)]


def trunk_lines(status: dict[str, Any]) -> list[Line]:
    """Each trunk and each registration, or why their state is unknown."""
    seen = status["supervision"]
    if seen["problem"]:
        return [[Span(seen["problem"], "problem")]]
    rows = [(one["trunk"], one["up"], ", ".join(one["contacts"]) or "no contact") for one in seen["trunks"]]
    rows += [(server, state == "Registered", state) for server, state in seen["registrations"].items()]
    overloaded = [[Span(f"Asterisk's {name} is overloaded", "bad")] for name in seen.get("overloaded", ())]
    return [*(_trunk_line(*row) for row in rows), *overloaded]


def _trunk_line(name: str, is_up: bool, detail: str) -> Line:
    return [Span(f"{name:<10} {detail if is_up else f'DOWN {detail}'}", "good" if is_up else "bad")]


def _leg_line(at: int, leg: dict[str, Any]) -> Line:
    return [
        Span(f"       └ {_age(at, leg['since']):>6} "),
        Span(f"{_state(leg):<10} ", _state(leg)),
        Span(f"{leg['destination']}, wave {leg['wave']}"),
    ]


def _remark(agent: dict[str, Any]) -> str:
    """Why the agent is not rung although a place may be free."""
    if agent["paused"]:
        return f"paused: {agent['paused']}"
    if agent["on_another_call"]:
        return "on another call"
    return "not registered" if agent["phone"] == "UNAVAILABLE" else ""


def _state(leg: dict[str, Any]) -> str:
    """The leg's state, or how the leg ended."""
    return str(leg["outcome"] or leg["phase"])


def _age(at: int, since: str | None) -> str:
    """Seconds, or minutes and seconds, from `since` to `at`."""
    if since is None:
        return ""
    ms = max(at - from_iso(since), 0)
    return f"{tenths(ms)}s" if ms < 60_000 else f"{ms // 60_000}m{ms // 1000 % 60:02d}s"


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
