"""Each command's happy path and its refusals, on a database of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, update

from ari_app.cli.main import main
from ari_app.desk import takeover
from ari_app.domain.document.reading import parse
from ari_app.domain.ivr.prompts import stem
from ari_app.settings import Settings
from ari_app.store.calls import calls
from ari_app.store.db.engine import writing
from ari_app.store.db.tables import account_balances
from ari_app.store.market import marketplaces, pauses
from ari_app.views.record import record_json
from tests.samples import make_call, settlement, unqualified
from tests.unit.cli.conftest import MARKETPLACE, Cli, refusal
from tests.unit.cli.fake_switch import STATUS, Server


@pytest.fixture
def saved(applied: Engine) -> Engine:
    """The database with two calls: a paid one, and one that was too short."""
    calls.save(applied, [settlement(make_call(1)), settlement(unqualified(2))])
    return applied


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


# apply and flow check


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """MARKETPLACE in a file."""
    path = tmp_path / "market.yaml"
    path.write_text(MARKETPLACE)
    return path


def test_apply_puts_a_marketplace_in_force_and_tells_what_changed(
    cli: Cli, engine: Engine, sounds: Path, file: Path, settings: Settings
) -> None:
    result = cli("apply", str(file))
    assert result.exit_code == 0, result.output
    assert "marketplace version 1 applied:\n" in result.output
    assert "number +18005550102 added: campaign plumbing; publisher homefix\n" in result.output
    assert "no switch is running; `callrace lab up` starts one" in result.output
    with wave.open(str(settings.prompts / f"{stem('tts:Enter your ZIP code.')}.wav")) as prompt:
        assert (prompt.getframerate(), prompt.getnchannels(), prompt.getsampwidth()) == (8000, 1, 2)
        assert prompt.getnframes() > 4000


def test_apply_of_the_same_changes_nothing(cli: Cli, engine: Engine, sounds: Path, file: Path) -> None:
    cli("apply", str(file))
    result = json.loads(cli("apply", str(file), "--json").output)
    nothing = {"version": 1, "changes": [], "accounts": [], "prompts": [], "warnings": []}
    assert result == nothing | {"switch": "not running"}


def test_apply_reads_stdin(cli: Cli, engine: Engine, sounds: Path) -> None:
    assert cli("apply", "-", input=MARKETPLACE).exit_code == 0
    assert marketplaces.load(engine) is not None


def test_apply_names_every_mistake_with_its_line_and_applies_nothing(
    cli: Cli, engine: Engine, sounds: Path, file: Path, settings: Settings
) -> None:
    file.write_text(MARKETPLACE.replace("sound:vm-goodbye", "sound:vm-godbye").replace('"42.00"', "42.001"))
    result = cli("apply", str(file))
    assert result.exit_code == 1
    assert f"callrace: {file}:" in result.stderr
    assert marketplaces.load(engine) is None
    assert not settings.prompts.exists()


def test_apply_refuses_a_sound_that_asterisk_does_not_have(
    cli: Cli, engine: Engine, sounds: Path, file: Path
) -> None:
    file.write_text(MARKETPLACE.replace("sound:vm-goodbye", "sound:vm-godbye"))
    assert "Asterisk has no sound named vm-godbye" in refusal(cli("apply", str(file)))


def test_apply_refuses_a_recording_that_is_not_there(
    cli: Cli, engine: Engine, sounds: Path, file: Path
) -> None:
    file.write_text(MARKETPLACE.replace("sound:vm-goodbye", "file:bye.wav"))
    assert f"cannot read {file.parent}/bye.wav (No such file or directory)" in refusal(
        cli("apply", str(file))
    )


def test_apply_copies_an_operators_recording_found_beside_the_file(
    cli: Cli, engine: Engine, sounds: Path, file: Path, settings: Settings
) -> None:
    with wave.open(str(file.parent / "bye.wav"), "wb") as recording:
        recording.setparams((1, 2, 8000, 0, "NONE", ""))
        recording.writeframes(b"\1\0" * 800)
    file.write_text(MARKETPLACE.replace("sound:vm-goodbye", "file:bye.wav"))
    assert cli("apply", str(file)).exit_code == 0
    copied = settings.prompts / f"{stem('file:bye.wav')}.wav"
    assert copied.read_bytes() == (file.parent / "bye.wav").read_bytes()


def test_apply_of_bytes_that_are_no_text_is_refused(cli: Cli, engine: Engine, file: Path) -> None:
    file.write_bytes(b"currency: \xff")
    assert "not UTF-8 text" in refusal(cli("apply", str(file)))


def test_apply_of_a_file_that_is_not_there_is_wrong_usage(cli: Cli) -> None:
    assert cli("apply", "nowhere.yaml").exit_code == 2


def test_apply_returns_when_the_running_switch_has_the_version(
    cli: Cli, engine: Engine, sounds: Path, file: Path, settings: Settings
) -> None:
    with Server(settings, STATUS | {"marketplace_version": 1}, []):
        assert "in force in the running switch" in cli("apply", str(file)).output


def test_apply_is_refused_when_the_running_switch_does_not_take_it_over(
    cli: Cli, engine: Engine, sounds: Path, file: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takeover, "TAKE_OVER_S", 0.2)
    with Server(settings, STATUS, []):
        assert "version 1 is applied, but the running switch has not taken it over within 0.2 s" in refusal(
            cli("apply", str(file))
        )


def test_apply_says_when_the_running_switch_cannot_read_it(
    cli: Cli, engine: Engine, sounds: Path, file: Path, settings: Settings
) -> None:
    older = STATUS | {"marketplace_version": 0, "unreadable_marketplace": "marketplace 1 cannot be read"}
    with Server(settings, older, []):
        said = refusal(cli("apply", str(file)))
    assert "version 1 is applied, but the running switch goes on with 0: marketplace 1 cannot be read" in said
    assert "callrace switch hand-over" in said


def test_flow_check_shows_the_flow_as_a_tree_and_applies_nothing(
    cli: Cli, engine: Engine, file: Path
) -> None:
    result = cli("flow", "check", str(file))
    assert result.exit_code == 0, result.output
    assert "intake (used by plumbing)\n  service: menu" in result.output
    assert "  after 10m, wherever the caller is -> hang up\n" in result.output
    assert "    1 (service = repair) -> zip: collect 5 digits as zip, a US ZIP code" in result.output
    assert marketplaces.load(engine) is None


def test_flow_check_refuses_a_node_that_nobody_reaches(cli: Cli, settings: Settings, file: Path) -> None:
    file.write_text(MARKETPLACE.replace("on_invalid: goodbye", "on_invalid: zip"))
    assert "goodbye" in refusal(cli("flow", "check", str(file)))


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


# ledger


def test_a_deposit_counts_once_by_its_key(cli: Cli, applied: Engine) -> None:
    words = ("ledger", "deposit", "acme", "500.00", "--key", "wire-1")
    assert cli(*words).output == "deposited 500.00 USD for acme (key wire-1)\n"
    assert cli(*words).output == "was deposited before: 500.00 USD for acme (key wire-1)\n"
    balances = json.loads(cli("ledger", "balances", "--json").output)
    assert {b["account"]: b["posted"] for b in balances} == {"advertiser:acme": "500.00", "world": "-500.00"}


def test_a_deposit_of_another_amount_under_the_same_key_is_refused(cli: Cli, applied: Engine) -> None:
    cli("ledger", "deposit", "acme", "500.00", "--key", "wire-1")
    assert "has another transfer with the key" in refusal(
        cli("ledger", "deposit", "acme", "5.00", "--key", "wire-1")
    )


def test_a_deposit_for_nobody_is_refused_and_of_nothing_is_wrong_usage(cli: Cli, applied: Engine) -> None:
    assert "there is no advertiser nobody; there are: acme" in refusal(
        cli("ledger", "deposit", "nobody", "5.00", "--key", "k")
    )
    for amount in ("0", "5.001", "much"):
        assert cli("ledger", "deposit", "acme", amount, "--key", "k").exit_code == 2


def test_a_statement_shows_each_transfer_and_the_balance_after_it(cli: Cli, saved: Engine) -> None:
    lines = cli("ledger", "statement", "publisher:homefix").output.splitlines()
    assert len(lines) == 2
    assert "30.00" in lines[1]
    line = json.loads(cli("ledger", "statement", "publisher:homefix", "--json").output)[0]
    assert (line["effect"], line["after"]["posted"]) == ("30.00", "30.00")


def test_a_statement_of_no_account_is_refused(cli: Cli, applied: Engine) -> None:
    assert "there is no account homefix; accounts are" in refusal(cli("ledger", "statement", "homefix"))
    assert cli("ledger", "statement", "publisher:homefix").output == "no transfers\n"


def test_a_ledger_in_order_is_verified(cli: Cli, saved: Engine) -> None:
    assert cli("ledger", "verify").output.startswith("ok: ")
    assert json.loads(cli("ledger", "verify", "--json").output)["balanced"] is True


@pytest.mark.breaks_the_ledger
def test_a_kept_balance_that_is_not_the_sum_is_refused(cli: Cli, saved: Engine) -> None:
    with writing(saved) as connection:
        connection.execute(update(account_balances).values(posted=account_balances.c.posted + 1))
    result = cli("ledger", "verify")
    assert "findings 3" in refusal(result)
    assert "kept balances are the transfers' sums  advertiser:acme USD" in result.output


@pytest.mark.breaks_the_ledger
def test_a_ledger_that_contradicts_a_call_is_refused(cli: Cli, applied: Engine) -> None:
    calls.save(applied, [calls.Settlement(make_call(1), ())])
    result = cli("ledger", "verify")
    assert "the record and the ledger agree" in result.output
    assert "the ledger is not in order" in refusal(result)


# route


def test_more_keys_than_a_question_asks_for_are_wrong_usage(cli: Cli, applied: Engine) -> None:
    result = cli("route", "explain", "--did", "+18005550101", "--press", "12,10001")
    assert result.exit_code == 2
    assert 'Invalid value for --press: "12" is more than is asked for: it ends after 1 keys' in result.stderr


def test_a_route_is_explained_from_the_presses_to_the_waves(cli: Cli, applied: Engine) -> None:
    at = ("--at", "2026-11-23T10:00-05:00")
    told = cli(
        "route", "explain", "--did", "+18005550101", "--ani", "+13105550142", "--press", "1,10001", *at
    )
    assert told.exit_code == 0, told.output
    assert "Answers: service = repair, zip = 10001." in told.output
    assert "Wave 1, at once\n  - agent-" in told.output
    assert "Wave 2, after 12 s, or once nobody of the wave before is left\n  - overflow\n" in told.output


def test_a_route_names_who_is_left_out_and_why(cli: Cli, applied: Engine) -> None:
    words = ("--did", "+18005550101", "--press", "1,90210", "--at", "2026-11-23T10:00-05:00", "--json")
    decision = json.loads(cli("route", "explain", *words).output)
    assert [wave["destinations"] for wave in decision["waves"]] == [[], ["overflow"]]
    assert [excluded["destination"] for excluded in decision["excluded"]] == ["agent-1", "agent-2"]


def test_a_route_takes_a_zip_code_by_whatever_name_the_flow_gives_it(cli: Cli, engine: Engine) -> None:
    text = MARKETPLACE.replace("as: zip, check: us-zip", "as: postal, check: us-zip")
    marketplaces.apply(engine, parse(text, "test.yaml"), 1)
    words = ("--did", "+18005550101", "--ani", "+13105550142", "--press", "1,10001", "--json")
    place = json.loads(cli("route", "explain", *words).output)["place"]
    assert (place["zip"], place["from"]) == ("10001", "zip")


def test_a_route_stops_at_a_refusal_at_the_flows_end_and_at_an_unknown_number(
    cli: Cli, applied: Engine
) -> None:
    blocked = cli("route", "explain", "--did", "+18005550101", "--ani", "+19005550142").output
    assert "The call is refused (blocked): +19005550142 is blocked by +1900*." in blocked
    silent = cli("route", "explain", "--did", "+18005550101").output
    assert "The flow ends the call (no input); no phone is rung." in silent
    unknown = cli("route", "explain", "--did", "+18005550199").output
    assert "The number belongs to no campaign" in unknown


def test_a_route_is_explained_for_a_callers_attestation(cli: Cli, engine: Engine) -> None:
    text = f"{MARKETPLACE}screen: {{attestation: [A, B]}}\n"
    marketplaces.apply(engine, parse(text, "test.yaml"), 1)
    refused = cli("route", "explain", "--did", "+18005550101", "--attestation", "C").output
    assert "refused (blocked): the caller's attestation is C, not A or B, in every campaign." in refused
    assert "refused" not in cli("route", "explain", "--did", "+18005550101", "--attestation", "A").output


def test_a_time_that_is_none_is_wrong_usage(cli: Cli, applied: Engine) -> None:
    assert cli("route", "explain", "--did", "+18005550101", "--at", "noon").exit_code == 2


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
