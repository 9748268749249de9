"""The settings: paths, addresses and ports, read once from the environment when a program starts."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from ari_app.logs import Format

REPOSITORY = Path(__file__).resolve().parents[1]
_ORIGIN = re.compile(r"https?://(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:[1-9]\d{0,4})?", re.ASCII)


class SettingsError(ValueError):
    """A setting that cannot be used; the message names the variable and what it should be."""


class NoPassword(SettingsError):
    """A password does not exist or cannot be read; the message names its file."""


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Where `callrace web run` listens, and under which address people and programs reach it.

    `url` is the public address, without a slash at its end; None: that of `address` and `port`. `proxies` are the
    addresses of the reverse proxies in front, whose word on the client's address is taken; none: nobody's is.
    """

    address: str = "127.0.0.1"
    port: int = 8480
    url: str | None = None
    proxies: tuple[str, ...] = ()

    @property
    def public_url(self) -> str:
        """The address for links, such as `https://calls.example` or `http://127.0.0.1:8480`."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return self.url or f"http://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Settings:
    """Callrace's settings.

    `home` has all files that are written: database, secrets, prompts, the lab's Asterisk. `ari_host` and `ari_port`
    are Asterisk's HTTP server; `sip_host` is where this machine reaches its SIP; `sip_port`, `sip_tls_port` and
    `ami_port` are those of the lab. On `agi_port`, `callrace agi run`
    answers the dialplan. On `metrics_port` the switch serves its metrics; 0: it does not. `log_format` is the form of
    the logs. `asterisk_root` is the folder of the lab's Asterisk, if it does not run in a container. `web` is for
    portals and API.
    """

    home: Path
    database_url: str
    ari_host: str = "127.0.0.1"
    ari_port: int = 8088
    sip_host: str = "127.0.0.1"
    sip_port: int = 5060
    sip_tls_port: int = 5061
    ami_port: int = 5038
    agi_port: int = 4573
    metrics_port: int = 9464
    log_format: Format = "logfmt"
    external: bool = False
    asterisk_root: Path | None = None
    web: WebSettings = WebSettings()

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
            sip_host=_reached(env.get("CALLRACE_SIP_BIND", "")),
            sip_port=_port(env, "CALLRACE_SIP_PORT", 5060),
            sip_tls_port=_port(env, "CALLRACE_SIP_TLS_PORT", 5061),
            ami_port=_port(env, "CALLRACE_AMI_PORT", 5038),
            agi_port=_port(env, "CALLRACE_AGI_PORT", 4573),
            metrics_port=_port_or_none(env, "CALLRACE_METRICS_PORT", 9464),
            log_format=_log_format(env.get("CALLRACE_LOG", "logfmt")),
            external=bool(external),
            asterisk_root=Path(env.get("CALLRACE_ASTERISK_ROOT", home / "asterisk" / "root")).absolute(),
            web=_web(env),
        )

    def secret(self, name: str) -> str:
        """The password in the file `secrets/NAME` (mode 0600, made by the provision script). Raises NoPassword."""
        path = self.home / "secrets" / name
        try:
            return path.read_text().strip()
        except OSError as error:
            raise NoPassword(f"{path}: cannot read the {name} password ({error.strerror})") from error

    @property
    def certificate(self) -> Path:
        """The certificate of SIP over TLS, with its chain (PEM), as a certificate authority gave it to the operator."""
        return self.home / "secrets" / "tls" / "certificate.pem"

    @property
    def certificate_key(self) -> Path:
        """The certificate's key (PEM)."""
        return self.certificate.with_name("key.pem")

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


def _reached(bind: str) -> str:
    """Where a program that listens on an address is reached from its own machine."""
    return "127.0.0.1" if bind in ("", "0.0.0.0") else bind


def _port(env: Mapping[str, str], name: str, default: int) -> int:
    return _number(name, env.get(name, str(default)))


def _port_or_none(env: Mapping[str, str], name: str, default: int) -> int:
    return 0 if env.get(name) == "0" else _port(env, name, default)


def _number(name: str, text: str) -> int:
    if text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    raise SettingsError(f"{name}: expected a port from 1 to 65535, got {text!r}")


def _web(env: Mapping[str, str]) -> WebSettings:
    return WebSettings(
        address=_address("CALLRACE_WEB_ADDRESS", env.get("CALLRACE_WEB_ADDRESS", "127.0.0.1")),
        port=_port(env, "CALLRACE_WEB_PORT", 8480),
        url=_url("CALLRACE_WEB_URL", env["CALLRACE_WEB_URL"]) if env.get("CALLRACE_WEB_URL") else None,
        proxies=tuple(
            _address("CALLRACE_WEB_PROXIES", text.strip())
            for text in env.get("CALLRACE_WEB_PROXIES", "").split(",")
            if text.strip()
        ),
    )


def _address(name: str, text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError as error:
        raise SettingsError(f"{name}: expected an IP address such as 127.0.0.1, got {text!r}") from error


def _url(name: str, text: str) -> str:
    """A web address without path and user, as browsers send it in `Origin`."""
    if not _ORIGIN.fullmatch(text.removesuffix("/")):
        raise SettingsError(f"{name}: expected an address such as https://calls.example, got {text!r}")
    return text.removesuffix("/")


def _log_format(text: str) -> Format:
    if text == "logfmt":
        return "logfmt"
    if text == "json":
        return "json"
    raise SettingsError(f"CALLRACE_LOG: expected logfmt or json, got {text!r}")
