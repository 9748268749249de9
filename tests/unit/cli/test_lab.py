"""`callrace lab`, with a script, a switch and an AGI server that only pretend."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ari_app.cli import lab
from ari_app.cli.main import main
from ari_app.lab.ports import free_tcp_ports
from ari_app.serving import running
from ari_app.settings import Settings
from ari_app.store.db import schema
from ari_app.store.db.engine import open_engine
from tests.unit.cli.conftest import Cli, refusal

Use = Callable[[str], None]


@pytest.fixture
def script(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lab script that notes what it is told to do in HOME/told, and does what HOME/fails does not say."""
    path = settings.home / "lab"
    path.write_text(
        'echo "$1" >>"$CALLRACE_HOME/told"; echo "Asterisk 22.10.1 at nowhere"\n'
        '[ ! -e "$CALLRACE_HOME/fails" ]\n'
    )
    monkeypatch.setattr(lab, "SCRIPT", path)
    return path


@pytest.fixture
def use(settings: Settings, script: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Use]:
    """Chooses how the switch that `lab up` starts behaves; it is stopped at the end of the test."""

    def choose(how: str) -> None:
        switch = (sys.executable, "-m", "tests.unit.cli.fake_switch", how)
        monkeypatch.setitem(lab.COMMANDS, "switch", switch)

    monkeypatch.setitem(lab.COMMANDS, "agi", (sys.executable, "-m", "tests.unit.cli.fake_agi"))
    monkeypatch.setitem(lab.COMMANDS, "web", (sys.executable, "-m", "tests.unit.cli.fake_agi", "web"))
    agi, web = free_tcp_ports(2)
    monkeypatch.setenv("CALLRACE_AGI_PORT", str(agi))
    monkeypatch.setenv("CALLRACE_WEB_PORT", str(web))
    yield choose
    running.stop(settings, 10)
    running.stop(settings, 10, "agi")
    running.stop(settings, 10, "web")


def test_up_starts_asterisk_and_a_switch_on_a_migrated_database(
    cli: Cli, use: Use, settings: Settings
) -> None:
    use("serve")
    result = cli("lab", "up")
    assert result.exit_code == 0, result.output
    assert "connected to Asterisk" in result.output
    assert "no marketplace is in force yet: `callrace apply FILE`" in result.output
    assert (settings.home / "told").read_text() == "up\n"
    schema.require(open_engine(settings.database_url))


def test_up_again_starts_no_second_switch(cli: Cli, use: Use, settings: Settings) -> None:
    use("serve")
    cli("lab", "up")
    first = running.running_pid(settings)
    use("refuse")
    assert cli("lab", "up").exit_code == 0
    assert running.running_pid(settings) == first is not None


def test_up_shows_the_end_of_the_log_when_the_switch_ends_at_once(cli: Cli, use: Use) -> None:
    use("refuse")
    result = cli("lab", "up")
    assert result.exit_code == 1
    assert "the switch ended with exit code 1:" in result.stderr
    assert "the last word" in result.stderr


def test_up_gives_up_on_a_switch_that_never_connects_and_ends_it(
    cli: Cli, use: Use, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    use("deaf")
    monkeypatch.setattr(lab, "START_S", 1.0)
    result = cli("lab", "up")
    assert result.exit_code == 1
    assert "the switch is not connected after 1 s:" in result.stderr
    assert "deaf as ever" in result.stderr
    running.stop(settings, 10)  # returns when it is gone


def test_up_starts_a_server_of_the_dialplan_too_and_down_ends_it(
    cli: Cli, use: Use, settings: Settings
) -> None:
    use("serve")
    cli("lab", "up")
    first = running.running_pid(settings, "agi")
    assert json.loads(cli("lab", "status", "--json").output)["agi"] == {"pid": first}
    cli("lab", "up")
    assert running.running_pid(settings, "agi") == first is not None
    cli("lab", "down")
    assert running.running_pid(settings, "agi") is None
    assert "AGI:      not running" in cli("lab", "status").output


def test_up_starts_portals_and_api_too_tells_where_and_down_ends_them(
    cli: Cli, use: Use, settings: Settings
) -> None:
    use("serve")
    assert "portals and API: http://127.0.0.1:" in cli("lab", "up").output
    first = running.running_pid(settings, "web")
    assert json.loads(cli("lab", "status", "--json").output)["web"] == {"pid": first}
    cli("lab", "up")
    assert running.running_pid(settings, "web") == first is not None
    cli("lab", "down")
    assert running.running_pid(settings, "web") is None
    assert "web:      not running" in cli("lab", "status").output


def test_up_tells_why_the_server_of_the_dialplan_does_not_answer(
    cli: Cli, use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    use("serve")
    monkeypatch.setitem(lab.COMMANDS, "agi", (sys.executable, "-c", "raise SystemExit('no such luck')"))
    result = cli("lab", "up")
    assert result.exit_code == 1
    assert "the AGI server does not answer:" in result.stderr
    assert "no such luck" in result.stderr


def test_what_up_starts_are_commands_of_ours() -> None:
    for *_, group, word in lab.COMMANDS.values():
        assert word in getattr(main.commands[group], "commands", {})
    assert lab.COMMANDS.keys() == {"switch", "agi", "web"}


def test_up_stops_where_asterisk_does_not_start(cli: Cli, use: Use, settings: Settings) -> None:
    use("serve")
    (settings.home / "fails").touch()
    assert refusal(cli("lab", "up")) == "callrace: Asterisk did not start; see the lines above"
    assert running.running_pid(settings) is None


def test_down_stops_the_switch_and_then_asterisk(cli: Cli, use: Use, settings: Settings) -> None:
    use("serve")
    cli("lab", "up")
    result = cli("lab", "down")
    assert (result.exit_code, result.output) == (0, "stopped\n")
    assert running.running_pid(settings) is None
    assert (settings.home / "told").read_text() == "up\ndown\n"


def test_down_with_nothing_running_is_no_error(cli: Cli, script: Path) -> None:
    assert cli("lab", "down").output == "stopped (no switch was running)\n"


def test_down_leaves_alone_a_process_that_has_the_number_of_a_dead_switch(
    cli: Cli, script: Path, settings: Settings
) -> None:
    running.pid_file(settings).write_text("1\n")
    assert cli("lab", "down").output == "stopped (no switch was running)\n"


def test_status_tells_of_both(cli: Cli, use: Use) -> None:
    use("serve")
    cli("lab", "up")
    result = cli("lab", "status", "--json")
    assert result.exit_code == 0
    status = json.loads(result.output)
    assert status["asterisk"] == {"running": True, "detail": "Asterisk 22.10.1 at nowhere"}
    assert status["switch"]["asterisk"] == "connected"


def test_status_is_refused_when_no_switch_runs(cli: Cli, script: Path) -> None:
    result = cli("lab", "status")
    assert "switch:   not running" in result.output
    assert refusal(result) == "callrace: calls are not served; `callrace lab up` starts what is missing"
