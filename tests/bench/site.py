"""What is measured: one Asterisk, with a dialplan of its own for Dial(), and one switch."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from ari_app.serving import running
from ari_app.settings import REPOSITORY, Settings
from tests.bench import cel
from tests.bench.plan import DID, EXTENSION, NATIVE
from tests.live.lab import Lab, private

HOME = REPOSITORY / "var" / "bench"
CALLRACE = (sys.executable, "-m", "ari_app.cli.main")
START_S = 30.0
QUIET_S = 30.0
STOP_S = 40.0
_POLL_S = 0.2

# More ports than the lab's 2000: two for each leg, and below those that the system hands out.
RTP_CONF = """[general]
rtpstart = 12000
rtpend = 31999
icesupport = no
"""


class SiteError(Exception):
    """Asterisk or the switch cannot be started; the message holds its last words."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the callers call, and which processes are measured."""

    lab: Lab
    settings: Settings
    asterisk: int
    switch: int

    def events(self) -> cel.Times:
        """Asterisk's event log, from its beginning."""
        return cel.Times(self.lab.home / "asterisk" / "log")

    def wait_until_quiet(self) -> bool:
        """Waits until no channel is left and every call is settled and saved; False when that never comes."""
        until = time.monotonic() + QUIET_S
        while time.monotonic() < until:
            status = running.ask(self.settings, "/status")
            if status["calls"] == status["unsaved_calls"] == 0 and self._channels() == 0:
                return True
            time.sleep(_POLL_S)
        return False

    def _channels(self) -> int:
        said = self.lab.run("rx", "core", "show", "channels", "count").stdout
        found = re.search(r"(\d+) active channel", said)
        return int(found[1]) if found else -1

    def asterisk_version(self) -> str:
        """What Asterisk says it is."""
        return self.lab.run("rx", "core", "show", "version").stdout.split(" built")[0].strip()


@contextmanager
def site(uris: Mapping[str, str], tree: Path = REPOSITORY) -> Iterator[Site]:
    """Starts Asterisk and a switch that offer calls to the agents at `uris`; ends both. Raises SiteError.

    `tree` has the sources of the switch, and the dialplan.
    """
    shutil.rmtree(HOME / "overlay", ignore_errors=True)
    for old in HOME.glob("callrace.db*"):
        old.unlink()
    lab = _lab(uris, tree)
    lab.run("down")  # one that was left behind has other ports
    settings = Settings.from_env(lab.environment)
    _write(HOME / "marketplace.yaml", yaml.safe_dump(marketplace(uris), sort_keys=False))
    log = HOME / "asterisk" / "log" / "cel-custom"
    shutil.rmtree(log, ignore_errors=True)
    log.mkdir(parents=True)  # Asterisk makes no directory
    try:
        _run_or_raise("Asterisk", lab.run("up"))
        for command in (("db", "upgrade"), ("apply", str(HOME / "marketplace.yaml"))):
            _run_or_raise(" ".join(command), _callrace(lab, tree, *command))
        with _switch(lab, settings, tree) as switch:
            yield Site(lab, settings, _asterisk_pid(lab), switch)
    finally:
        lab.run("down")


def marketplace(uris: Mapping[str, str]) -> dict[str, object]:
    """One number, one campaign, no flow, and agents without a limit of calls."""
    return {
        "currency": "USD",
        "advertisers": {"acme": {"name": "Acme", "timezone": "America/New_York"}},
        "publishers": {"homefix": {"name": "HomeFix"}},
        "destinations": {
            name: {"advertiser": "acme", "dial": {"uri": uri}, "covers": {"anywhere": True}, "capacity": 1000}
            for name, uri in uris.items()
        },
        "campaigns": {
            "plumbing": {
                "advertiser": "acme",
                "price": "42.00",
                "payout": "30.00",
                "route": {"waves": [{"destinations": list(uris)}], "accept": "answer", "wait": "ringback"},
                "qualify": [{"connected_at_least": "500ms"}],
            }
        },
        "numbers": {DID: {"campaign": "plumbing", "publisher": "homefix", "source": "banner"}},
    }


def _dialplan(uris: Mapping[str, str]) -> str:
    dialled = "&".join(f"PJSIP/agents/{uri}" for uri in uris.values())
    return (
        "[callrace-in]\n"
        # i: at once, as ARI does. Otherwise it would wait half a second for audio, which no caller sends.
        f"exten => {EXTENSION[NATIVE]},1,Answer(,i)\n"
        f" same => n,Dial({dialled},30)\n"
        " same => n,Hangup()\n"
    )


def _lab(uris: Mapping[str, str], tree: Path) -> Lab:
    overlay = HOME / "overlay"
    _write(overlay / "cel.conf", cel.CEL_CONF)
    _write(overlay / "cel_custom.conf", cel.CEL_CUSTOM_CONF)
    _write(overlay / "modules_local.conf", cel.MODULES_CONF)
    _write(overlay / "rtp.conf", RTP_CONF)
    _write(overlay / "dialplan" / "bench.conf", _dialplan(uris))
    lab = private(HOME)
    return replace(lab, tree=tree, environment=lab.environment | {"CALLRACE_ASTERISK_OVERLAY": str(overlay)})


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _callrace(lab: Lab, tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = lab.environment | {"PYTHONPATH": str(tree)}
    return subprocess.run(
        (*CALLRACE, *words), cwd=tree, env=environment, capture_output=True, text=True, timeout=60
    )


def _run_or_raise(what: str, done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode:
        raise SiteError(f"{what} failed:\n{(done.stdout + done.stderr)[-2000:]}")


@contextmanager
def _switch(lab: Lab, settings: Settings, tree: Path) -> Iterator[int]:
    """`callrace switch run`, connected to Asterisk; its pid."""
    log = HOME / "switch.log"
    command = ("setpriv", "--pdeathsig", "TERM", *CALLRACE, "switch", "run")
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=tree,
            env=lab.environment | {"PYTHONPATH": str(tree)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        _wait_until_connected(process, settings, log)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_connected(process: subprocess.Popen[bytes], settings: Settings, log: Path) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            if running.ask(settings, "/status")["asterisk"] == "connected":
                return
        except running.SwitchNotRunning:
            pass
        time.sleep(_POLL_S)
    raise SiteError(f"the switch is not connected:\n{log.read_text()[-2000:]}")


def _asterisk_pid(lab: Lab) -> int:
    """The process that listens on ARI's port: it may be in a container, whose script knows no pid of ours."""
    port = lab.environment["CALLRACE_ARI_PORT"]
    said = subprocess.run(
        ("ss", "-Hltnp", f"sport = :{port}"), capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"pid=(\d+)", said)
    if found is None:
        raise SiteError(
            f"which process listens on port {port} cannot be seen; run as root\n{os.linesep}{said}"
        )
    return int(found[1])
