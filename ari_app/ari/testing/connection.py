"""The connections between a client and the Asterisk in memory."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ari_app.ari.errors import AriUnavailable
from ari_app.ari.transport import Request, Response

if TYPE_CHECKING:
    from ari_app.ari.testing.asterisk import Asterisk


class Stream:
    """One event connection."""

    def __init__(self) -> None:
        self._messages: asyncio.Queue[str | None] = asyncio.Queue()
        self.heard_at_ms = time.time_ns() // 1_000_000
        self.is_over = False

    def put(self, message: str) -> None:
        """Sends an event."""
        if not self.is_over:
            self.heard_at_ms = time.time_ns() // 1_000_000
            self._messages.put_nowait(message)

    def end(self) -> None:
        """Breaks the connection: later events are lost."""
        self.is_over = True
        self.heard_at_ms = time.time_ns() // 1_000_000
        self._messages.put_nowait(None)

    async def receive(self) -> str:
        message = await self._messages.get()
        if message is None:
            raise AriUnavailable("the connection of events has ended")
        return message

    async def close(self) -> None:
        self.is_over = True


class Transport:
    """An instance's connection to the Asterisk in memory. It carries the requests of a lane one after the other."""

    def __init__(self, asterisk: Asterisk) -> None:
        self.asterisk = asterisk
        self.is_cut_off = False
        self.unanswered = 0  # a test may set how many requests seem unanswered
        self.streams: list[Stream] = []
        self._lanes: dict[int, asyncio.Lock] = {}

    def _reach(self) -> None:
        if self.is_cut_off or self.asterisk.is_down:
            raise AriUnavailable("Asterisk cannot be reached")

    async def open(self, on_replaced: Callable[[], None]) -> None:
        self._reach()

    async def request(self, lane: int, request: Request) -> Response:
        async with self._lanes.setdefault(lane, asyncio.Lock()):
            await asyncio.sleep(0)
            self._reach()
            self.asterisk.requests.append(str(request))
            self.asterisk.before(request)
            status, body = await self.asterisk.carry_out(request)
        return Response(request, status, "", "" if body is None else json.dumps(body))

    def waiting(self) -> int:
        return self.unanswered

    async def events(self) -> Stream:
        self._reach()
        self.streams = [Stream()]
        return self.streams[0]

    async def close(self) -> None:
        self.is_cut_off = True
