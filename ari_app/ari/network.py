"""The real transport: aiohttp to an Asterisk."""

from __future__ import annotations

import base64
import logging
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp

from ari_app.ari.errors import AriTimeout
from ari_app.ari.http import HttpLanes
from ari_app.ari.settings import AriSettings
from ari_app.ari.transport import Request, Response, may_be_long
from ari_app.ari.websocket import WebSocketEvents, WebSocketLanes, connect_websocket

log = logging.getLogger(__name__)

PROBE = Request("GET", "asterisk/ping")


class NetworkTransport:
    """Requests over WebSocket lanes, or over HTTP if Asterisk does not answer on a WebSocket.

    A request whose answer may be long always goes over HTTP (`may_be_long`).
    """

    def __init__(self, settings: AriSettings, *, is_http_only: bool = False) -> None:
        self._settings = settings
        self._is_http_only = is_http_only
        self._http: aiohttp.ClientSession | None = None
        self._lanes: WebSocketLanes | HttpLanes | None = None
        self._long: HttpLanes | None = None

    async def open(self, on_replaced: Callable[[], None]) -> None:
        """Waits until requests can be sent. Raises AriUnavailable or Unauthorized."""
        if self._lanes is None:
            await self._choose(on_replaced)
        else:
            await self._lanes.open()

    def request(self, lane: int, request: Request) -> Coroutine[Any, Any, Response]:
        """Asterisk's answer. Raises AriUnavailable, AriTimeout or AriOverload."""
        assert self._lanes is not None and self._long is not None, "open() comes first"
        return (self._long if may_be_long(request) else self._lanes).request(lane, request)

    def waiting(self) -> int:
        """How many requests are not answered yet."""
        return self._lanes.waiting() if self._lanes is not None else 0

    async def events(self) -> WebSocketEvents:
        """Connects as the application. Raises AriUnavailable or Unauthorized."""
        settings = self._settings
        socket = await connect_websocket(self._session(), settings, settings.app, autoping=False)
        return WebSocketEvents(socket, settings.heartbeat_s)

    async def close(self) -> None:
        """Ends every connection and task. May be called again."""
        if self._lanes is not None:
            await self._lanes.close()
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def _choose(self, on_replaced: Callable[[], None]) -> None:
        """Chooses WebSocket lanes if Asterisk answers a request on one: older versions never answer there."""
        self._long = HttpLanes(self._session(), self._settings)
        if not self._is_http_only:
            self._lanes = WebSocketLanes(self._session(), self._settings, on_replaced)
            await self._lanes.open()
            try:
                await self._lanes.request(0, PROBE)
                return
            except AriTimeout:
                log.warning("%s takes no requests over WebSocket; HTTP is slower", self._settings.url)
            await self._lanes.close()
        self._lanes = self._long

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            user = f"{self._settings.username}:{self._settings.password}"
            self._http = aiohttp.ClientSession(
                headers={"Authorization": "Basic " + base64.b64encode(user.encode()).decode()},
                # The lanes limit the requests themselves.
                connector=aiohttp.TCPConnector(limit=0, socket_factory=self._probing_socket),
            )
        return self._http

    def _probing_socket(self, address: aiohttp.AddrInfoType) -> socket.socket:
        """A connection that the kernel ends when the peer has vanished without closing it, see tcp(7)."""
        every_s = max(1, int(self._settings.heartbeat_s))
        family, kind, protocol, *_ = address
        made = socket.socket(family, kind, protocol)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (
            (socket.TCP_KEEPIDLE, every_s),
            (socket.TCP_KEEPINTVL, every_s),
            (socket.TCP_KEEPCNT, 1),
            (socket.TCP_USER_TIMEOUT, 2 * every_s * 1000),  # ms, for data sent and not acknowledged
        ):
            made.setsockopt(socket.IPPROTO_TCP, option, value)
        return made
