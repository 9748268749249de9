"""baresip as a telephone, of an agent or behind a trunk: a program that nobody here wrote, steered by TCP."""

from __future__ import annotations

import asyncio
import json
import math
import struct
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from ari_app.lab.ports import free_tcp_ports
from tests.kit.certificates import make_certificate

TONE_HZ = 750  # none of those of ringback

_CONFIG = """sip_listen 127.0.0.1:{sip}
audio_player aufile,{home}/heard.wav
audio_source aufile,{home}/said.wav
audio_alert aufile,{home}/alert.wav
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
module_path /usr/lib/baresip/modules
module g711.so
module srtp.so
module aufile.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
"""
_TRUSTS = "sip_cafile {authority}\n"
_SHOWS = "sip_certificate {home}/certificate-and-key.pem\n"


class Phone:
    """A running baresip. `events` are what it tells, in order; `sip` is where it is called by UDP, host:port."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sip: str) -> None:
        self.sip = sip
        self.events: list[dict[str, object]] = []
        self._news = asyncio.Event()
        self._reader, self._writer = reader, writer
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while length := await self._reader.readuntil(b":"):
            message = json.loads(await self._reader.readexactly(int(length[:-1])))
            await self._reader.readexactly(1)
            self.events.append(message)
            self._news.set()
            self._news = asyncio.Event()

    def do(self, command: str, parameters: str = "") -> None:
        """A command of its menu, such as `accept`, `hold`, `sndcode`."""
        text = json.dumps({"command": command, "params": parameters, "token": command})
        self._writer.write(f"{len(text)}:{text},".encode())

    async def until(self, kind: str, timeout_s: float = 10.0) -> dict[str, object]:
        """Waits until it has told an event of this kind, such as CALL_INCOMING."""
        try:
            async with asyncio.timeout(timeout_s):
                while not (found := [one for one in self.events if one.get("type") == kind]):
                    await self._news.wait()
        except TimeoutError:
            raise TimeoutError(f"baresip has told no {kind}, but: {self.events[-5:]}") from None
        return found[-1]

    async def close(self) -> None:
        """Hears no more."""
        self._task.cancel()
        with suppress(asyncio.CancelledError, asyncio.IncompleteReadError):
            await self._task
        self._writer.close()


@asynccontextmanager
async def baresip(
    account: str, home: Path, authority: Path | None = None, tls_port: int | None = None
) -> AsyncIterator[Phone]:
    """A phone with an account, such as `<sip:agent-101@127.0.0.1:5060>;auth_pass=secret`.

    With the certificate of an authority it trusts whom that has signed. At `tls_port` it listens by TLS, with a
    certificate of its own from there.
    """
    home.mkdir()
    sip, control = free_tcp_ports(2)  # it listens for SIP by TCP, too
    config = _CONFIG
    if authority is not None:
        config += _TRUSTS
    if tls_port is not None:
        config += _SHOWS
        sip = tls_port - 1  # one port further it listens by TLS
        made = make_certificate(home / "tls", authority)
        both = made.read_text() + made.with_name("key.pem").read_text()
        (home / "certificate-and-key.pem").write_text(both)
    (home / "config").write_text(config.format(sip=sip, control=control, home=home, authority=authority))
    (home / "accounts").write_text(f"{account}\n")
    (home / "contacts").touch()
    record_tone(home / "said.wav")
    with (home / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            "baresip", "-4", "-f", str(home), stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        phone = Phone(*await _connected(control), f"127.0.0.1:{sip}")
        try:
            yield phone
        finally:
            await phone.close()
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def record_tone(file: Path) -> None:
    """What the agent says: a tone of TONE_HZ, for a minute."""
    second = [round(8000 * math.sin(2 * math.pi * TONE_HZ * n / 8000)) for n in range(8000)]
    with wave.open(str(file), "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(2)
        made.setframerate(8000)
        made.writeframes(struct.pack("<8000h", *second) * 60)


async def _connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with asyncio.timeout(10):
        while True:
            with suppress(ConnectionRefusedError):
                return await asyncio.open_connection("127.0.0.1", port)
            await asyncio.sleep(0.05)
