"""A flood: attackers at full speed or at bounded rates, each from an address of its own, while callers call.

Nothing that an attacker sends may keep a caller from an agent. sipvicious scans, enumerates and guesses as fast as
it can; SIPp sends what it is told a second. What each has sent is counted by the namespace's packet filter.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from statistics import median

from tests.chaos import namespace
from tests.chaos.load import Seen
from tests.chaos.stage import HOME
from tests.live.lab import REPO

SIPVICIOUS = REPO / "var" / "sipvicious" / "bin"
SCENARIOS = Path(__file__).parent / "floods"
BEFORE_S = 30.0
AFTER_S = 15.0

Command = Callable[[int, int, float], Sequence[str]]
"""From the attacker's port, Asterisk's and the seconds that it lasts."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One attacker: what it does, how, the first port that it sends from, and its address where it is not the trunk."""

    name: str
    command: Command
    port: int
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Flood:
    """What was sent, in packets by attack, and when it began and ended (seconds since the epoch)."""

    packets: dict[str, int]
    began_at: float
    ended_at: float


def _sipp(scenario: str, a_second: int) -> Command:
    def command(port: int, to: int, seconds: float) -> Sequence[str]:
        return (
            *("sipp", f"127.0.0.1:{to}", "-sf", str(SCENARIOS / f"{scenario}.xml")),
            *("-i", "127.0.0.1", "-p", str(port), "-cp", str(port + 1)),
            *("-r", str(a_second), "-m", str(int(a_second * seconds))),
            *("-l", "5000", "-nr", "-recv_timeout", "3000", "-nostdin", "-default_behaviors", "none"),
        )

    return command


def _sipvicious(tool: str, *arguments: str) -> Command:
    def command(port: int, to: int, seconds: float) -> Sequence[str]:
        program = str(SIPVICIOUS / f"sipvicious_{tool}")
        own = ("-P", str(port), "-p", str(to), "-t", "0.002", *arguments, "127.0.0.1")
        return (sys.executable, "-m", "tests.chaos.repeat", program, *own)

    return command


ATTACKS = (
    Attack("sipvicious svmap: looks for SIP devices", _sipvicious("svmap"), 6010, "127.0.0.11"),
    Attack(
        "sipvicious svwar: looks for extensions by REGISTER",
        _sipvicious("svwar", "-e", "100-999999", "--force"),
        6020,
        "127.0.0.12",
    ),
    Attack(
        "sipvicious svwar: looks for extensions by INVITE",
        _sipvicious("svwar", "-m", "INVITE", "-e", "100-999999", "--force"),
        6030,
        "127.0.0.13",
    ),
    Attack(
        "sipvicious svcrack: guesses a phone's password",
        _sipvicious("svcrack", "-u", "agent-101", "-r", "1000-999999"),
        6040,
        "127.0.0.14",
    ),
    Attack(
        "SIPp: INVITE from an address that is no trunk, 200/s", _sipp("stranger", 200), 6050, "127.0.0.15"
    ),
    Attack("SIPp: REGISTER with a wrong digest, 50/s", _sipp("register", 50), 6060, "127.0.0.16"),
    Attack("SIPp: OPTIONS, 100/s", _sipp("options", 100), 6070, "127.0.0.17"),
    Attack("SIPp: INVITE by the trunk to numbers of nobody, 10/s", _sipp("unknown", 10), 6080),
)


async def attack(sip_port: int, seconds: float) -> Flood:
    """All attacks at once, for so long. They are ended whatever happens."""
    namespace.count([one.port for one in ATTACKS], sip_port)
    for one in ATTACKS:
        if one.address is not None:
            namespace.move(one.port, sip_port, one.address)
    began_at = time.time()
    attackers = []
    try:
        for one in ATTACKS:
            attackers.append(await _begin(one, sip_port, seconds))
        await asyncio.sleep(seconds)
    finally:
        for attacker in attackers:
            if attacker.returncode is None:
                attacker.kill()
        await asyncio.gather(*(attacker.wait() for attacker in attackers))
    sent = namespace.counted(sip_port)
    return Flood({one.name: sent.get(one.port, 0) for one in ATTACKS}, began_at, time.time())


async def _begin(attack: Attack, sip_port: int, seconds: float) -> Process:
    command = attack.command(attack.port, sip_port, seconds)
    with (HOME / f"attack-{attack.port}.log").open("wb") as log:
        return await asyncio.create_subprocess_exec(
            *("setpriv", "--pdeathsig", "KILL", *command),
            cwd=HOME,
            env={**os.environ, "PYTHONPATH": str(REPO), "HOME": str(HOME)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


@dataclass(frozen=True, slots=True)
class Served:
    """How callers of a time were served. Waits in ms."""

    calls: int
    connected: int
    answered_ms: list[float]
    talked_ms: list[float]


def served(seen: Sequence[Seen], since: float, until: float) -> Served:
    """The callers who came between two moments. `talked_ms`: from the INVITE until an agent's ACK."""
    its = [one for one in seen if since <= one.called_at < until]
    return Served(
        calls=len(its),
        connected=sum(bool(one.talks) for one in its),
        answered_ms=[1000 * (one.answered_at - one.called_at) for one in its if one.answered_at is not None],
        talked_ms=[1000 * (one.talks[0].since - one.called_at) for one in its if one.talks],
    )


def write(machine: Mapping[str, str], rate: int, seen: Sequence[Seen], done: Flood, memory_mb: str) -> str:
    """The part of RESILIENCE.md, in Markdown."""
    lines = [
        "# Flood",
        "",
        f"Written by `make flood` on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC; do not edit.",
        "",
        *(f"- {name}: {value}" for name, value in machine.items()),
        "",
        f"For {done.ended_at - done.began_at:.0f} s all attackers send to the SIP port of the lab at once: the last",
        "from the trunk's address, each other one from an address of its own; sipvicious as fast as it can, SIPp as",
        "told here. svwar gives up by itself, and is begun again: Asterisk's answers do not tell which extensions",
        f"there are. Meanwhile {rate} callers a second call by the trunk; three agents ring for each.",
        "",
        "| attack | packets | a second |",
        "|---|---:|---:|",
        *(
            f"| {name} | {count} | {count / (done.ended_at - done.began_at):.0f} |"
            for name, count in done.packets.items()
        ),
        "",
        "| callers | calls | connected to an agent | answered, ms, median / worst | agent, ms, median / worst |",
        "|---|---:|---:|---:|---:|",
        _row("before", served(seen, 0, done.began_at)),
        _row("during the flood", served(seen, done.began_at, done.ended_at)),
        _row("after", served(seen, done.ended_at, inf)),
        "",
        "agent: from the caller's INVITE until an agent, who rings for 300 ms, has the call.",
        f"Asterisk's resident memory, before and after: {memory_mb}.",
        "",
    ]
    return "\n".join(lines)


def unserved(seen: Sequence[Seen], done: Flood) -> int:
    """Callers during the flood whom no agent got."""
    told = served(seen, done.began_at, done.ended_at)
    return told.calls - told.connected


def _row(name: str, told: Served) -> str:
    answered, talked = (
        f"{median(ms):.0f} / {max(ms):.0f}" if ms else "-" for ms in (told.answered_ms, told.talked_ms)
    )
    return f"| {name} | {told.calls} | {told.connected} | {answered} | {talked} |"
