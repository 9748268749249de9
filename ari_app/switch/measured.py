"""A transport to Asterisk whose requests are timed and counted."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from ari_app.ari.errors import AriError
from ari_app.ari.transport import EventStream, Request, Response, Transport
from ari_app.switch.metrics import Metrics


class MeasuredTransport:
    """Passes everything to the transport inside, and counts it in the metrics."""

    def __init__(self, inside: Transport, metrics: Metrics) -> None:
        self._inside = inside
        self._metrics = metrics

    async def open(self, on_replaced: Callable[[], None]) -> None:
        """Waits until requests can be sent. Raises as the transport inside."""
        await self._inside.open(on_replaced)

    async def request(self, lane: int, request: Request) -> Response:
        """Asterisk's answer. Raises as the transport inside."""
        began = perf_counter()
        try:
            response = await self._inside.request(lane, request)
        except AriError as error:
            self._metrics.requests.failed(error)
            raise
        self._metrics.requests.answered(response.status, perf_counter() - began)
        return response

    def waiting(self) -> int:
        """How many requests Asterisk has not answered yet."""
        return self._inside.waiting()

    async def events(self) -> EventStream:
        """Connects as the application, and counts it. Raises as the transport inside."""
        stream = await self._inside.events()
        self._metrics.connections.inc()
        return stream

    async def close(self) -> None:
        """Ends every connection and task."""
        await self._inside.close()
