"""The settings: paths, addresses and ports, read once from the environment when a program starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ari_app.logs import Format

REPOSITORY = Path(__file__).resolve().parents[1]


class SettingsError(ValueError):
    """A setting that cannot be used; the message names the variable and what it should be."""


class NoPassword(SettingsError):
    """A password does not exist or cannot be read; the message names its file."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Callrace's settings.

    `home` has all files that are written: database, secrets, prompts, the lab's Asterisk. `ari_host` and `ari_port`
    are Asterisk's HTTP server; `sip_port` and `ami_port` are those of the lab. On `agi_port`, `callrace agi run`
    answers the dialplan. On `metrics_port` the switch serves its metrics; 0: it does not. `log_format` is the form of
    the logs. `asterisk_root` is the folder of the lab's Asterisk, if it does not run in a container.
    """

    home: Path
    database_url: str
    ari_host: str = "127.0.0.1"
    ari_port: int = 8088
    sip_port: int = 5060
    ami_port: int = 5038
    agi_port: int = 4573
    metrics_port: int = 9464
    log_format: Format = "logfmt"
    external: bool = False
    asterisk_root: Path | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Settings:
        """Reads CALLRACE_* variables (see README). Raises SettingsError."""
        home = Path(env.get("CALLRACE_HOME", REPOSITORY / "var")).absolute()
        external = env.get("CALLRACE_ASTERISK", "")
        host, _, port = external.partition(":")
        return cls(
            home=home,
            database_url=env.get("CALLRACE_DATABASE_URL", f"sqlite:///{home}/callrace.db"),
            ari_host=host or "127.0.0.1",
            ari_port=_port(env, "CALLRACE_ARI_PORT", 8088) if not external else _number(external, port),
            sip_port=_port(env, "CALLRACE_SIP_PORT", 5060),
            ami_port=_port(env, "CALLRACE_AMI_PORT", 5038),
            agi_port=_port(env, "CALLRACE_AGI_PORT", 4573),
            metrics_port=_port_or_none(env, "CALLRACE_METRICS_PORT", 9464),
            log_format=_log_format(env.get("CALLRACE_LOG", "logfmt")),
            external=bool(external),
            asterisk_root=Path(env.get("CALLRACE_ASTERISK_ROOT", home / "asterisk" / "root")).absolute(),
        )

    def secret(self, name: str) -> str:
        """The password in the file `secrets/NAME` (mode 0600, made by the provision script). Raises NoPassword."""
        path = self.home / "secrets" / name
        try:
            return path.read_text().strip()
        except OSError as error:
            raise NoPassword(f"{path}: cannot read the {name} password ({error.strerror})") from error

    @property
    def control_socket(self) -> Path:
        """The Unix socket on which a running switch answers the CLI."""
        return self.home / "switch.sock"

    @property
    def fallback_files(self) -> tuple[Path, Path]:
        """The files with lines about calls served by the dialplan: one by the dialplan, one by AGI `record`."""
        return self.home / "asterisk" / "spool" / "fallback.csv", self.home / "fallback.csv"

    @property
    def asterisk_log(self) -> Path:
        """Asterisk's log of warnings, if it can be read."""
        return self.home / "asterisk" / "log" / "messages"

    @property
    def asterisk_pid_file(self) -> Path:
        """The file in which Asterisk writes its process id, if it is the lab's."""
        return self.home / "asterisk" / "run" / "asterisk.pid"

    @property
    def spool(self) -> Path:
        """The folder of ended calls that wait to be saved in the database."""
        return self.home / "spool"

    @property
    def journal(self) -> Path:
        """The folder of the journal: calls under way, for the next switch if this one dies."""
        return self.home / "journal"

    @property
    def prompts(self) -> Path:
        """The folder of prompts, seen by Asterisk as /var/lib/callrace/prompts."""
        return self.home / "prompts"

    @property
    def recordings(self) -> Path:
        """The folder of recordings, seen by Asterisk as its folder `monitor`."""
        return self.home / "recordings"

    @property
    def creatives(self) -> Path:
        """The folder of banners' images, by the hash of their content."""
        return self.home / "creatives"


def refused_file(file: Path) -> Path:
    """The file for those lines of `file` from which no record can be made."""
    return file.with_suffix(".refused")


def _port(env: Mapping[str, str], name: str, default: int) -> int:
    return _number(name, env.get(name, str(default)))


def _port_or_none(env: Mapping[str, str], name: str, default: int) -> int:
    return 0 if env.get(name) == "0" else _port(env, name, default)


def _number(name: str, text: str) -> int:
    if text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    raise SettingsError(f"{name}: expected a port from 1 to 65535, got {text!r}")


def _log_format(text: str) -> Format:
    if text == "logfmt":
        return "logfmt"
    if text == "json":
        return "json"
    raise SettingsError(f"CALLRACE_LOG: expected logfmt or json, got {text!r}")
