"""One SIPp process: its scenario, the pipe on which it reports events, and its end."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from ari_app.lab.ports import free_udp_port

_MESSAGE = """{method} sip:sipp SIP/2.0\r
Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK-{method}\r
From: <sip:control@127.0.0.1>;tag=1\r
To: <sip:sipp@127.0.0.1>\r
Call-ID: {call_id}\r
CSeq: 1 {method}\r
Content-Length: 0\r
\r
"""


class SippFailed(RuntimeError):
    """SIPp could not be started, or ended with an error of its own; the message quotes it."""


class Process:
    """SIPp running one scenario on one port of 127.0.0.1."""

    def __init__(self, scenario: str, port: int, arguments: list[str], injected: str = "") -> None:
        self.port = port
        self._scenario = scenario
        self._arguments = arguments
        self._injected = injected
        self._home = tempfile.TemporaryDirectory(prefix="callrace-sipp-")
        self._process: asyncio.subprocess.Process | None = None
        self._lines: asyncio.StreamReader | None = None
        self._control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    @property
    def pid(self) -> int | None:
        """The process id; None before `start`."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start SIPp. Raises SippFailed when it is not installed."""
        home = Path(self._home.name)
        (home / "scenario.xml").write_text(self._scenario)
        (home / "injected.csv").write_text(self._injected)
        reading, writing = os.pipe()
        # setpriv: if this process is killed and cannot clean up, SIPp is killed too.
        command = ["setpriv", "--pdeathsig", "KILL", "sipp", *self._arguments,
                   "-sf", str(home / "scenario.xml"), "-i", "127.0.0.1", "-p", str(self.port),
                   "-cp", str(free_udp_port()), "-bind_local", "-nostdin", "-aa", "-timer_resol", "1",
                   "-trace_logs", "-log_file", f"/proc/self/fd/{writing}",
                   "-trace_err", "-error_file", str(home / "errors.log")]  # fmt: skip
        if self._injected:
            command += ["-inf", str(home / "injected.csv")]
        try:
            with (home / "stderr.log").open("wb") as stderr:
                self._process = await asyncio.create_subprocess_exec(
                    *command, pass_fds=[writing], stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL, stderr=stderr,
                )  # fmt: skip
        except FileNotFoundError as missing:
            raise SippFailed(f"{missing.filename} is not installed: apt-get install sip-tester") from None
        finally:
            os.close(writing)
        self._lines = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(self._lines)
        await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(reading, "rb"))

    async def lines(self) -> AsyncIterator[str]:
        """The lines that the scenario logs, until SIPp ends."""
        assert self._lines, "Process.start() comes first"
        while line := await self._lines.readline():
            yield line.decode(errors="replace").rstrip("\n")

    def tell(self, call_id: str, method: str) -> None:
        """Send SIPp a private request for which its scenario waits; the Call-ID selects the call."""
        message = _MESSAGE.format(method=method, call_id=call_id)
        self._control.sendto(message.encode(), ("127.0.0.1", self.port))

    def errors(self) -> str:
        """SIPp's error messages, one line each; empty when there is none.

        Left out: time-outs that the scenario wants, messages retransmitted after the end of a call, warnings of a busy
        machine, and OPTIONS requests from Asterisk.
        """
        home = Path(self._home.name)
        log = next(file for name in ("errors.log", "stderr.log") if (file := home / name).exists())
        entries = re.split(r"(?=\d{4}-\d\d-\d\d\t)", log.read_text(errors="replace"))
        usual = (
            "jumping to label",
            "Dead call",
            "Discarding message",
            "The following events",
            "Resolving remote host",
            "Overload warning",  # its timers are late: the machine is busy
            "Automatic response mode",  # it answered an OPTIONS, as a registered phone does
        )
        odd = [entry.strip() for entry in entries if not any(word in entry for word in usual)]
        return "\n".join(entry.splitlines()[0] for entry in odd if entry)

    async def stop(self) -> None:
        """End SIPp, by its id, and remove its files."""
        if self._process and self._process.returncode is None:
            with suppress(ProcessLookupError):  # os.kill: Popen.kill would reap it without asyncio
                os.kill(self._process.pid, signal.SIGKILL)
            await self._process.wait()
        self._control.close()
        self._home.cleanup()
