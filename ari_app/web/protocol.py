"""HTTP/1.1 for clients who are slow on purpose: uvicorn's, with a time for each request's headers.

uvicorn itself gives up only connections that are silent between two requests. One that never begins, or sends a letter
a minute, it would keep for ever.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

from ari_app.web.limits import HEADER_S


class Patient(H11Protocol):
    """A connection that is closed when no whole request has come within HEADER_S, from its beginning or the last."""

    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The client is there: the time for its first request begins."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A piece came; once all headers are there, the time is over."""
        super().data_received(data)
        self._stop_if_begun()

    def on_response_complete(self) -> None:
        """The time for the next request begins, unless it is there already."""
        super().on_response_complete()
        self._wait()
        self._stop_if_begun()

    def _wait(self) -> None:
        self._stop_waiting()
        self._due = self.loop.call_later(HEADER_S, self.transport.close)

    def _stop_if_begun(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()

    def _stop_waiting(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
