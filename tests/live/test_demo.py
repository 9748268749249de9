"""`callrace demo`, run as a person runs it: a command, its report, and nothing left when it is over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.live.lab import REPO

CALLRACE = (sys.executable, "-m", "ari_app.cli.main")
NAMES = [
    "qualified-and-paid",
    "too-short",
    "outside-the-area",
    "repeat-caller",
    "nobody-available",
    "caller-gives-up",
]


@dataclass(frozen=True, slots=True)
class Finished:
    """A demo that has ended: its home, its exit code, what it printed, its report."""

    home: Path
    code: int
    printed: str
    report: dict[str, Any]

    def call(self, scenario: str) -> dict[str, Any]:
        return next(call for call in self.report["calls"] if call["scenario"] == scenario)

    def legs(self, scenario: str) -> dict[str, str]:
        return {leg["destination"]: leg["outcome"] for leg in self.call(scenario)["legs"]}

    def failed(self, scenario: str) -> list[str]:
        clauses = self.call(scenario)["qualification"]["clauses"]
        return [clause["name"] for clause in clauses if not clause["passed"]]


def environment(home: Path) -> dict[str, str]:
    """A home of the test's own, with the repository's installed Asterisk."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CALLRACE_")}
    root = REPO / "var" / "asterisk" / "root"
    return inherited | {"CALLRACE_HOME": str(home), "CALLRACE_ASTERISK_ROOT": str(root)}


def processes_of(home: Path) -> list[str]:
    """The processes that run with something of `home` in their command or environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if str(home).encode() in words:
            found.append((process / "cmdline").read_text().replace("\0", " "))
    return found


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    home = tmp_path_factory.mktemp("home")
    done = subprocess.run(
        [*CALLRACE, "demo"], cwd=REPO, env=environment(home), capture_output=True, text=True
    )
    report = home / "demo" / "report.json"
    assert report.exists(), (
        f"exit code {done.returncode}, no report:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    )
    yield Finished(home, done.returncode, done.stdout + done.stderr, json.loads(report.read_text()))


def test_the_demo_exits_0_as_every_call_ends_as_expected(finished):
    assert finished.code == 0, finished.printed
    assert [call["scenario"] for call in finished.report["calls"]] == NAMES
    assert finished.printed.count("\nAs expected.") == len(NAMES)


def test_the_first_call_is_won_by_the_first_acceptance_charged_and_paid(finished):
    call = finished.call("qualified-and-paid")
    assert (call["disposition"], call["winner"]) == ("connected", "agent-2")
    assert call["qualification"]["qualified"]
    assert (call["money"]["charged"], call["money"]["paid"]) == ("42.00", "30.00")


def test_a_voicemail_and_a_late_acceptance_lose_and_are_let_go_with_cause_26(finished):
    legs = {leg["destination"]: leg for leg in finished.call("qualified-and-paid")["legs"]}
    assert legs["agent-1"]["answered_at"] < legs["agent-2"]["answered_at"]
    assert legs["agent-3"]["lost_by_ms"] > 0
    losers = [legs[name] for name in ("agent-1", "agent-3", "agent-4")]
    assert [(leg["outcome"], leg["hangup_cause"]) for leg in losers] == [("lost", 26)] * 3


@pytest.mark.parametrize(
    ("scenario", "disposition", "clause"),
    [
        ("too-short", "connected", "connected_at_least"),
        ("outside-the-area", "no_route", "caller_in"),
        ("repeat-caller", "connected", "no_repeat_within"),
        ("nobody-available", "no_answer", "connected"),
        ("caller-gives-up", "abandoned_queue", "connected"),
    ],
)
def test_every_other_call_moves_no_money_and_says_why(finished, scenario, disposition, clause):
    call = finished.call(scenario)
    assert call["disposition"] == disposition
    assert clause in finished.failed(scenario)
    assert (call["money"]["charged"], call["money"]["paid"]) == ("0.00", "0.00")


def test_a_caller_outside_the_area_rings_no_phone_and_each_exclusion_has_a_reason(finished):
    call = finished.call("outside-the-area")
    assert call["legs"] == []
    assert len(call["excluded"]) == 5
    assert all("90001" in exclusion["reason"] for exclusion in call["excluded"])


def test_phones_that_nobody_takes_a_call_on_say_how(finished):
    assert finished.legs("nobody-available") == {
        "night-desk-1": "busy",
        "night-desk-2": "no_answer",
        "night-desk-3": "failed",
    }


def test_the_ledger_balances_with_the_publisher_paid(finished):
    assert finished.report["ledger"] == {
        "balanced": True,
        "balances": {
            "advertiser:acme-plumbing": "458.00",
            "exchange": "12.00",
            "publisher:homefix": "30.00",
            "world": "-500.00",
        },
    }


@pytest.mark.parametrize("scenario", NAMES)
def test_each_call_can_be_explained_afterwards(finished, scenario):
    call_id = finished.call(scenario)["id"]
    assert f"calls explain {call_id}" in finished.printed
    explained = subprocess.run(
        [*CALLRACE, "calls", "explain", call_id],
        cwd=REPO,
        env=environment(finished.home),
        capture_output=True,
        text=True,
    )
    assert explained.returncode == 0, explained.stderr
    assert "In short" in explained.stdout


def test_nothing_of_the_demo_runs_on(finished):
    assert processes_of(finished.home) == []


def test_an_interrupted_demo_ends_all_it_started(tmp_path):
    demo = subprocess.Popen(
        [*CALLRACE, "demo"],
        cwd=REPO,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert demo.stdout is not None
    for line in demo.stdout:
        if "placing" in line:
            break
    demo.send_signal(signal.SIGINT)
    demo.send_signal(signal.SIGTERM)  # as make and timeout do: more than one signal
    _, errors = demo.communicate()
    assert (demo.returncode, "interrupted" in errors) == (1, True), errors
    assert processes_of(tmp_path) == []
