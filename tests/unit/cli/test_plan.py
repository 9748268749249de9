"""plan shows what apply then does, and changes nothing; what export writes plans to nothing."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ari_app.settings import Settings
from ari_app.store.market import marketplaces
from tests.unit.cli.conftest import MARKETPLACE, Cli, refusal

CHANGED = (
    MARKETPLACE.replace('"42.00"', '"45.00"')
    .replace("[agent-1, agent-2]", "[agent-2]")
    .replace("For a repair", "For an installation")
)
IN_EST = MARKETPLACE.replace("America/New_York", "EST")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file for a marketplace."""
    path = tmp_path / "market.yaml"
    path.write_text(MARKETPLACE)
    return path


@pytest.fixture
def changed(cli: Cli, engine: Engine, sounds: Path, file: Path) -> Path:
    """MARKETPLACE is applied; the file says CHANGED."""
    assert cli("apply", str(file)).exit_code == 0
    file.write_text(CHANGED)
    return file


def test_plan_tells_each_object_and_field_with_the_terms_and_prompts_to_be(cli: Cli, changed: Path) -> None:
    result = cli("plan", str(changed))
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "marketplace version 2 would be applied:",
        "  flow intake changed",
        "    nodes.service.menu.prompt: tts:For a repair, press 1. -> tts:For an installation, press 1.",
        "  campaign plumbing changed",
        "    price: 42.00 -> 45.00",
        "    route.waves[0].destinations: agent-1 removed",
        "    terms: version 1 -> version 2 (new)",
        "  prompt rendered: For an installation, press 1.",
    ]


def test_plan_changes_nothing(cli: Cli, engine: Engine, changed: Path, settings: Settings) -> None:
    before = marketplaces.load(engine), sorted(settings.prompts.iterdir())
    cli("plan", str(changed))
    assert (marketplaces.load(engine), sorted(settings.prompts.iterdir())) == before


def test_plan_of_a_first_marketplace_renders_nothing(
    cli: Cli, engine: Engine, sounds: Path, file: Path, settings: Settings
) -> None:
    assert "  prompt rendered: Enter your ZIP code.\n" in cli("plan", str(file)).output
    assert not settings.prompts.exists()


def test_apply_tells_exactly_what_plan_told(cli: Cli, engine: Engine, sounds: Path, file: Path) -> None:
    for text in (MARKETPLACE, CHANGED, MARKETPLACE):
        file.write_text(text)
        told = cli("plan", str(file)).output.splitlines()
        title, *applied, switch = cli("apply", str(file)).output.splitlines()
        assert applied == told[1:]
        assert title == told[0].replace("would be applied", "applied")
        assert switch == "no switch is running; `callrace lab up` starts one"


def test_plan_and_apply_give_the_same_json(cli: Cli, changed: Path) -> None:
    planned = json.loads(cli("plan", str(changed), "--json").output)
    campaign = planned["changes"][1]
    assert (campaign["kind"], campaign["what"], campaign["name"]) == ("changed", "campaign", "plumbing")
    assert campaign["fields"][0] == {"path": "price", "before": "42.00", "after": "45.00"}
    applied = json.loads(cli("apply", str(changed), "--json").output)
    assert applied == planned | {"switch": "not running"}


def test_plan_check_exits_1_exactly_when_there_is_something_to_change(cli: Cli, changed: Path) -> None:
    assert cli("plan", "--check", str(changed)).exit_code == 1
    assert cli("plan", "--check", "--json", str(changed)).exit_code == 1
    cli("apply", str(changed))
    assert cli("plan", "--check", str(changed)).exit_code == 0


def test_plan_of_what_is_in_force_says_so(cli: Cli, changed: Path) -> None:
    cli("apply", str(changed))
    assert cli("plan", str(changed)).output == "nothing to change: marketplace version 2 says the same\n"


def test_plan_refuses_what_apply_would_refuse(cli: Cli, changed: Path) -> None:
    changed.write_text(CHANGED.replace("sound:vm-goodbye", "sound:vm-godbye"))
    assert "Asterisk has no sound named vm-godbye" in refusal(cli("plan", str(changed)))


def test_plan_of_bytes_that_are_no_text_is_refused(cli: Cli, engine: Engine, file: Path) -> None:
    file.write_bytes(b"currency: \xff")
    assert "not UTF-8 text" in refusal(cli("plan", str(file)))


def test_what_is_exported_plans_to_nothing(cli: Cli, changed: Path) -> None:
    cli("apply", str(changed))
    exported = cli("export").output
    assert exported.startswith("# Marketplace version 2.\ncurrency: USD\n\nadvertisers:\n")
    assert cli("plan", "--check", "-", input=exported).exit_code == 0


def test_an_export_leaves_out_defaults_and_keeps_amounts_durations_and_files_as_written(
    cli: Cli, engine: Engine, sounds: Path, file: Path
) -> None:
    (file.parent / "voice").mkdir()
    with wave.open(str(file.parent / "voice" / "bye.wav"), "wb") as recording:
        recording.setparams((1, 2, 8000, 0, "NONE", ""))
        recording.writeframes(b"\1\0" * 800)
    file.write_text(MARKETPLACE.replace("sound:vm-goodbye", "file:voice/bye.wav"))
    assert "prompt copied: voice/bye.wav" in cli("apply", str(file)).output
    document = json.loads(cli("export", "--json").output)
    assert document["flows"]["intake"]["nodes"]["goodbye"] == {"play": "file:voice/bye.wav", "hangup": True}
    campaign = document["campaigns"]["plumbing"]
    assert campaign["price"] == "42.00"
    assert campaign["route"]["waves"][1] == {"destinations": ["overflow"], "after": "12s"}
    assert "status" not in campaign


def test_without_a_marketplace_there_is_nothing_to_export(cli: Cli, engine: Engine) -> None:
    assert (
        refusal(cli("export"))
        == "callrace: no marketplace was applied yet; run `callrace apply FILE`, or `callrace marketplace init`"
    )


def test_hours_and_zones_that_are_probably_meant_otherwise_are_told_by_all_that_change_the_document(
    cli: Cli, engine: Engine, sounds: Path, file: Path
) -> None:
    file.write_text(IN_EST.replace("mon-fri 08:00-20:00", "daily 00:00-23:59"))
    told = [
        'warning: advertisers.acme.timezone: "EST" is UTC-5 all year; where there is summer time, write '
        "America/New_York",
        'warning: destinations.agent-1.hours.open[0]: "daily 00:00-23:59" is closed from 23:59 on; '
        "to be open until 24:00, write 24:00",
    ]
    for command in ("plan", "apply", "plan"):
        lines = cli(command, str(file)).output.splitlines()
        assert [line for line in lines if line.startswith("warning")] == told
    assert set(told) <= set(cli("publishers", "add", "other", "--name", "Other").output.splitlines())
    warnings = json.loads(cli("plan", "--json", str(file)).stdout)["warnings"]
    assert warnings[0] == {
        "campaign": None,
        "limit": None,
        "admits": None,
        "path": "advertisers.acme.timezone",
        "words": told[0].removeprefix("warning: advertisers.acme.timezone: "),
    }
    assert len(warnings) == 2


def test_a_warning_of_the_doctor_has_its_remedy_and_fails_nothing(
    cli: Cli, engine: Engine, sounds: Path, file: Path
) -> None:
    file.write_text(IN_EST)
    cli("apply", str(file))
    findings = {finding["name"]: finding for finding in json.loads(cli("doctor", "--json").stdout)}
    told = findings["hours and zones"]
    assert (told["ok"], told["warning"]) == (True, True)
    assert told["detail"].startswith('advertisers.acme.timezone: "EST" is UTC-5 all year')
    result = cli("doctor")
    assert "hours and zones" not in refusal(result)
    shown = [line for line in result.output.splitlines() if "hours and zones" in line]
    assert [" warning " in f" {line}" for line in shown] == [True, False]
    assert "change them; run `callrace apply FILE`" in shown[1]
