"""`callrace apply` and `callrace flow check`: what is put in force, and what is refused."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ari_app.desk import takeover
from ari_app.domain.ivr.prompts import stem
from ari_app.settings import Settings
from ari_app.store.market import marketplaces
from tests.unit.cli.conftest import MARKETPLACE, Cli, refusal
from tests.unit.cli.fake_switch import STATUS, Server


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
