"""`callrace lab`: an Asterisk and a switch on this machine, in the background."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import deque
from typing import Any

import click

from ari_app.cli.common import Refused
from ari_app.cli.output import json_option, show_json
from ari_app.ops import running
from ari_app.settings import REPOSITORY, Settings
from ari_app.store import schema
from ari_app.store.engine import open_engine

SCRIPT = REPOSITORY / "asterisk-docker" / "lab"
SWITCH = (sys.executable, "-m", "ari_app.cli.main", "switch", "run")
START_S = 60.0
STOP_S = 40.0
_POLL_S = 0.1
_TAIL = 10
_STDERR = 2


@click.group()
def lab() -> None:
    """Start and stop an Asterisk and a switch on this machine.

    Ports and places come from the environment: CALLRACE_HOME, CALLRACE_SIP_PORT, CALLRACE_ARI_PORT,
    CALLRACE_AMI_PORT, CALLRACE_RTP_START. CALLRACE_ASTERISK=host:port uses an Asterisk that is there.
    """


@lab.command()
def up() -> None:
    """Start Asterisk and a switch; return when a call would be served. Does nothing when they run.

    The first time it gets an Asterisk, which takes a minute or more.
    """
    settings = Settings.from_env()
    if _script("up"):
        raise Refused("Asterisk did not start; see the lines above")
    schema.upgrade(open_engine(settings.database_url))
    starting = None if running.running_pid(settings) else _start_switch(settings)
    status = _wait_until_served(settings, starting)
    click.echo(f"ready: {_switch_text(status)}; SIP on port {settings.sip_port}")
    if status["marketplace_version"] is None:
        click.echo("no marketplace is in force yet: `callrace apply FILE`")


@lab.command()
def down() -> None:
    """Stop the switch, then Asterisk. Calls under way are ended and settled first."""
    settings = Settings.from_env()
    was_running = running.stop(settings, STOP_S)
    if _script("down"):
        raise Refused("Asterisk did not stop; see the lines above")
    click.echo("stopped" if was_running else "stopped (no switch was running)")


@lab.command()
@json_option
def status(as_json: bool) -> None:
    """Tell whether Asterisk and the switch run. Exit code 1 unless both do and are connected."""
    settings = Settings.from_env()
    done = subprocess.run(["bash", str(SCRIPT), "status"], capture_output=True, text=True, check=False)
    asterisk = {"running": done.returncode == 0, "detail": (done.stdout.strip() or done.stderr.strip())}
    found = _ask(settings)
    if as_json:
        show_json({"asterisk": asterisk, "switch": found})
    else:
        click.echo(f"Asterisk: {asterisk['detail']}")
        click.echo(f"switch:   {_switch_text(found) if found else 'not running'}")
    if not asterisk["running"] or not _is_served(found):
        raise Refused("calls are not served; `callrace lab up` starts what is missing")


def _script(verb: str) -> int:
    """Runs the lab script, its words on our stderr; its exit code."""
    return subprocess.run(["bash", str(SCRIPT), verb], stdout=_STDERR, check=False).returncode


def _start_switch(settings: Settings) -> subprocess.Popen[bytes]:
    """Starts a switch in a session of its own, so that it outlives this terminal."""
    with running.log_file(settings).open("ab") as log:
        return subprocess.Popen(
            SWITCH,
            cwd=REPOSITORY,
            env={**os.environ, "CALLRACE_HOME": str(settings.home)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _wait_until_served(settings: Settings, starting: subprocess.Popen[bytes] | None) -> dict[str, Any]:
    """The switch's status once it is connected. Raises Refused, with the end of its log, when it never is."""
    until = time.monotonic() + START_S
    while True:
        found = _ask(settings)
        if found is not None and _is_served(found):
            return found
        # One that ends because another was started at the same moment leaves us that other one.
        if starting is not None and starting.poll() is not None and not running.running_pid(settings):
            raise Refused(f"the switch ended with exit code {starting.returncode}:\n{_log_tail(settings)}")
        if time.monotonic() > until:
            if starting is not None:
                starting.terminate()
            raise Refused(f"the switch is not connected after {START_S:g} s:\n{_log_tail(settings)}")
        time.sleep(_POLL_S)


def _ask(settings: Settings) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = running.ask(settings, "/status")
    except running.SwitchNotRunning:
        return None
    return found


def _is_served(status: dict[str, Any] | None) -> bool:
    return status is not None and status["asterisk"] == "connected"


def _switch_text(status: dict[str, Any]) -> str:
    version = status["marketplace_version"]
    marketplace = f"marketplace version {version}" if version is not None else "no marketplace"
    calls = status["calls"]
    draining = ", draining: takes no new calls" if status.get("draining") else ""
    return (
        f"switch {status['pid']}, {status['asterisk']} to Asterisk, {marketplace}, "
        f"{calls} call{'' if calls == 1 else 's'} under way{draining}"
    )


def _log_tail(settings: Settings) -> str:
    path = running.log_file(settings)
    if not path.exists():
        return f"{path}: no log"
    with path.open(errors="replace") as log:
        return "".join(deque(log, _TAIL)) + str(path)
