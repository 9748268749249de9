"""SIPp's processes: the four agents, who stay, and a crowd of callers for each step."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ari_app.lab.ports import free_udp_port
from tests.bench import scenarios
from tests.bench.plan import CALL_MS, RINGS_MS

Times = dict[str, float]
"""When, in seconds since the epoch, by the caller's number."""


class Log:
    """What one SIPp process logs, read from where it was last read to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_to = 0

    def news(self) -> Iterator[tuple[str, float, str]]:
        """What happened, when, and the number of the caller it happened to."""
        if not self._path.exists():
            return
        with self._path.open() as lines:
            lines.seek(self._read_to)
            for line in lines.read().splitlines():
                what, stamp, number = line.split("|")
                yield what, float(stamp.split()[-1]), number
            self._read_to = lines.tell()


@dataclass(frozen=True, slots=True)
class Agents:
    """The agents' phones: their processes, where they are dialled, and what they log."""

    pids: tuple[int, ...]
    uris: dict[str, str]
    logs: tuple[Log, ...]

    def first_invited(self) -> Times:
        """When each call's first agent got its INVITE, for the calls since this was last asked."""
        first: Times = {}
        for log in self.logs:
            for _, at, number in log.news():
                first[number] = min(at, first.get(number, at))
        return first


@contextmanager
def sink() -> Iterator[int]:
    """A port that takes audio and drops it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taker:
        taker.bind(("127.0.0.1", 0))
        yield taker.getsockname()[1]


@contextmanager
def agents(home: Path, media_port: int) -> Iterator[Agents]:
    """The agents, as long as the block lasts."""
    with ExitStack() as stack:
        ports = {name: free_udp_port() for name in RINGS_MS}
        processes = [
            stack.enter_context(
                _sipp(home / name, scenarios.agent(media_port, ring_ms), "-p", str(ports[name]))
            )
            for name, ring_ms in RINGS_MS.items()
        ]
        yield Agents(
            tuple(process.pid for process in processes),
            {name: f"sip:{name}@127.0.0.1:{port}" for name, port in ports.items()},
            tuple(Log(home / name / "log") for name in RINGS_MS),
        )


class Callers:
    """A crowd that calls one extension, each from a number of its own."""

    def __init__(self, home: Path, to: str, media_port: int) -> None:
        self._home = home
        self._to = to
        self._media_port = media_port
        self._numbers = 0

    @contextmanager
    def calling(self, extension: str, rate: int, count: int) -> Iterator[Crowd]:
        """`count` calls, `rate` a second, begun now."""
        first, self._numbers = self._numbers, self._numbers + count
        # Each number once: whoever calls again within two seconds is refused.
        numbers = [f"+1212{2_000_000 + n}" for n in range(first, first + count)]
        home = self._home / f"callers-{first}"
        home.mkdir(parents=True)
        injected = home / "injected.csv"
        injected.write_text("\n".join(["SEQUENTIAL", *(f"{n};{extension}" for n in numbers)]) + "\n")
        arguments = (self._to, "-p", str(free_udp_port()), "-inf", str(injected),
                     "-r", str(rate), "-m", str(count), "-l", str(count), "-timer_resol", "1")  # fmt: skip
        with _sipp(home, scenarios.caller(self._media_port, CALL_MS), *arguments) as process:
            yield Crowd(process, Log(home / "log"))


class Crowd:
    """The callers of one step."""

    def __init__(self, process: subprocess.Popen[bytes], log: Log) -> None:
        self.pid = process.pid
        self._process = process
        self._log = log

    def wait(self, timeout_s: float) -> bool:
        """Waits until every call is over; False when they are not in time."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def calls(self) -> tuple[Times, Times]:
        """When each caller's INVITE was sent, and when those who left as they should had left."""
        times: dict[str, Times] = {"calling": {}, "ended": {}}
        for what, at, number in self._log.news():
            times[what][number] = at
        return times["calling"], times["ended"]


@contextmanager
def _sipp(home: Path, scenario: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A SIPp process, ended with the block, or with us should we be killed."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "scenario.xml").write_text(scenario)
    command: Sequence[str] = (
        "setpriv", "--pdeathsig", "KILL", "sipp", *arguments, "-sf", str(home / "scenario.xml"),
        "-i", "127.0.0.1", "-bind_local", "-cp", str(free_udp_port()), "-nostdin",
        "-trace_logs", "-log_file", str(home / "log"),
    )  # fmt: skip
    with (home / "output").open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
