"""`callrace audit list`: who did what; and who the operator is."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine

from tests.unit.cli.conftest import Cli, refusal
from tests.unit.cli.test_desk import done

STOCK = "did,kind,region,trunk\n+12125550100,local,NY,main\n"


@pytest.fixture
def market(cli: Cli, applied: Engine, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """MARKETPLACE is in force, and ada is at the desk."""
    monkeypatch.setenv("CALLRACE_OPERATOR", "ada")
    return cli


def kept(cli: Cli, *words: str) -> list[tuple[str, str, str]]:
    """Who did what to what, oldest first."""
    told = json.loads(cli("audit", "list", "--json", *words).stdout)
    return [(one["actor"], one["use_case"], one["subject"]) for one in reversed(told)]


def test_each_thing_that_is_done_is_kept_with_who_did_it(market: Cli) -> None:
    for words in (
        "agents pause agent-1 --reason lunch",
        "agents resume agent-1",
        "numbers assign --campaign plumbing --publisher homefix --did +12125550100",
        "numbers release +12125550100",
        "applications submit --campaign plumbing --publisher homefix",
        "campaigns pause plumbing",
    ):
        if words.startswith("numbers assign"):
            done(market("numbers", "import", "-", input=STOCK))
        done(market(*words.split()))
    assert kept(market) == [
        ("ada", "agents.pause", "agent-1"),
        ("ada", "agents.resume", "agent-1"),
        ("ada", "numbers.import", "<stdin>"),
        ("ada", "numbers.assign", "+12125550100"),
        ("ada", "numbers.release", "+12125550100"),
        ("ada", "applications.submit", "1"),
        ("ada", "campaigns.become", "plumbing"),
    ]
    assert kept(market, "--subject", "plumbing") == [("ada", "campaigns.become", "plumbing")]
    assert kept(market, "--actor", "eve") == []
    line = done(market("audit", "list", "--limit", "1"))[1]
    assert line.endswith("ada    campaigns.become  plumbing  status paused, version 2")


@pytest.mark.parametrize(
    "words",
    [
        "agents pause nobody --reason lunch",
        "agents resume agent-1",
        "numbers release +12125550100",
        "campaigns pause roofing",
        "campaigns start plumbing",  # which it is
    ],
)
def test_what_changes_nothing_leaves_no_line(market: Cli, words: str) -> None:
    market(*words.split())
    assert done(market("audit", "list")) == ["nothing was done"]


def test_an_operator_who_would_pass_for_somebody_else_is_refused(
    market: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLRACE_OPERATOR", "program:callrace")
    assert refusal(market("agents", "pause", "agent-1", "--reason", "lunch")).startswith(
        "callrace: CALLRACE_OPERATOR: 'program:callrace' is not the name of an operator"
    )


def test_without_the_variable_the_operator_is_who_is_logged_in(
    market: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CALLRACE_OPERATOR")
    monkeypatch.setenv("LOGNAME", "grace")
    done(market("agents", "pause", "agent-1", "--reason", "lunch"))
    assert kept(market) == [("grace", "agents.pause", "agent-1")]
