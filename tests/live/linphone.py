"""linphonec, of Debian's linphone-cli, as an agent's telephone: steered by what one types into it, and read."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from ari_app.lab.ports import free_udp_port
from tests.live.baresip import record_tone

_CONFIG = """[sip]
sip_port=0
sip_tcp_port=0
sip_tls_port=-2
media_encryption=srtp
media_encryption_mandatory=1
root_ca={authority}
default_proxy=0
use_info=0
use_rfc2833=1

[proxy_0]
reg_proxy=<sip:{registrar};transport=tls>
reg_identity=<sip:{user}@{host}>
reg_expires=60
reg_sendregister=1
publish=0

[auth_info_0]
username={user}
passwd={password}
realm=asterisk

[rtp]
audio_rtp_port={rtp}
"""
_PROMPT = "linphonec> "


class Linphone:
    """A running linphonec. `said` is what it has printed, what is typed among it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.said = ""
        self._typed_at = 0
        self._news = asyncio.Event()
        self._process = process
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while some := await self._process.stdout.read(4096):
            self.said += some.decode(errors="replace")
            self._news.set()
            self._news = asyncio.Event()

    def type(self, command: str) -> None:
        """A line, such as `answer`, `pause`, or digits to send."""
        assert self._process.stdin is not None
        self._typed_at = len(self.said)
        self._process.stdin.write(f"{command}\n".encode())

    async def until(self, words: str, timeout_s: float = 15.0) -> None:
        """Waits until it has said so since something was typed last."""
        try:
            async with asyncio.timeout(timeout_s):
                while words not in self.said[self._typed_at :]:
                    await self._news.wait()
        except TimeoutError:
            raise TimeoutError(f"linphonec did not say {words!r}, but: {self.said[-1000:]}") from None

    async def close(self) -> None:
        """Ends it."""
        with suppress(ProcessLookupError):
            self._process.kill()  # its own way to end takes seconds
        await self._process.wait()
        await self._task


@asynccontextmanager
async def linphone(
    user: str, password: str, registrar: str, authority: Path, home: Path
) -> AsyncIterator[Linphone]:
    """A telephone that registers by TLS at host:port, a name, and encrypts; it trusts whom the authority has signed."""
    (home / ".local" / "share" / "linphone").mkdir(parents=True)
    host = registrar.partition(":")[0]
    config = home / "linphonerc"
    values = {
        "authority": authority,
        "registrar": registrar,
        "host": host,
        "user": user,
        "password": password,
    }
    config.write_text(_CONFIG.format(rtp=free_udp_port(), **values))
    record_tone(home / "said.wav")
    process = await asyncio.create_subprocess_exec(
        "linphonec", "-c", str(config), cwd=home, env=os.environ | {"HOME": str(home)},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    made = Linphone(process)
    try:
        # Asterisk asks who connects for a certificate, of which linphonec has none, and asks us in turn.
        await made.until("Password for (null) on (null):")
        for line in ("none", "soundcard use files"):
            made.type(line)
            await made.until(_PROMPT)
        made.type(f"play {home}/said.wav")
        await made.until(_PROMPT)
        yield made
    finally:
        await made.close()
