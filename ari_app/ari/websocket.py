"""Requests and events over Asterisk's WebSocket.

A lane is one WebSocket for requests. Asterisk carries out its requests strictly one after another, so the requests of
one call keep their order; with several lanes, calls do not wait for each other. Each lane is its own application, which
no channel ever enters.

A lane reconnects by itself; requests made meanwhile wait for that. When the connection is lost, a request under way
fails with AriUnavailable, except GET and DELETE: they may be done twice, and are sent again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any, NamedTuple

import aiohttp
import orjson

from ari_app.ari.attempts import Attempts
from ari_app.ari.backoff import delays
from ari_app.ari.errors import AriError, AriUnavailable, Unauthorized
from ari_app.ari.events import now_ms
from ari_app.ari.settings import AriSettings
from ari_app.ari.transport import Request, Response, admit, unanswered

log = logging.getLogger(__name__)

LARGEST_MESSAGE = 16 * 1024 * 1024
MAY_BE_REPEATED = ("GET", "DELETE")


async def connect_websocket(
    http: aiohttp.ClientSession, settings: AriSettings, app: str, *, autoping: bool = True
) -> aiohttp.ClientWebSocketResponse:
    """A WebSocket of the application `app`. Raises AriUnavailable or Unauthorized.

    aiohttp's heartbeat is off: it would add a fifth to the cost of each message.
    """
    url = f"{settings.url}/events"
    try:
        async with asyncio.timeout(settings.connect_timeout_s):
            return await http.ws_connect(
                url, params={"app": app}, autoping=autoping, max_msg_size=LARGEST_MESSAGE
            )
    except aiohttp.WSServerHandshakeError as error:
        if error.status in (401, 403):
            raise Unauthorized(error.status, error.message, "GET", f"events?app={app}") from error
        raise unreachable(url, app, f"status {error.status}") from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise unreachable(url, app, str(error) or "no answer") from error


def unreachable(url: str, app: str, why: str) -> AriUnavailable:
    """The error to raise when a WebSocket cannot be connected."""
    return AriUnavailable(f"cannot connect to {url} as {app} ({why}); is Asterisk running, with ARI on?")


class WebSocketEvents:
    """The application's own WebSocket: it carries events only.

    A ping is sent to Asterisk every `heartbeat_s`; without an answer the connection is ended.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, heartbeat_s: float) -> None:
        """`socket` must be set to leave pings and pongs to us."""
        self._socket = socket
        self._is_alive = True
        self.heard_at_ms = now_ms()
        self._heart = asyncio.create_task(self._beat(heartbeat_s))

    async def receive(self) -> str:
        """The next message. Raises AriUnavailable when the connection has ended, cleanly or not."""
        while True:
            message = await self._socket.receive()
            if message.type is aiohttp.WSMsgType.PING:
                await self._socket.pong(message.data)
            elif message.type is not aiohttp.WSMsgType.PONG:
                text = _text(self._socket, message)
                self._hear()
                return text
            self._hear()

    def _hear(self) -> None:
        self._is_alive = True
        self.heard_at_ms = now_ms()

    async def _beat(self, every_s: float) -> None:
        while self._is_alive and not self._socket.closed:
            self._is_alive = False
            try:
                await self._socket.ping()
            except (ConnectionError, aiohttp.ClientError):
                return  # the connection has ended; the reader notices it
            await asyncio.sleep(every_s)
        await self._socket.close()

    async def close(self) -> None:
        """Ends the connection."""
        self._heart.cancel()
        await asyncio.wait([self._heart])
        await self._socket.close()


def _text(socket: aiohttp.ClientWebSocketResponse, message: aiohttp.WSMessage) -> str:
    """The text of a message. Raises AriUnavailable for a message that ends the connection."""
    if message.type is aiohttp.WSMsgType.TEXT:
        return str(message.data)
    raise AriUnavailable(
        f"Asterisk's WebSocket ended (code {socket.close_code}, {socket.exception() or message.type.name})"
    )


class _Lost(AriUnavailable):
    """The connection ended while a request was under way."""


class _Waiting(NamedTuple):
    """A request without an answer, and its deadline (in the loop's time)."""

    request: Request
    answer: asyncio.Future[Response]
    due: float


class Lane:
    """One WebSocket for requests, carried out in order."""

    def __init__(
        self, http: aiohttp.ClientSession, settings: AriSettings, number: int, on_replaced: Callable[[], None]
    ) -> None:
        self.app = f"{settings.app}-lane-{number}"
        self._http = http
        self._settings = settings
        self._on_replaced = on_replaced
        self._attempts = Attempts()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._waiting: dict[str, _Waiting] = {}  # the oldest first
        self._alarm: asyncio.TimerHandle | None = None
        self._ids = count()
        self._is_open = asyncio.Event()
        self._is_closed = False
        self._held = 0  # requests that wait until the lane is connected again
        self._keeper: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Returns when the lane is connected. Raises AriUnavailable or Unauthorized."""
        if self._keeper is None:
            await self._connect()
            self._keeper = asyncio.create_task(self._keep_open(), name=self.app)
            return
        try:
            async with asyncio.timeout(self._settings.connect_timeout_s):
                await self._is_open.wait()
        except TimeoutError as error:
            raise AriUnavailable(f"{self.app} is not connected; is Asterisk running?") from error

    @property
    def waiting(self) -> int:
        """How many requests have no answer yet."""
        return len(self._waiting) + self._held

    async def request(self, request: Request) -> Response:
        """Asterisk's answer. Raises AriUnavailable, AriTimeout or AriOverload."""
        try:
            return await self._ask(request)
        except _Lost:
            if request.method not in MAY_BE_REPEATED:
                raise
        return await self._ask(request)

    async def _ask(self, request: Request) -> Response:
        if self._socket is None:
            await self._connected_again(request)
        admit(request, len(self._waiting), self._settings.lane_limit)
        socket = self._socket
        assert socket is not None
        request_id = str(next(self._ids))
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Response] = loop.create_future()
        due = loop.time() + self._settings.request_timeout_s
        self._waiting[request_id] = _Waiting(request, answer, due)
        if self._alarm is None:
            self._alarm = loop.call_at(due, self._give_up, loop)
        try:
            await socket.send_str(encode(request_id, request))
            return await answer
        except (ConnectionError, aiohttp.ClientError) as error:
            raise self._lost(request) from error
        finally:
            del self._waiting[request_id]

    async def _connected_again(self, request: Request) -> None:
        """Waits until the lane is connected, at most as long as for an answer. Raises AriUnavailable or AriOverload."""
        admit(request, self._held, self._settings.lane_limit)
        self._held += 1
        try:
            async with asyncio.timeout(self._settings.request_timeout_s):
                while self._socket is None and not self._is_closed:
                    await self._is_open.wait()
        except TimeoutError as error:
            raise self._not_connected(request) from error
        finally:
            self._held -= 1
        if self._socket is None:
            raise self._not_connected(request)

    def _not_connected(self, request: Request) -> AriUnavailable:
        return AriUnavailable(f"{request}: {self.app} is not connected; is Asterisk running?")

    def _give_up(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ends requests past their deadline. One timer serves all: one each would cost half as much as sending."""
        self._alarm = None
        for request, answer, due in self._waiting.values():
            if due > loop.time():
                self._alarm = loop.call_at(due, self._give_up, loop)
                return
            if not answer.done():
                answer.set_exception(unanswered(request, self._settings.request_timeout_s))

    async def close(self) -> None:
        """Ends the connection and every request under way. May be called again."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        if self._alarm is not None:
            self._alarm.cancel()
        await self._disconnect()
        self._is_closed = True
        self._is_open.set()  # wakes requests that wait for the connection, so that they fail

    async def _keep_open(self) -> None:
        """Reads answers, and reconnects whenever the connection ends. Runs until cancelled."""
        waits = delays()
        while True:
            try:
                await self._connect()
                waits = delays()
                await self._read()
            except AriError as error:
                # Only the loss is logged, not each failed attempt to reconnect.
                if self._socket is None:
                    self._attempts.failed()
                    log.info("%s: %s", self.app, error)
                else:
                    log.warning("%s: %s", self.app, error)
            await self._disconnect()
            await asyncio.sleep(next(waits))

    async def _connect(self) -> None:
        if self._socket is None:
            # Asterisk answers no ping on a lane while it carries out a request, so TCP checks that the peer is alive.
            self._socket = await connect_websocket(self._http, self._settings, self.app)
            self._is_open.set()

    async def _disconnect(self) -> None:
        self._is_open.clear()
        socket, self._socket = self._socket, None
        for request, answer, _ in self._waiting.values():
            if not answer.done():
                answer.set_exception(self._lost(request))
        if socket is not None:
            await socket.close()

    async def _read(self) -> None:
        """Passes each answer to its request. Raises AriUnavailable when the connection ends."""
        socket = self._socket
        assert socket is not None
        while True:
            text = _text(socket, await socket.receive())
            try:
                self._take_in(orjson.loads(text))
            except (KeyError, TypeError, ValueError) as error:
                log.warning("%s: dropped an answer that makes no sense (%r): %.200s", self.app, error, text)

    def _take_in(self, message: dict[str, Any]) -> None:
        if message["type"] == "ApplicationReplaced":
            self._attempts.replaced()
            self._on_replaced()
        elif message["type"] == "RESTResponse":
            # An answer that comes after its request has timed out is dropped.
            waiting = self._waiting.get(message["request_id"])
            if waiting is not None and not waiting.answer.done():
                status, reason = message["status_code"], message["reason_phrase"]
                text = message.get("message_body", "")
                waiting.answer.set_result(Response(waiting.request, status, reason, text))

    def _lost(self, request: Request) -> AriUnavailable:
        return _Lost(f"{request}: {self.app} was lost; whether Asterisk did it is unknown")


def encode(request_id: str, request: Request) -> str:
    """A request as a WebSocket message."""
    message: dict[str, Any] = {
        "type": "RESTRequest",
        "request_id": request_id,
        "method": request.method,
        "uri": request.uri,
    }
    if request.query:
        message["query_strings"] = [{"name": name, "value": value} for name, value in request.query.items()]
    if request.body is not None:
        message["content_type"] = "application/json"
        message["message_body"] = orjson.dumps(request.body).decode()
    return orjson.dumps(message).decode()


class WebSocketLanes:
    """All lanes for requests."""

    def __init__(self, http: aiohttp.ClientSession, settings: AriSettings, on_replaced: Callable[[], None]):
        self._lanes = [Lane(http, settings, number, on_replaced) for number in range(settings.lanes)]

    async def open(self) -> None:
        """Returns when every lane is connected. Raises AriUnavailable or Unauthorized."""
        for lane in self._lanes:
            await lane.open()

    def request(self, lane: int, request: Request) -> Coroutine[Any, Any, Response]:
        """Asterisk's answer. Raises AriUnavailable, AriTimeout or AriOverload."""
        return self._lanes[lane].request(request)

    def waiting(self) -> int:
        """How many requests have no answer yet."""
        return sum(lane.waiting for lane in self._lanes)

    async def close(self) -> None:
        """Ends every lane. May be called again."""
        await asyncio.gather(*(lane.close() for lane in self._lanes))
