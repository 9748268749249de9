"""Transports in place of the network: one follows a script, one fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from ari_app.ari.errors import AriUnavailable
from ari_app.ari.settings import AriSettings
from ari_app.ari.transport import Request, Response

SETTINGS = AriSettings("127.0.0.1", 8088, "callrace", "secret", lanes=4)
AUDIBLE = {"value": "192.0.2.1:4000"}  # where every channel's audio goes by default
INFO = {"system": {"version": "22.10.1"}}
WHEN = "2026-11-23T18:59:49.922+0000"
WHEN_MS = 1795460389922


class ScriptedStream:
    """A stream of events which the test sends and ends."""

    def __init__(self) -> None:
        self._messages: asyncio.Queue[str | AriUnavailable] = asyncio.Queue()
        self.is_closed = False
        self.heard_at_ms = WHEN_MS

    def send(self, message: object) -> None:
        self._messages.put_nowait(message if isinstance(message, str) else json.dumps(message))

    def end(self) -> None:
        self._messages.put_nowait(AriUnavailable("the stream ended"))

    async def receive(self) -> str:
        message = await self._messages.get()
        if isinstance(message, AriUnavailable):
            raise message
        return message

    async def close(self) -> None:
        self.is_closed = True


class ScriptedTransport:
    """Answers requests from `script`: "METHOD uri" -> (status, body) or an exception; else 204, or AUDIBLE."""

    def __init__(self, script: dict[str, tuple[int, Any] | Exception] | None = None) -> None:
        self.script: dict[str, tuple[int, Any] | Exception] = {
            "GET asterisk/info": (200, INFO),
            **(script or {}),
        }
        self.requests: list[tuple[int, Request]] = []
        self.before_answer: Callable[[Request], None] = lambda request: None
        self.streams: list[ScriptedStream] = []
        self.replaced: Callable[[], None] = lambda: None
        self.opened: asyncio.Queue[ScriptedStream] = asyncio.Queue()
        self.is_closed = False
        self.unanswered = 0

    @property
    def sent(self) -> list[str]:
        return [str(request) for _, request in self.requests]

    async def open(self, on_replaced: Callable[[], None]) -> None:
        self.replaced = on_replaced

    async def request(self, lane: int, request: Request) -> Response:
        self.requests.append((lane, request))
        await asyncio.sleep(0)
        self.before_answer(request)
        answer = self.script.get(str(request), (200, AUDIBLE) if _is_asked(request) else (204, None))
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        return Response(request, status, "said so", "" if body is None else json.dumps(body))

    def waiting(self) -> int:
        return self.unanswered

    async def events(self) -> ScriptedStream:
        stream = ScriptedStream()
        self.streams.append(stream)
        self.opened.put_nowait(stream)
        return stream

    async def close(self) -> None:
        self.is_closed = True


def _is_asked(request: Request) -> bool:
    return request.method == "GET" and request.uri.endswith("/variable")


class FailingTransport(ScriptedTransport):
    """Fails the first `failures` attempts to connect the event stream."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures

    async def events(self) -> ScriptedStream:
        if self.failures:
            self.failures -= 1
            raise AriUnavailable("cannot connect")
        return await super().events()


def event(kind: str, channel_id: str = "c1", **more: object) -> dict[str, object]:
    """An event about a channel, as Asterisk sends it."""
    channel = {
        "id": channel_id,
        "name": f"PJSIP/carrier-{channel_id}",
        "state": "Up",
        "caller": {"name": "Ann", "number": "+12125550123"},
        "dialplan": {"context": "callrace-in", "exten": "+18005550101", "priority": 1},
        "language": "en",
    }
    return {"type": kind, "timestamp": WHEN, "channel": channel, "application": "callrace"} | more
