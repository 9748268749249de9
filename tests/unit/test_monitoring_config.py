"""The dashboard, the alert rules and the systemd units that ship."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ari_app.switch.metrics import Metrics
from tests.unit.switch.test_metrics import STATUS

REPO = Path(__file__).parents[2]
MONITORING = REPO / "config" / "monitoring"
UNITS = sorted((REPO / "config" / "systemd").glob("*.service"))
SERVED = [unit for unit in UNITS if "Type=oneshot" not in unit.read_text()]
NOT_OURS = {"up"}


def known_names() -> set[str]:
    """The name of every series that a switch serves."""
    metrics = Metrics()
    metrics.watch(lambda: STATUS)
    names = set(NOT_OURS)
    for family in metrics.registry.collect():
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(
            family.type, ("",)
        )
        names |= {family.name + suffix for suffix in suffixes}
    return names


def queried_names(expression: str) -> set[str]:
    """The series that a PromQL expression asks for."""
    return set(re.findall(r"\b(?:callrace|process)_\w+|\bup\b", expression))


def dashboard() -> dict[str, Any]:
    return json.loads((MONITORING / "grafana.json").read_text())


def rules() -> list[dict[str, Any]]:
    [group] = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]
    return group["rules"]


def expressions() -> Iterator[str]:
    yield from (target["expr"] for panel in dashboard()["panels"] for target in panel["targets"])
    yield from (rule["expr"] for rule in rules())


def test_every_metric_that_is_asked_for_exists() -> None:
    asked = set().union(*map(queried_names, expressions()))
    assert len(asked) > 15
    assert asked - known_names() == set()


def test_every_metric_of_ours_is_on_the_dashboard_or_in_an_alert() -> None:
    asked = set().union(*map(queried_names, expressions()))
    stems = {
        re.sub(r"_(bucket|sum|count)$", "", name) for name in known_names() if name.startswith("callrace")
    }
    assert stems - {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked} == set()


def test_no_panel_lies_over_another() -> None:
    cells = [
        (x, y)
        for at in (panel["gridPos"] for panel in dashboard()["panels"])
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_every_alert_says_what_is_wrong_and_what_to_do() -> None:
    assert {rule["alert"] for rule in rules()} >= {
        "CallraceDown",
        "CallraceCallsUnsaved",
        "CallraceTrunkDown",
    }
    for rule in rules():
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert rule["annotations"].keys() == {"summary", "action"}, rule["alert"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_confined(unit: Path) -> None:
    lines = unit.read_text().splitlines()
    for wanted in ("NoNewPrivileges=yes", "ProtectSystem=strict", "ReadWritePaths=/var/lib/callrace"):
        assert wanted in lines


@pytest.mark.parametrize("unit", SERVED, ids=lambda unit: unit.stem)
def test_a_unit_that_stays_comes_back_after_a_failure(unit: Path) -> None:
    assert "Restart=on-failure" in unit.read_text().splitlines()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    for unit in (*UNITS, *(REPO / "config" / "systemd").glob("*.timer")):
        text = unit.read_text().replace("/opt/callrace/.venv/bin/callrace", sys.executable)
        (tmp_path / unit.name).write_text(text.replace("/opt/callrace", str(REPO)))
    command = ["systemd-analyze", "verify", *sorted(map(str, tmp_path.iterdir()))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    ours = [line for line in done.stderr.splitlines() if "callrace" in line]
    assert (ours, len(UNITS)) == ([], 5)
