"""Asterisk's side of a FastAGI conversation."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Mapping
from dataclasses import dataclass, field


def header(service: str = "lookup", *arguments: str) -> bytes:
    """The header that Asterisk 22 sends."""
    lines = [
        "agi_network: yes",
        f"agi_network_script: {service}",
        f"agi_request: agi://127.0.0.1:4573/{service}",
        "agi_channel: PJSIP/carrier-00000001",
        "agi_language: en",
        "agi_type: PJSIP",
        "agi_uniqueid: 1763900000.1",
        "agi_version: 22.10.1",
        "agi_callerid: +12125550142",
        "agi_calleridname: unknown",
        "agi_callingpres: 0",
        "agi_callingani2: 0",
        "agi_callington: 0",
        "agi_callingtns: 0",
        "agi_dnid: +18005550101",
        "agi_rdnis: unknown",
        "agi_context: callrace-enter",
        "agi_extension: s",
        "agi_priority: 12",
        "agi_enhanced: 0.0",
        "agi_accountcode: ",
        "agi_threadid: 140000000000000",
        *(f"agi_arg_{n}: {argument}" for n, argument in enumerate(arguments, start=1)),
    ]
    return "\n".join([*lines, "", ""]).encode()


@dataclass
class Asterisk:
    """One AGI() of the dialplan's; `variables` are those that it was told to set."""

    reader: StreamReader
    writer: StreamWriter
    variables: dict[str, str] = field(default_factory=dict)

    @classmethod
    async def connect(cls, port: int) -> Asterisk:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, sent: bytes, reply: bytes = b"200 result=0\n") -> Mapping[str, str]:
        """Sends a header and replies to every command until the server hangs up."""
        self.writer.write(sent)
        while line := await self.reader.readline():
            command, assignments, end = line.decode().split('"')
            assert (command, end) == ("EXEC MSet ", "\n")
            self.variables |= dict(pair.split("=", 1) for pair in assignments.split(","))
            self.writer.write(reply)
        self.writer.close()
        return self.variables

    async def dropped(self, within_s: float = 5.0) -> bool:
        """Waits until the server hangs up, having said nothing."""
        async with asyncio.timeout(within_s):
            try:
                return await self.reader.read() == b""
            except ConnectionError:
                return True


async def ask(port: int, sent: bytes, reply: bytes = b"200 result=0\n") -> Mapping[str, str]:
    """One whole conversation."""
    return await (await Asterisk.connect(port)).ask(sent, reply)
