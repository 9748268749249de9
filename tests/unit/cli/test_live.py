"""The board: what it shows of a moment, and `callrace live` that shows it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy import Engine

from ari_app.cli.board import board
from ari_app.domain.basics.clock import iso
from ari_app.domain.reports.now import View
from ari_app.domain.reports.today import Sums
from ari_app.settings import Settings
from ari_app.store.calls import calls
from ari_app.views.board import board_json, today_text
from tests.samples import make_call, settlement
from tests.unit.cli.conftest import Cli, refusal
from tests.unit.cli.fake_switch import STATUS, Server

AT = 1_763_900_000_000
WIDTH, HEIGHT = 130, 30


def agent(name: str, **known: Any) -> dict[str, Any]:
    return {
        "agent": name,
        "capacity": 1,
        "in_use": 0,
        "paused": None,
        "on_another_call": False,
        "phone": None,
    } | known


WELL: dict[str, Any] = STATUS | {
    "marketplace_version": 4,
    "calls_by_phase": {"arriving": 0, "ivr": 0, "race": 1, "connected": 1, "ending": 0},
    "not_ready": [],
    "agents": [
        agent("agent-1", capacity=2, in_use=1),
        agent("agent-2", paused="lunch [bold]"),
        agent("agent-3", on_another_call=True, phone="INUSE"),
        agent("agent-4", phone="UNAVAILABLE"),
    ],
    "agents_total": 4,
    "supervision": STATUS["supervision"]
    | {
        "trunks": [
            {"trunk": "carrier", "up": True, "contacts": []},
            {"trunk": "main", "up": False, "contacts": ["sip:gw Unreachable"]},
        ],
        "registrations": {"sip:reg.example": "Rejected"},
    },
}


def leg(destination: str, phase: str, outcome: str | None = None, ago_ms: int = 1_500) -> dict[str, Any]:
    return {
        "destination": destination,
        "wave": 1,
        "phase": phase,
        "outcome": outcome,
        "since": iso(AT - ago_ms),
    }


def call(name: str, phase: str, **known: Any) -> dict[str, Any]:
    return {
        "id": name,
        "did": "+18005550101",
        "ani": "+12125550142",
        "campaign": name,
        "started_at": iso(AT - 75_000),
        "stage": "asked",
        "winner": None,
        "phase": phase,
        "connected_at": None,
        "place": "NY",
        "legs": [],
    } | known


def screen(view: View) -> list[str]:
    """The board's lines, as a terminal shows them."""
    console = Console(width=WIDTH, height=HEIGHT)
    with console.capture() as shown:
        console.print(board(view, HEIGHT))
    return shown.get().splitlines()


def line_with(view: View, words: str) -> str:
    """The one line that holds these words; runs of spaces are one."""
    [line] = [line for line in screen(view) if words in line]
    return " ".join(line.split())


def test_a_race_is_shown_leg_by_leg() -> None:
    legs = [leg("ann", "ringing"), leg("bob", "answered", ago_ms=400), leg("cy", "ended", "busy")]
    view = View(AT, WELL, [call("plumbing", "race", legs=legs)])
    assert "1m15s race +12125550142 NY plumbing" in line_with(view, "plumbing")
    assert "└ 1.5s ringing ann, wave 1" in line_with(view, "ann")
    assert "└ 0.4s answered bob, wave 1" in line_with(view, "bob")
    assert "busy cy" in line_with(view, "cy")


def test_a_connected_call_is_shown_in_one_line_with_its_agent() -> None:
    connected = call(
        "plumbing",
        "connected",
        winner="ann",
        connected_at=iso(AT - 9_000),
        legs=[leg("bob", "ended", "lost")],
    )
    view = View(AT, WELL, [connected])
    assert "→ ann 9.0s" in line_with(view, "plumbing")
    assert not any("bob" in line for line in screen(view))


def test_races_come_before_calls_that_talk() -> None:
    view = View(AT, WELL, [call("talks", "connected"), call("ends", "ending"), call("races", "race")])
    shown = [name for line in screen(view) for name in ("races", "talks", "ends") if name in line]
    assert shown == ["races", "talks", "ends"]


def test_more_calls_than_fit_are_counted_and_the_screen_keeps_its_height() -> None:
    view = View(AT, WELL, [call(f"c{n}", "ivr") for n in range(100)])
    lines = screen(view)
    assert len(lines) == HEIGHT
    shown = sum("+12125550142" in line for line in lines)
    assert f"and {100 - shown} more lines" in line_with(view, "more lines")


def test_an_agents_places_and_pause_are_shown_as_they_were_written() -> None:
    view = View(AT, WELL)
    assert "1/2" in line_with(view, "agent-1")
    assert "paused: lunch [bold]" in line_with(view, "agent-2")


def test_an_agent_on_another_call_and_one_whose_phone_is_not_registered_are_shown() -> None:
    view = View(AT, WELL)
    assert "on another call" in line_with(view, "agent-3")
    assert "not registered" in line_with(view, "agent-4")


def test_trunks_and_registrations_are_shown_and_which_are_down() -> None:
    view = View(AT, WELL)
    assert "carrier no contact" in line_with(view, "carrier")
    assert "main DOWN sip:gw Unreachable" in line_with(view, "main")
    assert "sip:reg.example DOWN Rejected" in line_with(view, "reg.example")


def test_without_ami_the_board_says_why_no_trunk_is_shown() -> None:
    away = {"ami": "not connected", "problem": "AMI does not answer", "phones": {}, "stray_legs": 0}
    assert "AMI does not answer" in line_with(View(AT, WELL | {"supervision": away}), "AMI")


def test_agents_beyond_those_told_are_counted() -> None:
    assert "and 496 more" in line_with(View(AT, WELL | {"agents_total": 500}), "more")


def test_a_switch_that_is_not_ready_says_why() -> None:
    view = View(AT, WELL | {"not_ready": ["Asterisk is not connected", "draining"]})
    assert "NOT READY: Asterisk is not connected, draining" in line_with(view, "NOT READY")


def test_a_switch_that_has_gone_leaves_a_board_that_says_so() -> None:
    view = View(AT, problem="no switch is running; start it with `callrace lab up`")
    assert "not served: no switch is running" in line_with(view, "not served")
    assert len(screen(view)) == HEIGHT


@pytest.mark.parametrize(
    ("sums", "text"),
    [
        (None, "unknown: the database does not answer"),
        ([], "calls 0 · connected 0 · qualified 0"),
        (
            [Sums(None, 2, 0, 0, 0, 0), Sums("JPY", 1, 1, 1, 900, 500), Sums("USD", 3, 2, 1, 4200, 3000)],
            "calls 6 · connected 3 · qualified 2 · charged 900, paid 500, kept 400 JPY · "
            "charged 42.00, paid 30.00, kept 12.00 USD",
        ),
        (
            [Sums("USD", 1, 1, 1, 3200, 2300, -1000, -700)],
            "calls 1 · connected 1 · qualified 1 · charged 32.00, paid 23.00, kept 9.00 USD "
            "(of it corrected: charged -10.00, paid -7.00)",
        ),
    ],
)
def test_the_day_is_told_in_a_line(sums: list[Sums] | None, text: str) -> None:
    assert today_text(sums) == text


def test_json_has_amounts_as_decimal_strings() -> None:
    [sums] = board_json(View(AT, WELL, today=[Sums("USD", 1, 1, 1, 3200, 2300, -1000, -700)]))["today"]
    assert (sums["charged"], sums["paid"]) == ("32.00", "23.00")
    assert (sums["corrected_charged"], sums["corrected_paid"]) == ("-10.00", "-7.00")


# The command


def test_live_without_a_switch_is_refused(cli: Cli, engine: Engine) -> None:
    assert refusal(cli("live")) == "callrace: no switch is running; start it with `callrace lab up`"


def test_a_switch_of_an_older_version_is_refused_in_one_line(
    cli: Cli, applied: Engine, settings: Settings
) -> None:
    old = {name: value for name, value in WELL.items() if name != "supervision"}
    with Server(settings, old, []):
        assert "older than this command; restart it" in refusal(cli("live"))


def test_live_in_a_pipe_prints_the_moment_once(cli: Cli, applied: Engine, settings: Settings) -> None:
    racing = call("plumbing", "race", legs=[leg("ann", "ringing")])
    with Server(settings, WELL, [racing]):
        output = cli("live").output
    assert "race 1 · connected 1" in output
    assert "today: calls 0 · connected 0" in output
    assert "ann ringing" in output
    assert "agent-2  0/1     paused: lunch [bold]" in output


def test_live_as_json_is_the_switchs_word_and_the_days_sums(
    cli: Cli, applied: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls.save(applied, [settlement(make_call())])
    monkeypatch.setattr("ari_app.cli.live._midnight", lambda: 0)
    with Server(settings, WELL, [call("plumbing", "ivr")]):
        told = json.loads(cli("live", "--json").output)
    assert told["switch"] == json.loads(json.dumps(WELL))
    assert [one["phase"] for one in told["calls"]] == ["ivr"]
    assert told["today"] == [
        {
            "currency": "USD",
            "calls": 1,
            "connected": 1,
            "qualified": 1,
            "charged": "42.00",
            "paid": "30.00",
            "corrected_charged": "0.00",
            "corrected_paid": "0.00",
        }
    ]
