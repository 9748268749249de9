"""How fast the AGI server answers, alone and while ten thousand connections that say nothing are opened and kept."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ari_app.lab.ports import free_tcp_ports
from tests.bench.decisions import apply
from tests.bench.market import Shape, number
from tests.bench.step import percentile
from tests.live.lab import REPO
from tests.unit.agi.asterisk import ask, header

SHAPE = Shape(500, 20)
IDLE = 10_000
A_SECOND = 2_000  # idle connections opened
ASKED = 500  # requests of each kind
EVERY_S = 0.01
P99_MS = 5.0
START_S = 60.0

_ATTACKER = """
import resource, socket, sys, time
port, count, a_second = map(int, sys.argv[1:])
most = max(count + 100, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100, most))
kept, began = [], time.monotonic()
while time.monotonic() - began < 60:
    kept.append(socket.create_connection(("127.0.0.1", port)))
    if len(kept) > count:
        kept.pop(0).close()
    if len(kept) == count:
        print("all", flush=True)
    time.sleep(max(0, began + len(kept) / a_second - time.monotonic()) if len(kept) < count else 1 / a_second)
"""


def report() -> str:
    """The section of RESULTS.md."""
    with tempfile.TemporaryDirectory(prefix="callrace-bench-") as folder, _serving(Path(folder)) as port:
        alone = asyncio.run(_measure(port))
        with _idle(port):
            attacked = asyncio.run(_measure(port))
    lines = [
        "## AGI",
        "",
        f"{ASKED} `lookup` and as many `route` requests, one every {1000 * EVERY_S:.0f} ms, each a connection of its",
        f"own, from connecting to the last byte; {SHAPE.campaigns} campaigns of {SHAPE.destinations_each} agents.",
        f"Idle: {IDLE:,} connections that say nothing are held, and {A_SECOND:,} a second come anew.",
        "",
        "| service | p50 ms | p99 ms | p50 ms, idle ones | p99 ms, idle ones | target | met |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    for service in alone:
        figures = [percentile(ms[service], share) for ms in (alone, attacked) for share in (50, 99)]
        is_met = "yes" if figures[3] < P99_MS and figures[1] < P99_MS else "**no**"
        shown = " | ".join(f"{figure:.2f}" for figure in figures)
        lines.append(f"| {service} | {shown} | p99 under {P99_MS:g} | {is_met} |")
    return "\n".join([*lines, ""])


@contextmanager
def _serving(home: Path) -> Iterator[int]:
    """`callrace agi run` on a large marketplace; gives its port."""
    apply(SHAPE, home / "callrace.db")
    (port,) = free_tcp_ports(1)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CALLRACE_")}
    environment |= {"CALLRACE_HOME": str(home), "CALLRACE_AGI_PORT": str(port)}
    with (home / "agi.log").open("wb") as log:
        command = (sys.executable, "-m", "ari_app.cli.main", "agi", "run")
        server = subprocess.Popen(command, cwd=REPO, env=environment, stdout=log, stderr=log)
    try:
        asyncio.run(_wait_until_served(port, server))
        yield port
    finally:
        server.terminate()
        server.wait()


async def _wait_until_served(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and server.poll() is None:
        with suppress(OSError):
            if await ask(port, _request("lookup", 0)):
                return
        await asyncio.sleep(0.1)
    raise TimeoutError("the AGI server does not answer")


@contextmanager
def _idle(port: int) -> Iterator[None]:
    """Attackers hold IDLE connections and open more, while the block lasts."""
    own = resource.getrlimit(resource.RLIMIT_NOFILE)
    command = (sys.executable, "-c", _ATTACKER, str(port), str(IDLE), str(A_SECOND))
    attacker = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert attacker.stdout is not None
        if attacker.stdout.readline() != b"all\n":
            raise OSError(f"{IDLE} connections cannot be held here (limit of files: {own[1]})")
        yield
    finally:
        attacker.kill()
        attacker.wait()


async def _measure(port: int) -> dict[str, list[float]]:
    """Milliseconds of each request, by service."""
    found: dict[str, list[float]] = {"lookup": [], "route": []}
    for n in range(ASKED):
        for service, ms in found.items():
            began = time.perf_counter()
            answer = await ask(port, _request(service, n))
            ms.append(1000 * (time.perf_counter() - began))
            assert answer, f"{service} was not answered"
            await asyncio.sleep(EVERY_S)
    return found


def _request(service: str, n: int) -> bytes:
    return header(service, number(n), "+12125550142")
