"""`callrace lab`: an Asterisk, a switch, an AGI server and a web server on this machine, in the background."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import click

from ari_app.cli.common import Failed
from ari_app.cli.output import json_option, show_json
from ari_app.serving import running
from ari_app.serving.running import Program
from ari_app.settings import REPOSITORY, Settings
from ari_app.store.db import schema
from ari_app.store.db.engine import open_engine

SCRIPT = REPOSITORY / "asterisk-docker" / "lab"
CALLRACE = (sys.executable, "-m", "ari_app.cli.main")
COMMANDS: dict[Program, tuple[str, ...]] = {
    "switch": (*CALLRACE, "switch", "run"),
    "agi": (*CALLRACE, "agi", "run"),
    "web": (*CALLRACE, "web", "run"),
}
START_S = 60.0
STOP_S = 40.0
_POLL_S = 0.1
_TAIL = 10
_STDERR = 2


@click.group()
def lab() -> None:
    """Start and stop an Asterisk, a switch, an AGI server and a web server on this machine.

    Ports and folders come from the environment: CALLRACE_HOME, CALLRACE_SIP_PORT, CALLRACE_ARI_PORT,
    CALLRACE_AMI_PORT, CALLRACE_AGI_PORT, CALLRACE_WEB_PORT, CALLRACE_RTP_START. CALLRACE_ASTERISK=host:port uses an
    existing Asterisk.
    """


@lab.command()
def up() -> None:
    """Start Asterisk, a switch, the AGI server that serves calls while no switch does, and portals and API.

    Returns when calls are served. Does nothing when they run already.

    The first time it downloads an Asterisk, which takes a minute or more.
    """
    settings = Settings.from_env()
    if _script("up"):
        raise Failed("Asterisk did not start; see the lines above")
    schema.upgrade(open_engine(settings.database_url))
    starting = {one: _start(settings, one) for one in COMMANDS if not running.running_pid(settings, one)}
    status = _wait_until_served(settings, starting.get("switch"))
    _wait_until_answered(settings, "agi", starting.get("agi"), running.why_no_agi)
    _wait_until_answered(settings, "web", starting.get("web"), running.why_no_web)
    click.echo(f"ready: {_switch_text(status)}; SIP on port {settings.sip_port}")
    click.echo(f"portals and API: {settings.web.public_url}")
    if status["marketplace_version"] is None:
        click.echo("no marketplace is in force yet: `callrace apply FILE`")


@lab.command()
def down() -> None:
    """Stop switch, AGI server and web server, then Asterisk. Calls under way are ended and settled first."""
    settings = Settings.from_env()
    was_running = running.stop(settings, STOP_S)
    running.stop(settings, STOP_S, "agi")
    running.stop(settings, STOP_S, "web")
    if _script("down"):
        raise Failed("Asterisk did not stop; see the lines above")
    click.echo("stopped" if was_running else "stopped (no switch was running)")


@lab.command()
@json_option
def status(as_json: bool) -> None:
    """Show which parts of the lab run. Exit code 1 unless Asterisk and the switch run and are connected."""
    settings = Settings.from_env()
    done = subprocess.run(["bash", str(SCRIPT), "status"], capture_output=True, text=True, check=False)
    asterisk = {"running": done.returncode == 0, "detail": (done.stdout.strip() or done.stderr.strip())}
    found = _ask(settings)
    agi_pid, web_pid = running.running_pid(settings, "agi"), running.running_pid(settings, "web")
    if as_json:
        servers = {"agi": agi_pid and {"pid": agi_pid}, "web": web_pid and {"pid": web_pid}}
        show_json({"asterisk": asterisk, "switch": found, **servers})
    else:
        click.echo(f"Asterisk: {asterisk['detail']}")
        click.echo(f"switch:   {_switch_text(found) if found else 'not running'}")
        click.echo(f"AGI:      {f'server {agi_pid}' if agi_pid else 'not running'}")
        click.echo(f"web:      {f'server {web_pid}' if web_pid else 'not running'}")
    if not asterisk["running"] or not _is_served(found):
        raise Failed("calls are not served; `callrace lab up` starts what is missing")


def _script(verb: str) -> int:
    """Runs the lab script, with its output on our stderr; returns its exit code."""
    return subprocess.run(["bash", str(SCRIPT), verb], stdout=_STDERR, check=False).returncode


def _start(settings: Settings, program: Program) -> subprocess.Popen[bytes]:
    """Starts a program in its own session, so that it goes on when this terminal is closed."""
    with running.log_file(settings, program).open("ab") as log:
        return subprocess.Popen(
            COMMANDS[program],
            cwd=REPOSITORY,
            env={**os.environ, "CALLRACE_HOME": str(settings.home)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _wait_until_served(settings: Settings, starting: subprocess.Popen[bytes] | None) -> dict[str, Any]:
    """The switch's status once it is connected. Raises Failed, with the end of the log, if it does not connect."""
    until = time.monotonic() + START_S
    while True:
        found = _ask(settings)
        if found is not None and _is_served(found):
            return found
        # If it ended because another switch was started at the same moment, that one is used.
        if starting is not None and starting.poll() is not None and not running.running_pid(settings):
            raise Failed(f"the switch ended with exit code {starting.returncode}:\n{_log_tail(settings)}")
        if time.monotonic() > until:
            if starting is not None:
                starting.terminate()
            raise Failed(f"the switch is not connected after {START_S:g} s:\n{_log_tail(settings)}")
        time.sleep(_POLL_S)


def _wait_until_answered(
    settings: Settings,
    program: Program,
    starting: subprocess.Popen[bytes] | None,
    why_not: Callable[[Settings], str | None],
) -> None:
    """Waits until a server answers. Raises Failed, with the end of its log, if it does not."""
    until = time.monotonic() + START_S
    while why_not(settings) is not None:
        has_ended = starting is not None and starting.poll() is not None
        if (has_ended and not running.running_pid(settings, program)) or time.monotonic() > until:
            name = {"agi": "AGI server", "web": "web server"}[program]
            raise Failed(f"the {name} does not answer:\n{_log_tail(settings, program)}")
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
    unreadable = f"; {why}" if (why := status.get("unreadable_marketplace")) else ""
    return (
        f"switch {status['pid']}, {status['asterisk']} to Asterisk, {marketplace}, "
        f"{calls} call{'' if calls == 1 else 's'} under way{draining}{unreadable}"
    )


def _log_tail(settings: Settings, program: Program = "switch") -> str:
    path = running.log_file(settings, program)
    if not path.exists():
        return f"{path}: no log"
    with path.open(errors="replace") as log:
        return "".join(deque(log, _TAIL)) + str(path)
