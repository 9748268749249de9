"""A private Asterisk for the live tests, on ports of its own beside a user's lab."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from ari_app.lab.ports import free_tcp_ports, free_udp_port

REPO = Path(__file__).parents[2]
RTP_START = 20000  # Asterisk takes free ports of a range, so several labs may share it


@dataclass(frozen=True, slots=True)
class Lab:
    """Where the tests' Asterisk is: its CALLRACE_HOME, and the environment whose settings point to it."""

    home: Path
    environment: dict[str, str]
    tree: Path = REPO  # whose Asterisk configuration and dialplan it has

    @property
    def sip(self) -> str:
        """Where callers call: host:port."""
        return f"127.0.0.1:{self.environment['CALLRACE_SIP_PORT']}"

    @property
    def sip_tls(self) -> str:
        """Where they call by TLS, in a lab that has a certificate: host:port."""
        return f"127.0.0.1:{self.environment['CALLRACE_SIP_TLS_PORT']}"

    @property
    def ari(self) -> str:
        """The base address of ARI."""
        return f"http://127.0.0.1:{self.environment['CALLRACE_ARI_PORT']}/ari"

    @property
    def login(self) -> dict[str, str]:
        """The header that makes a request ARI's user callrace's."""
        password = (self.home / "secrets" / "ari").read_text().strip()
        return {"Authorization": "Basic " + base64.b64encode(f"callrace:{password}".encode()).decode()}

    @property
    def pid(self) -> int:
        """Asterisk's process."""
        return int((self.home / "asterisk" / "run" / "lab.pid").read_text())

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run asterisk-docker/lab with `words`."""
        command = [str(self.tree / "asterisk-docker" / "lab"), *words]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=600)

    def kill(self) -> None:
        """Ends Asterisk as a crash would: without a word to anybody."""
        os.kill(self.pid, signal.SIGKILL)

    async def ask(self, method: str, path: str, **query: str) -> Any:
        """ARI's answer to a request over plain HTTP, without the switch's own client."""
        async with (
            aiohttp.ClientSession(headers=self.login, raise_for_status=True) as session,
            session.request(method, f"{self.ari}/{path}", params=query) as answer,
        ):
            return await answer.json(content_type=None)

    async def clear(self) -> None:
        """Removes what a failed test left in Asterisk: those that follow would fail for its reason."""
        for kind in ("channels", "bridges"):
            for one in await self.ask("GET", kind):
                with suppress(aiohttp.ClientResponseError):  # it went by itself meanwhile
                    await self.ask("DELETE", f"{kind}/{one['id']}")


def private(home: Path) -> Lab:
    """A lab in `home`, sharing the repository's root directory of Asterisk, with the tests' own dialplan."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CALLRACE_")}
    sip, tls, ari, ami, agi, web = free_tcp_ports(6)
    ours = {
        "CALLRACE_HOME": str(home),
        "CALLRACE_ASTERISK_ROOT": str(REPO / "var" / "asterisk" / "root"),
        "CALLRACE_ASTERISK_OVERLAY": str(Path(__file__).parent / "overlay"),
        "CALLRACE_SIP_PORT": str(sip),
        "CALLRACE_SIP_TLS_PORT": str(tls),
        "CALLRACE_ARI_PORT": str(ari),
        "CALLRACE_AMI_PORT": str(ami),
        "CALLRACE_AGI_PORT": str(agi),
        "CALLRACE_WEB_PORT": str(web),
        "CALLRACE_METRICS_PORT": "0",
        "CALLRACE_RTP_START": str(RTP_START),
        "CALLRACE_TRUNK_MAIN": f"sip:127.0.0.1:{free_udp_port()}",
    }
    return Lab(home, inherited | ours)
