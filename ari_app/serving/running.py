"""The background programs, switch, AGI server and web server: whether each runs, and requests to a running switch.

Each holds a lock on its file, HOME/switch.pid, agi.pid or web.pid. The system releases the lock when the process ends
in any way, so an old pid in the file is never mistaken for a running program.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from ari_app.settings import Settings

ANSWER_TIMEOUT_S = 3.0
HAND_OVER_S = 10.0
CONNECT_S = 1.0
_POLL_S = 0.05
_TRIES = 10
_LONGEST_SOCKET_PATH = 107

Program = Literal["switch", "agi", "web"]
_SAID = {"switch": "a switch", "agi": "an AGI server", "web": "a web server"}


class SwitchError(Exception):
    """The running program cannot be asked, started or stopped; the message says why."""


class SwitchNotRunning(SwitchError):
    """No switch runs for this HOME."""

    def __init__(self) -> None:
        super().__init__("no switch is running")


class RunsAlready(SwitchError):
    """Such a program runs already for this HOME."""


class DrainsStill(SwitchError):
    """The switch takes no new calls, but calls are still under way in it."""


class _UnixConnection(http.client.HTTPConnection):
    """An HTTP connection over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=ANSWER_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(ANSWER_TIMEOUT_S)
        self.sock.connect(str(self._path))


def ask(settings: Settings, resource: str) -> Any:
    """The running switch's answer to GET `resource`. Raises SwitchNotRunning, SwitchError."""
    return _request(settings, "GET", resource)


def drain(settings: Settings, timeout_s: float) -> int:
    """Tells the running switch to take no new calls, and waits until its last call is over and it has ended.

    Returns how many calls were under way at the beginning. Raises SwitchNotRunning, or DrainsStill when `timeout_s` is
    too short; the switch then goes on draining.
    """
    pid = running_pid(settings)
    calls: int = _request(settings, "POST", "/drain")["calls"]
    until = time.monotonic() + timeout_s
    while running_pid(settings) == pid:
        if time.monotonic() > until:
            raise DrainsStill(
                f"calls are still under way after {timeout_s:g} s; the switch (pid {pid}) takes no new ones and ends "
                "after the last"
            )
        time.sleep(_POLL_S)
    return calls


def renew_journal(settings: Settings) -> None:
    """Tells the running switch to remove ended calls from its journal. Raises SwitchNotRunning, SwitchError."""
    _request(settings, "POST", "/renew-journal")


def hand_over(settings: Settings) -> int:
    """Tells the running switch to leave its calls to the next switch, and waits until it has ended.

    Returns how many calls were under way. Raises SwitchNotRunning, or SwitchError when the switch does not end.
    """
    calls: int = ask(settings, "/status")["calls"]
    if not _end(settings, signal.SIGUSR1, HAND_OVER_S, "switch"):
        raise SwitchNotRunning
    return calls


def _request(settings: Settings, method: str, resource: str) -> Any:
    connection = _UnixConnection(settings.control_socket)
    try:
        connection.request(method, resource)
        response = connection.getresponse()
        body = response.read()
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise SwitchNotRunning from error
    except (OSError, http.client.HTTPException) as error:
        raise SwitchError(f"the switch does not answer on {settings.control_socket}: {error}") from error
    finally:
        connection.close()
    if response.status != 200:
        raise SwitchError(f"the switch answered {response.status} to {resource}; see {log_file(settings)}")
    return json.loads(body)


def log_file(settings: Settings, program: Program = "switch") -> Path:
    """The log file of a background program."""
    return settings.home / f"{program}.log"


def pid_file(settings: Settings, program: Program = "switch") -> Path:
    """The file that a running program locks, and that contains its pid."""
    return settings.home / f"{program}.pid"


@contextmanager
def only_switch(settings: Settings) -> Iterator[None]:
    """Makes this process the only switch for its HOME while the block lasts. Raises SwitchError."""
    if len(os.fsencode(settings.control_socket)) > _LONGEST_SOCKET_PATH:
        raise SwitchError(
            f"{settings.control_socket}: a Unix socket's path has at most {_LONGEST_SOCKET_PATH} bytes; "
            "set CALLRACE_HOME to a shorter one"
        )
    with only(settings, "switch"):
        yield


@contextmanager
def only(settings: Settings, program: Program) -> Iterator[None]:
    """Makes this process the only such program for its HOME while the block lasts. Raises RunsAlready."""
    path = pid_file(settings, program)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        if not _lock_patiently(file.fileno()):
            file.seek(0)
            raise RunsAlready(f"{_SAID[program]} runs already (pid {file.read().strip()})")
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
        file.truncate(0)


def running_pid(settings: Settings, program: Program = "switch") -> int | None:
    """The pid of the running program; None when none runs."""
    try:
        with pid_file(settings, program).open() as file:
            if _lock(file.fileno(), fcntl.LOCK_SH):
                return None
            text = file.read().strip()
    except FileNotFoundError:
        return None
    return int(text) if text.isdecimal() else None


def why_no_agi(settings: Settings) -> str | None:
    """Why the AGI server accepts no connection; None when it accepts them."""
    return _why_silent("127.0.0.1", settings.agi_port)


def why_no_web(settings: Settings) -> str | None:
    """The same of the web server."""
    return _why_silent(settings.web.address, settings.web.port)


def _why_silent(address: str, port: int) -> str | None:
    try:
        socket.create_connection((address, port), CONNECT_S).close()
    except OSError as error:
        return error.strerror or "too late"
    return None


def stop(settings: Settings, timeout_s: float, program: Program = "switch") -> bool:
    """Stops the running program and waits until it has ended; False when none ran. Raises SwitchError."""
    return _end(settings, signal.SIGTERM, timeout_s, program)


def _end(settings: Settings, by: signal.Signals, timeout_s: float, program: Program) -> bool:
    pid = running_pid(settings, program)
    if pid is None:
        return False
    os.kill(pid, by)
    until = time.monotonic() + timeout_s
    while running_pid(settings, program) == pid:
        if time.monotonic() > until:
            raise SwitchError(
                f"{_SAID[program]} (pid {pid}) has not ended within {timeout_s:g} s; "
                f"see {log_file(settings, program)}"
            )
        time.sleep(_POLL_S)
    return True


def _lock_patiently(descriptor: int) -> bool:
    """Tries several times for a moment, as another process that calls `running_pid` holds the lock very shortly."""
    for _ in range(_TRIES):
        if _lock(descriptor):
            return True
        time.sleep(_POLL_S)
    return False


def _lock(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
