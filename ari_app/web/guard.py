"""What stands before every handler: limits, origin, time; and what every answer carries. Pure ASGI: streams pass.

A handler that is too late is answered for, and its thread ends by itself: each use case waits for the database no
longer than its connection allows.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from asyncio import FIRST_COMPLETED
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ari_app.web import accesslog, errors, limits, origin
from ari_app.web.headers import completed
from ari_app.web.limits import body_complaint, host_complaint
from ari_app.web.problems import Problem, of_status
from ari_app.web.state import Web

log = logging.getLogger(__name__)
_ALWAYS_ANSWERED = "/healthz"


class Guard:
    """The ASGI application around the app."""

    def __init__(self, app: ASGIApp, web: Web) -> None:
        self._app = app
        self._web = web
        self._at_work: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the life of the server."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["callrace.request"] = secrets.token_hex(8)
        began, sending = time.monotonic(), _Sending(send, self._web.is_https, scope)
        try:
            problem = self._refusal(scope)
            if problem is None:
                await self._serve(scope, receive, sending)
            else:
                await self._tell(problem, scope, receive, sending)
        finally:
            accesslog.line(scope, sending.status, round(1000 * (time.monotonic() - began)))

    def _refusal(self, scope: Scope) -> Problem | None:
        """Why nobody looks at the request."""
        headers = Headers(scope=scope)
        if scope["path"] != _ALWAYS_ANSWERED and (why := host_complaint(headers, self._web.hosts)):
            return of_status(421, why)
        if why := body_complaint(headers):
            return of_status(413, why)
        if why := origin.complaint(scope["method"], headers, self._web.origins):
            return of_status(403, why, code="wrong_origin")
        if len(self._at_work) >= limits.AT_WORK:
            return of_status(503, "too much is asked at this moment: try again", {"retry-after": "1"})
        return None

    async def _serve(self, scope: Scope, receive: Receive, sending: _Sending) -> None:
        """Has the app answer; answers for it when it is too late."""
        task = asyncio.create_task(self._answer(scope, _Receiving(receive), sending))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        sending.begun.add_done_callback(lambda _: self._at_work.discard(task))
        try:
            await asyncio.wait({task, sending.begun}, timeout=limits.ANSWER_S, return_when=FIRST_COMPLETED)
            if task.done() or sending.begun.done():
                await task
                return
            sending.mute()  # the thread that is at work is not ended from here
            late = of_status(504, "this took too long, and may still be done")
            await self._tell(late, scope, receive, sending.again())
        except asyncio.CancelledError:  # the server ends
            task.cancel()
            raise

    async def _answer(self, scope: Scope, receive: Receive, sending: _Sending) -> None:
        try:
            await self._app(scope, receive, sending)
        except TimeoutError:
            log.info("%s: the client takes its answer too slowly", errors.request_id(scope))
        except Exception as error:
            # `errors` has answered it, where the answer had not begun.
            log.error("%s failed: %r", errors.request_id(scope), error, exc_info=error)

    async def _tell(self, problem: Problem, scope: Scope, receive: Receive, sending: _Sending) -> None:
        told = errors.as_json(self._web, problem, errors.request_id(scope))
        told.headers["connection"] = "close"  # what else it sends is not read
        await told(scope, receive, sending)


class _Sending:
    """Sends an answer: with the headers that every one carries, and only while the client takes it.

    Raises TimeoutError when the client does not.
    """

    def __init__(self, send: Send, is_https: bool, scope: Scope) -> None:
        self._send = send
        self._is_https = is_https
        self._scope = scope
        self._is_muted = False
        self.status: int | None = None
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def mute(self) -> None:
        """From now on nothing is sent."""
        self._is_muted = True

    def again(self) -> _Sending:
        """A new one to the same client."""
        return _Sending(self._send, self._is_https, self._scope)

    async def __call__(self, message: Message) -> None:
        if self._is_muted:
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = [*message.get("headers", ()), *_raw(self._scope.get("callrace.headers", {}))]
            message = {**message, "headers": completed(given, is_https=self._is_https)}
            if not self.begun.done():
                self.begun.set_result(None)
        async with asyncio.timeout(limits.SEND_S):
            await self._send(message)


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


class _Receiving:
    """Receives a request's body: no more than the limit, in bounded time.

    Raises HTTPException, which becomes an answer.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._left = limits.BODY_BYTES
        self._until = asyncio.get_running_loop().time() + limits.BODY_S
        self._is_whole = False

    async def __call__(self) -> Message:
        if self._is_whole:
            return await self._receive()  # returns when the client goes
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError as error:
            raise HTTPException(408, "the body came too slowly") from error
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(413, limits.TOO_LARGE)
        self._is_whole = not message.get("more_body", False)
        return message
