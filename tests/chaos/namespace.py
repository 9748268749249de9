"""Network and mounts of the run's own: what is cut or filled here is cut or filled nowhere else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.live.lab import REPO

LAB = REPO / "asterisk-docker" / "lab"
PORTS_EACH = 10
_MARK = "CALLRACE_CHAOS_NAMESPACE"


class NoNamespace(Exception):
    """The machine gives no namespaces, or not what is to run in them; the message says what is missing."""


def enter() -> None:
    """Begins this program again in namespaces of its own, which end with it. Returns when it is in them.

    Raises NoNamespace.
    """
    if _MARK in os.environ:
        _run("ip", "link", "set", "lo", "up")
        return
    if os.geteuid() != 0:
        raise NoNamespace("faults are made in namespaces of one's own, which takes the rights of root")
    # Docker would start Asterisk outside of them: without an engine the lab starts it itself.
    environment = os.environ | {_MARK: "1", "DOCKER_HOST": "unix:///nowhere"}
    if subprocess.run(
        (str(LAB), "root"), env=environment, check=False
    ).returncode:  # in them there is no way out
        raise NoNamespace("there is no Asterisk, see above")
    program = (sys.executable, "-m", "tests.chaos", *sys.argv[1:])
    os.execvpe("unshare", ("unshare", "--net", "--mount", *program), environment)


def mount_disk(at: Path, size_mb: int) -> None:
    """A disk of its own at a folder, empty."""
    at.mkdir(parents=True, exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={size_mb}m,mode=700", "chaos", str(at))


def mount_folder(folder: Path, at: Path) -> None:
    """A folder seen at another place too."""
    folder.mkdir(parents=True, exist_ok=True)
    at.mkdir(parents=True, exist_ok=True)
    _run("mount", "--bind", str(folder), str(at))


def lose(protocol: str, port: int) -> None:
    """From now on every packet to and from a port is lost."""
    _rules("-A", protocol, port, "-j", "DROP")


def lose_connections(port: int) -> list[int]:
    """From now on nothing passes on the TCP connections to a port that there are now; who connects anew is served.

    The ports that they come from, for `find_connections_again`.
    """
    rows = _run("ss", "-Htn", "state", "established", "dport", "=", f":{port}").splitlines()
    clients = [int(row.split()[2].rpartition(":")[2]) for row in rows]
    _connections("-A", port, clients)
    return clients


def find_connections_again(port: int, clients: Iterable[int]) -> None:
    """Ends `lose_connections`."""
    _connections("-D", port, clients)


def _connections(verb: str, port: int, clients: Iterable[int]) -> None:
    for client in clients:
        for source, to in ((client, port), (port, client)):
            rule = ("-p", "tcp", "--sport", str(source), "--dport", str(to), "-j", "DROP")
            _run("iptables", "-w", verb, "INPUT", *rule)


def find_again(protocol: str, port: int) -> None:
    """Ends `lose`."""
    _rules("-D", protocol, port, "-j", "DROP")


def reset(port: int) -> None:
    """From now on whoever sends to or from a TCP port finds the connection ended."""
    _rules("-A", "tcp", port, *_RESET)


def accept_again(port: int) -> None:
    """Ends `reset`."""
    _rules("-D", "tcp", port, *_RESET)


def count(ports: Iterable[int], to: int) -> None:
    """From now on packets to a UDP port are counted by whence they come: PORTS_EACH ports from each of these on."""
    for port in ports:
        _run(*_FILTER, "-I", "INPUT", *_udp(port, to), "-j", "ACCEPT")


def counted(to: int) -> dict[int, int]:
    """How many there were, by the first of the ports that they came from."""
    rows = _run(*_FILTER, "-nvxL", "INPUT").splitlines()
    found = [re.search(rf"^\s*(\d+) .* spts:(\d+):\d+ dpt:{to}\b", row) for row in rows]
    return {int(match[2]): int(match[1]) for match in found if match}


def move(port: int, to: int, source: str) -> None:
    """From now on packets from PORTS_EACH ports on, to a UDP port, come from another address."""
    _run(*_FILTER, "-t", "nat", "-A", "POSTROUTING", *_udp(port, to), "-j", "SNAT", "--to-source", source)


def _udp(port: int, to: int) -> tuple[str, ...]:
    return ("-p", "udp", "--sport", f"{port}:{port + PORTS_EACH - 1}", "--dport", str(to))


_FILTER = ("iptables", "-w")

# But for the resets themselves, which are to arrive.
_RESET = ("!", "--tcp-flags", "RST", "RST", "-j", "REJECT", "--reject-with", "tcp-reset")


def _rules(verb: str, protocol: str, port: int, *rule: str) -> None:
    for direction in ("--dport", "--sport"):
        _run("iptables", "-w", verb, "INPUT", "-p", protocol, direction, str(port), *rule)


def _run(*command: str) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise NoNamespace(f"{' '.join(command)} failed: {ended.stderr.strip()}")
    return ended.stdout
