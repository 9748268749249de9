"""Requests over HTTP, for an Asterisk that does not accept them over a WebSocket.

It is slower (0.28 ms a request instead of 0.15), with the same guarantee: a lane carries one request at a time, in the
order in which they were made.
"""

from __future__ import annotations

import asyncio

import aiohttp

from ari_app.ari.errors import AriUnavailable
from ari_app.ari.settings import AriSettings
from ari_app.ari.transport import Request, Response, admit, unanswered


class HttpLanes:
    """Lanes that share a pool of HTTP connections."""

    def __init__(self, http: aiohttp.ClientSession, settings: AriSettings) -> None:
        self._http = http
        self._settings = settings
        self._turns = [asyncio.Lock() for _ in range(settings.lanes)]
        self._waiting = [0] * settings.lanes

    async def open(self) -> None:
        """Does nothing: HTTP connects with each request."""

    async def request(self, lane: int, request: Request) -> Response:
        """Asterisk's answer. Raises AriUnavailable, AriTimeout or AriOverload."""
        admit(request, self._waiting[lane], self._settings.lane_limit)
        self._waiting[lane] += 1
        try:
            async with asyncio.timeout(self._settings.request_timeout_s), self._turns[lane]:
                return await self._send(request)
        except TimeoutError as error:
            raise unanswered(request, self._settings.request_timeout_s) from error
        except (aiohttp.ClientError, OSError) as error:
            raise AriUnavailable(f"{request}: no connection to {self._settings.url} ({error})") from error
        finally:
            self._waiting[lane] -= 1

    def waiting(self) -> int:
        """How many requests are not answered yet."""
        return sum(self._waiting)

    async def close(self) -> None:
        """Does nothing: the connections belong to the session."""

    async def _send(self, request: Request) -> Response:
        url = f"{self._settings.url}/{request.uri}"
        async with self._http.request(request.method, url, params=request.query, json=request.body) as answer:
            return Response(request, answer.status, answer.reason or "", await answer.text())
