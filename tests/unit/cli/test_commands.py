"""Each command's happy path and its refusals, on a database of its own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from ari_app.cli.main import main
from ari_app.settings import Settings
from ari_app.store.calls import calls
from ari_app.store.market import pauses
from ari_app.views.record import record_json
from tests.samples import make_call, settlement, unqualified
from tests.unit.cli.conftest import Cli, refusal
from tests.unit.cli.fake_switch import STATUS, Server

# All commands


@pytest.mark.parametrize(
    "words",
    [(), *((name,) for name in main.commands), *(
        (name, sub) for name, group in main.commands.items() for sub in getattr(group, "commands", {})
    )],
)  # fmt: skip
def test_every_command_has_help_that_begins_with_one_line(cli: Cli, words: tuple[str, ...]) -> None:
    result = cli(*words, "--help")
    assert result.exit_code == 0
    summary = result.output.split("\n\n")[1]
    assert summary.strip().endswith((".", ":")), summary


@pytest.mark.parametrize(
    ("words", "unneeded"),
    [
        (("--help",), {"asyncio", "pydantic", "rich", "sqlalchemy", "yaml"}),
        (
            ("calls", "list", "--json"),
            {"agi", "aiohttp", "alembic", "matplotlib", "uvloop", "ari_app.cli.expected"},
        ),
    ],
)
def test_a_command_waits_for_no_module_that_it_does_not_need(
    settings: Settings, engine: Engine, words: tuple[str, ...], unneeded: set[str]
) -> None:
    loads = (
        f"import sys; from ari_app.cli.main import main; main({words}, standalone_mode=False); "
        f"sys.exit(', '.join({unneeded} & set(sys.modules)) or None)"
    )
    run = subprocess.run((sys.executable, "-c", loads), capture_output=True, text=True, timeout=30)
    assert (run.returncode, run.stderr) == (0, "")


def test_a_word_that_is_nearly_a_command_is_answered_with_it(cli: Cli) -> None:
    assert "'reports'" in cli("reprts").stderr


def test_wrong_usage_is_exit_code_2(cli: Cli) -> None:
    assert cli("calls", "list", "--limit", "none").exit_code == 2
    assert cli("no-such-noun").exit_code == 2
    assert cli("calls", "list", "--ani", "5550101").exit_code == 2


def test_a_database_without_tables_is_refused_in_one_line(cli: Cli, settings: Settings) -> None:
    assert refusal(cli("calls", "list")).endswith("run `callrace db upgrade`")


def test_a_setting_that_cannot_be_used_is_refused_in_one_line(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLRACE_SIP_PORT", "many")
    assert refusal(cli("calls", "list")) == (
        "callrace: CALLRACE_SIP_PORT: expected a port from 1 to 65535, got 'many'"
    )


@pytest.mark.parametrize(
    "words", [("agents", "list"), ("numbers", "list"), ("agents", "pause", "a", "--reason", "b")]
)
def test_without_a_marketplace_the_way_to_one_is_named(
    cli: Cli, engine: Engine, words: tuple[str, ...]
) -> None:
    assert (
        refusal(cli(*words))
        == "callrace: no marketplace was applied yet; run `callrace apply FILE`, or `callrace marketplace init`"
    )


# db


def test_db_upgrade_makes_the_tables_and_says_so_once(cli: Cli) -> None:
    assert "upgraded from nothing" in cli("db", "upgrade").output
    assert "was there already" in cli("db", "upgrade").output


def test_db_status_is_refused_until_the_database_is_migrated(cli: Cli) -> None:
    assert refusal(cli("db", "status")) == "callrace: the database is not migrated; run `callrace db upgrade`"
    cli("db", "upgrade")
    assert json.loads(cli("db", "status", "--json").output)["migrated"] is True


# agents


def test_agents_list_shows_how_each_is_dialled(cli: Cli, applied: Engine) -> None:
    lines = cli("agents", "list").output.splitlines()
    assert lines[0].split() == ["agent", "advertiser", "dial", "capacity", "in", "use", "paused"]
    assert lines[1].split() == ["agent-1", "acme", "sip:agent-1@127.0.0.1:5071", "1"]
    assert lines[2].split() == ["agent-2", "acme", "phone", "agent-2", "2"]
    assert lines[3].split() == ["overflow", "acme", "+12125550123", "by", "trunk", "main", "1"]


def test_agents_list_knows_calls_in_progress_from_the_running_switch(
    cli: Cli, applied: Engine, settings: Settings
) -> None:
    with Server(settings, STATUS | {"capacity_in_use": {"agent-2": 1}}, []):
        agents = json.loads(cli("agents", "list", "--json").output)
    assert [agent["in_use"] for agent in agents] == [0, 1, 0]


def test_an_agent_is_paused_and_resumed(cli: Cli, applied: Engine) -> None:
    assert cli("agents", "pause", "agent-1", "--reason", "lunch").output == "agent-1 is paused: lunch\n"
    assert [pause.reason for pause in pauses.paused(applied)] == ["lunch"]
    assert cli("agents", "list").output.splitlines()[1].endswith("lunch")
    assert cli("agents", "resume", "agent-1").output == "agent-1 is offered calls again\n"
    assert pauses.paused(applied) == []


# What is done is told to programs too


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("agents", "pause", "agent-1", "--reason", "lunch"), {"agent": "agent-1", "paused": "lunch"}),
        (("privacy", "erase", "+12125550001"), {"calls": 1, "under_way": [], "left": []}),
        (("privacy", "expire", "--older-than", "30d"), {"calls": 1, "left": []}),
        (("reports", "rebuild"), {"calls": 1}),
    ],
)
def test_a_command_tells_what_it_has_done_as_json(
    cli: Cli, applied: Engine, words: tuple[str, ...], told: dict[str, object]
) -> None:
    calls.save(applied, [settlement(make_call(1))])
    assert json.loads(cli(*words, "--json").stdout) == told


def test_pausing_twice_resuming_what_runs_and_unknown_agents_are_refused(cli: Cli, applied: Engine) -> None:
    cli("agents", "pause", "agent-1", "--reason", "lunch")
    assert "agent-1 is paused already" in refusal(cli("agents", "pause", "agent-1", "--reason", "nap"))
    assert refusal(cli("agents", "resume", "agent-2")) == "callrace: agent-2 is not paused"
    assert "there is no agent nobody" in refusal(cli("agents", "pause", "nobody", "--reason", "x"))
    assert "there is no agent nobody" in refusal(cli("agents", "resume", "nobody"))


# numbers


def test_numbers_are_listed_and_filtered(cli: Cli, applied: Engine) -> None:
    assert len(cli("numbers", "list", "--publisher", "homefix").output.splitlines()) == 3
    assert cli("numbers", "list", "--campaign", "other").output == "no numbers\n"
    first = json.loads(cli("numbers", "list", "--json").output)[0]
    assert first == {
        "did": "+18005550101",
        "campaign": "plumbing",
        "publisher": "homefix",
        "source": "sidebar",
        "origin": "file",
        "kind": None,
        "region": None,
        "trunk": None,
        "status": "assigned",
        "free_from": None,
    }


def test_a_numbers_history_shows_since_when_it_is_whose(cli: Cli, applied: Engine) -> None:
    history = json.loads(cli("numbers", "list", "--history", "+18005550101", "--json").output)
    assert [(entry["from"], entry["to"]) for entry in history] == [("2025-11-23T12:13:20.000Z", None)]


def test_a_number_that_never_was_has_no_history(cli: Cli, applied: Engine) -> None:
    assert "never was a tracking number" in refusal(cli("numbers", "list", "--history", "+18005550199"))


# calls


def test_calls_are_listed_newest_first_and_filtered(cli: Cli, saved: Engine) -> None:
    lines = cli("calls", "list").output.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [make_call(2).id, make_call(1).id]
    assert len(cli("calls", "list", "--ani", "+12125550001").output.splitlines()) == 2
    assert cli("calls", "list", "--disposition", "no_answer").output == "no calls\n"


def test_calls_list_json_is_the_records(cli: Cli, saved: Engine) -> None:
    [listed] = json.loads(cli("calls", "list", "--limit", "1", "--json").output)
    record = record_json(unqualified(2))
    record["money"] |= {"net_charged": "0.00", "net_paid": "0.00"}
    assert listed == {**record, "adjustments": []}


def test_a_call_is_shown_with_timeline_legs_verdict_and_money(cli: Cli, saved: Engine) -> None:
    shown = cli("calls", "show", make_call(1).id).output
    for part in ("Timeline", "Legs", "Left out", "Verdict: qualified", "Money"):
        assert f"\n{part}\n" in shown
    assert "+00.700  leg_answered  agent-1 picked up" in shown
    as_json = json.loads(cli("calls", "show", make_call(1).id, "--json").output)
    as_json["money"] = {name: as_json["money"][name] for name in record_json(make_call(1))["money"]}
    assert as_json == {**record_json(make_call(1)), "adjustments": [], "disputes": []}


def test_a_call_is_explained(cli: Cli, saved: Engine) -> None:
    told = cli("calls", "explain", make_call(1).id).output
    assert "In short: agent-1 took the call and was connected to the caller for 95 s." in told
    titles = [part["title"] for part in json.loads(cli("calls", "explain", make_call(1).id, "--json").output)]
    assert titles[-1] == "The money"


def test_an_unknown_call_and_an_ambiguous_beginning_are_refused(cli: Cli, saved: Engine) -> None:
    assert (
        refusal(cli("calls", "show", "ffff")) == "callrace: there is no call ffff; see `callrace calls list`"
    )
    assert "several calls' ids begin" in refusal(cli("calls", "explain", "00"))


def test_live_calls_come_from_the_running_switch(cli: Cli, settings: Settings) -> None:
    call = {
        "id": "001",
        "started_at": "2026-11-23T10:00:00.000Z",
        "ani": None,
        "did": "+18005550101",
        "campaign": "plumbing",
        "stage": "ringing",
        "winner": None,
    }
    with Server(settings, STATUS, [call]):
        assert "ringing" in cli("calls", "live").output
        assert json.loads(cli("calls", "live", "--json").output) == [call]


def test_live_calls_without_a_switch_are_refused(cli: Cli) -> None:
    assert refusal(cli("calls", "live")) == (
        "callrace: no switch is running; start it with `callrace lab up`"
    )


# doctor and switch run


def test_the_doctor_names_what_is_missing_and_the_remedies(cli: Cli, settings: Settings) -> None:
    result = cli("doctor")
    assert "checks failed: secret ari, secret ami, database, asterisk, trunk carrier, switch" in refusal(
        result
    )
    assert "\nWhat to do\n" in result.output
    assert "run `callrace lab up`" in result.output


def test_the_doctors_findings_as_json_say_what_is_not_ok(cli: Cli, applied: Engine) -> None:
    findings = {finding["name"]: finding for finding in json.loads(cli("doctor", "--json").stdout)}
    assert findings["database"]["ok"]
    assert not findings["switch"]["ok"]
    assert findings["prompts"]["remedy"] == "run `callrace apply FILE` again"


def test_a_switch_without_asterisks_password_is_refused_in_one_line(cli: Cli, applied: Engine) -> None:
    result = cli("switch", "run")
    assert result.exit_code == 1
    assert "secrets/ari: cannot read the ari password" in result.stderr.splitlines()[-1]


# In a pipe


def test_a_pipe_gets_no_colour_and_no_truncated_cell(cli: Cli, applied: Engine) -> None:
    reason = "a very long reason " * 20
    cli("agents", "pause", "agent-1", "--reason", reason.strip())
    output = CliRunner().invoke(main, ["agents", "list"], color=False, terminal_width=40).output
    assert reason.strip() in output
    assert "\x1b" not in output
