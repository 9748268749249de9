"""What the client needs from the network.

`NetworkTransport` is the real one; tests inject others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from ari_app.ari.errors import AriBadAnswer, AriOverload, AriTimeout, http_error


class Request(NamedTuple):
    """One ARI operation. `uri` is relative to /ari/ and quoted; `body` is sent as JSON."""

    method: str
    uri: str
    query: Mapping[str, str] | None = None
    body: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.uri}"


_LISTS = frozenset({"channels", "bridges", "endpoints", "sounds", "asterisk/modules"})


def may_be_long(request: Request) -> bool:
    """Whether the answer grows with the number of calls: a list, or an application with all its subscriptions.

    Such requests go over HTTP, where a long answer does no harm. The WebSocket of Asterisk 22.10.1 is made for short
    answers: Asterisk crashed when it listed hundreds of conversations on it (res_http_websocket).
    """
    return request.method == "GET" and (request.uri in _LISTS or request.uri.startswith("applications/"))


class Response(NamedTuple):
    """Asterisk's answer to `request`; `text` is its JSON body, empty if there is none."""

    request: Request
    status: int
    reason: str
    text: str

    def checked(self) -> Response:
        """Returns this response if Asterisk did what was asked. Raises an AriHttpError otherwise."""
        if 200 <= self.status < 300:
            return self
        raise http_error(self.status, self._message(), self.request.method, self.request.uri)

    def json(self) -> Any:
        """The body, parsed. Raises AriBadAnswer."""
        try:
            return json.loads(self.text)
        except ValueError as error:
            raise AriBadAnswer(
                f"{self.request}: not answered in JSON ({error}); is this Asterisk?"
            ) from error

    def _message(self) -> str:
        """Asterisk's own message, which says more than the HTTP reason."""
        try:
            said = json.loads(self.text)
        except ValueError:
            return self.reason
        if not isinstance(said, dict):
            return self.reason
        return str(said.get("message") or said.get("error") or self.reason)


def unanswered(request: Request, timeout_s: float) -> AriTimeout:
    """The error to raise when Asterisk has not answered in time."""
    return AriTimeout(f"{request}: no answer in {timeout_s:g} s; whether Asterisk did it is unknown")


def admit(request: Request, waiting: int, limit: int) -> None:
    """Raises AriOverload when `limit` requests are waiting on a lane.

    A DELETE always passes: without it, an object would stay in Asterisk for ever. There are never more DELETEs than
    objects that were made.
    """
    if waiting >= limit and request.method != "DELETE":
        raise AriOverload(f"{request}: not sent, {waiting} others wait on its lane; take fewer calls at once")


class EventStream(Protocol):
    """One connection on which Asterisk sends events."""

    @property
    def heard_at_ms(self) -> int:
        """When anything was last received from Asterisk, in milliseconds since the epoch."""

    async def receive(self) -> str:
        """The next message. Raises AriUnavailable when the connection has ended in any way."""

    async def close(self) -> None:
        """Ends the connection. May be called again."""


class Transport(Protocol):
    """Carries requests on numbered lanes, each strictly in order, and events on a separate stream."""

    async def open(self, on_replaced: Callable[[], None]) -> None:
        """Waits until requests can be sent. It is called before every event connection.

        `on_replaced` is called when another instance takes a lane. Raises AriUnavailable or
        Unauthorized.
        """

    async def request(self, lane: int, request: Request) -> Response:
        """Asterisk's answer. Raises AriUnavailable, AriTimeout or AriOverload."""

    def waiting(self) -> int:
        """How many requests, of all lanes, Asterisk has not answered yet."""

    async def events(self) -> EventStream:
        """Connects as the application. Raises AriUnavailable or Unauthorized."""

    async def close(self) -> None:
        """Ends every connection and task. May be called again."""
