"""A small server on loopback that plays Asterisk's part in ARI, as a test tells it to."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import WSMsgType, web

from ari_app.ari.settings import AriSettings
from ari_app.ari.testing.scripted import INFO, WHEN

# The server's answer to a request: a status and a body, or no answer.
Answer = tuple[int, object] | None


@dataclass
class Connection:
    """One WebSocket that a client has opened."""

    app: str
    socket: web.WebSocketResponse
    request: web.Request

    async def send(self, message: object) -> None:
        await self.socket.send_str(message if isinstance(message, str) else json.dumps(message))

    async def close(self) -> None:
        """Closes as Asterisk does when it stops: with a close frame."""
        await self.socket.close()

    def abort(self) -> None:
        """Breaks the connection without closing it."""
        assert self.request.transport is not None
        self.request.transport.abort()


class FakeAsterisk:
    """Answers requests with `answer`, which a test may replace. `connections`: the latest one of each application."""

    def __init__(self) -> None:
        self.settings = AriSettings("127.0.0.1", 0, "callrace", "secret", lanes=2)
        self.takes_websocket_requests = True
        self.answers_pings = True
        self.has_ari = True
        self.answer: Callable[[str, str], Answer] = self.usual_answer
        self.requests: list[dict[str, Any]] = []
        self.http_requests: list[web.Request] = []
        self.connections: dict[str, Connection] = {}
        self.connected: asyncio.Queue[str] = asyncio.Queue()
        self.received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.refused = asyncio.Event()

    @staticmethod
    def usual_answer(method: str, uri: str) -> Answer:
        return (200, INFO) if uri == "asterisk/info" else (204, None)

    async def wait_connected(self, app: str) -> Connection:
        while await self.connected.get() != app:
            pass
        return self.connections[app]

    async def events(self, request: web.Request) -> web.StreamResponse:
        if not self.has_ari:
            self.refused.set()
            return web.Response(status=404)
        if not self._is_allowed(request):
            return web.Response(status=401)
        socket = web.WebSocketResponse(autoping=self.answers_pings)
        await socket.prepare(request)
        connection = Connection(request.query["app"], socket, request)
        previous = self.connections.get(connection.app)
        self.connections[connection.app] = connection
        if previous is not None and not previous.socket.closed:
            await previous.send(
                {"type": "ApplicationReplaced", "timestamp": WHEN, "application": previous.app}
            )
        self.connected.put_nowait(connection.app)
        async for message in socket:
            if message.type is WSMsgType.TEXT and self.takes_websocket_requests:
                await self._carry_out(connection, json.loads(message.data))
        return socket

    async def _carry_out(self, connection: Connection, request: dict[str, Any]) -> None:
        self.requests.append(request | {"lane": connection.app})
        self.received.put_nowait(request)
        answer = self.answer(request["method"], request["uri"])
        if answer is not None:
            await connection.send(response(request["request_id"], *answer))

    async def http(self, request: web.Request) -> web.Response:
        if not self._is_allowed(request):
            return web.Response(status=401)
        self.http_requests.append(request)
        await request.read()
        answer = self.answer(request.method, request.match_info["uri"])
        if answer is None:
            await asyncio.sleep(60)
            return web.Response()
        status, body = answer
        return web.Response(status=status) if body is None else web.json_response(body, status=status)

    def _is_allowed(self, request: web.Request) -> bool:
        return request.headers["Authorization"] == "Basic " + b64encode(b"callrace:secret").decode()


def response(request_id: str, status: int, body: object = None) -> dict[str, object]:
    """An answer over a WebSocket, in Asterisk's form."""
    answer: dict[str, object] = {
        "type": "RESTResponse",
        "transaction_id": "",
        "request_id": request_id,
        "status_code": status,
        "reason_phrase": "Reason",
        "uri": "",
    }
    if body is not None:
        answer |= {"content_type": "application/json", "message_body": json.dumps(body)}
    return answer


@asynccontextmanager
async def fake_asterisk() -> AsyncIterator[FakeAsterisk]:
    """A server on its own port, while the block lasts."""
    server = FakeAsterisk()
    app = web.Application()
    app.router.add_get("/ari/events", server.events)
    app.router.add_route("*", "/ari/{uri:.*}", server.http)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.settings = replace(server.settings, port=runner.addresses[0][1], connect_timeout_s=1)
    try:
        yield server
    finally:
        await runner.cleanup()
