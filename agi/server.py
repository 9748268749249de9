"""The FastAGI server: many connections, of which none can hold up another.

An honest connection lasts some milliseconds. So every one has a limit of time and of size, there is room
for a fixed number, and where one more comes the oldest is dropped: whoever only sits there makes room.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from agi.conversation import Conversation, ProtocolError, Request

log = logging.getLogger(__name__)

HOST = "127.0.0.1"

Answer = Callable[[Request], Awaitable[Mapping[str, str] | None]]
"""The variables to set; None where nothing can be answered."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection, and all of them together, may use. A file descriptor each, of usually 1,024."""

    connections: int = 400
    header_bytes: int = 4_096
    header_s: float = 2.0
    answer_s: float = 2.0


class Server:
    """Answers each connection by `answer`, which is asked once and must not be long."""

    def __init__(self, answer: Answer, limits: Limits) -> None:
        self._answer = answer
        self._limits = limits
        self._open: dict[StreamWriter, None] = {}  # in the order in which they came

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[int]:
        """Serves on loopback while the block lasts; gives the port. Raises OSError when it is taken."""
        server = await asyncio.start_server(
            self._serve, HOST, port, limit=self._limits.header_bytes, backlog=1024
        )
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for writer in list(self._open):
                writer.transport.abort()
            await server.wait_closed()

    @property
    def connections(self) -> int:
        """How many there are now."""
        return len(self._open)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        if len(self._open) >= self._limits.connections:
            self._drop_oldest()
        self._open[writer] = None
        try:
            await self._converse(reader, writer)
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError) as error:
            log.debug("a connection broke off: %r", error)
        except ProtocolError as error:
            log.warning("a connection is closed: %s", error)
        finally:
            self._open.pop(writer, None)
            writer.close()

    def _drop_oldest(self) -> None:
        oldest = next(iter(self._open))
        del self._open[oldest]
        oldest.transport.abort()

    async def _converse(self, reader: StreamReader, writer: StreamWriter) -> None:
        async with asyncio.timeout(self._limits.header_s):
            conversation = Conversation(await reader.readuntil(b"\n\n"))
        async with asyncio.timeout(self._limits.answer_s):
            variables = await self._answer(conversation.request)
            if variables is None:
                return
            writer.write(conversation.set_variables(variables))
            conversation.check(await reader.readuntil(b"\n"))
