"""The FastAGI server: many connections, none of which can delay another.

A normal connection lasts a few milliseconds. So each has a limit of time and of size. The number of connections is
limited, too: for one more, the oldest is closed, so idle connections make room.
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
"""Returns the variables to set; None when there is no answer."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one connection, and of all together. Each needs a file descriptor; a process usually has 1,024."""

    connections: int = 400
    header_bytes: int = 16_384  # an INVITE is one of the arguments
    header_s: float = 2.0
    answer_s: float = 2.0


class Server:
    """Answers each connection by `answer`, which is called once for each and must return quickly."""

    def __init__(self, answer: Answer, limits: Limits) -> None:
        self._answer = answer
        self._limits = limits
        self._open: dict[StreamWriter, None] = {}  # in the order in which they came

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[int]:
        """Serves on loopback while the block lasts; yields the port. Raises OSError when the port is in use."""
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
        """How many connections are open now."""
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
