"""baresip as an agent's telephone: a program that nobody here wrote, registered at Asterisk, steered by TCP."""

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

TONE_HZ = 440

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
module aufile.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
"""


class Phone:
    """A running baresip. `events` are what it tells, in order."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
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
        async with asyncio.timeout(timeout_s):
            while not (found := [one for one in self.events if one.get("type") == kind]):
                await self._news.wait()
        return found[-1]

    async def close(self) -> None:
        """Hears no more."""
        self._task.cancel()
        with suppress(asyncio.CancelledError, asyncio.IncompleteReadError):
            await self._task
        self._writer.close()


@asynccontextmanager
async def baresip(account: str, home: Path) -> AsyncIterator[Phone]:
    """A phone with an account, such as `<sip:agent-101@127.0.0.1:5060>;auth_pass=secret`."""
    home.mkdir()
    sip, control = free_tcp_ports(2)  # it listens for SIP by TCP, too
    (home / "config").write_text(_CONFIG.format(sip=sip, control=control, home=home))
    (home / "accounts").write_text(f"{account}\n")
    (home / "contacts").touch()
    _record_tone(home / "said.wav")
    with (home / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            "baresip", "-4", "-f", str(home), stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        phone = Phone(*await _connected(control))
        try:
            yield phone
        finally:
            await phone.close()
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def _record_tone(file: Path) -> None:
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
