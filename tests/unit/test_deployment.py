"""The two ways to deploy, compose.yaml and the systemd units: both run every program, and keep all that it writes."""

from __future__ import annotations

import fnmatch
import re
import shlex
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from ari_app.settings import Settings

REPO = Path(__file__).parents[2]
HOME = "/var/lib/callrace"
COMPOSE: dict[str, Any] = yaml.safe_load((REPO / "asterisk-docker" / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
UNITS = {unit.stem: unit.read_text() for unit in (REPO / "config" / "systemd").glob("*.service")}
README = (REPO / "README.md").read_text()
DOCKERFILE = (REPO / "asterisk-docker" / "Dockerfile").read_text()
OURS = ("switch", "agi", "web", "daily")

# A path of Callrace's HOME, and where Asterisk has the same.
SHARED_WITH_ASTERISK = {
    f"{HOME}/secrets": f"{HOME}/secrets",
    f"{HOME}/prompts": f"{HOME}/prompts",
    f"{HOME}/recordings": "/var/spool/callrace/monitor",
    f"{HOME}/asterisk/spool": "/var/spool/callrace",
    f"{HOME}/asterisk/log": "/var/log/callrace",
}


def programs() -> dict[str, tuple[str, str]]:
    """README's list of programs: the command, its systemd unit and its service in compose.yaml."""
    rows = re.findall(
        r"^\| `(callrace [a-z ]+)` \| [^|]+ \| `([\w-]+)` \| `([\w-]+)` \|$", README, re.MULTILINE
    )
    return {command: (unit, service) for command, unit, service in rows}


def written() -> dict[str, Path]:
    """Each path under HOME that the settings name, by the setting's name."""
    settings = Settings.from_env({"CALLRACE_HOME": HOME})
    named = {
        name: getattr(settings, name) for name, kind in vars(Settings).items() if isinstance(kind, property)
    }
    paths = {name: path for name, path in named.items() if isinstance(path, Path)}
    paths |= {f"fallback_files {n}": path for n, path in enumerate(settings.fallback_files)}
    return paths


def mounts(service: str) -> dict[str, str]:
    """The volumes of a service by where they are mounted."""
    pairs = (volume.split(":")[:2] for volume in SERVICES[service]["volumes"])
    return {where: name for name, where in pairs}


def volume_of(path: str | Path, mounted: Mapping[str, str]) -> tuple[str, str] | None:
    """The volume that holds a path, and where in the volume it is; None: the container's own disk."""
    around = [where for where in mounted if PurePosixPath(path).is_relative_to(where)]
    if not around:
        return None
    where = max(around, key=len)
    return mounted[where], str(PurePosixPath(path).relative_to(where))


@pytest.mark.parametrize("service", OURS)
def test_all_that_the_settings_write_is_in_a_volume(service: str) -> None:
    assert len(written()) > 8
    kept = {name: volume_of(path, mounts(service)) for name, path in written().items()}
    assert [name for name, volume in kept.items() if volume is None] == []
    assert {volume for volume, _ in kept.values()} <= COMPOSE["volumes"].keys()


@pytest.mark.parametrize("service", OURS)
@pytest.mark.parametrize("ours", SHARED_WITH_ASTERISK)
def test_what_asterisk_reads_or_writes_is_the_same_volume_there(service: str, ours: str) -> None:
    theirs = SHARED_WITH_ASTERISK[ours]
    assert volume_of(ours, mounts(service)) == volume_of(theirs, mounts("asterisk"))


@pytest.mark.parametrize("name", sorted(UNITS))
def test_all_that_the_settings_write_may_be_written_by_the_units(name: str) -> None:
    lines = UNITS[name].splitlines()
    assert f"Environment=CALLRACE_HOME={HOME}" in lines
    assert f"ReadWritePaths={HOME}" in lines
    assert "StateDirectory=callrace" in lines
    assert [path for path in written().values() if not path.is_relative_to(HOME)] == []


def test_every_program_of_the_readme_runs_both_ways() -> None:
    assert {service for _, service in programs().values()} == set(OURS)
    assert {unit for unit, _ in programs().values()} == UNITS.keys() - {"callrace-asterisk"}
    for command, (unit, service) in programs().items():
        assert re.search(rf"^ExecStart=/opt/callrace/\.venv/bin/{command}$", UNITS[unit], re.MULTILINE)
        assert re.search(rf"\b{command}\b", SERVICES[service]["command"][-1])


@pytest.mark.parametrize("service", OURS)
def test_a_program_may_finish_its_calls_and_comes_back(service: str) -> None:
    described = SERVICES[service]
    assert described["stop_grace_period"] == "60s"
    assert described["restart"] == "unless-stopped"
    assert described["init"] is True


def test_a_switch_is_healthy_when_it_is_ready() -> None:
    assert "http://127.0.0.1:9464/readyz" in SERVICES["switch"]["healthcheck"]["test"][-1]
    assert f"('127.0.0.1', {Settings.from_env({}).agi_port})" in SERVICES["agi"]["healthcheck"]["test"][-1]
    assert f"{Settings.from_env({}).web.public_url}/healthz" in SERVICES["web"]["healthcheck"]["test"][-1]


def test_every_image_has_a_version() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    pulled = [service["image"] for service in SERVICES.values() if "image" in service]
    assert (len(bases), len(pulled)) == (2, 1)
    assert [image for image in bases + pulled if not re.search(r":[a-z]*-?\d+(\.\d+|\d{6})", image)] == []


def test_the_build_sees_all_that_the_dockerfile_copies() -> None:
    ignored = (REPO / "asterisk-docker" / "Dockerfile.dockerignore").read_text().split("\n")
    admitted = [line[1:] for line in ignored if line.startswith("!")]
    copied = [
        word
        for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE)
        for word in shlex.split(line)[:-1]
    ]
    assert len(copied) > 5
    assert [path for path in copied if not any(fnmatch.fnmatch(path, one) for one in admitted)] == []
