"""Metrics, health and readiness of a switch for other programs, over HTTP on loopback."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from ari_app.switch.app import Switch

log = logging.getLogger(__name__)

HOST = "127.0.0.1"


@asynccontextmanager
async def monitor(switch: Switch, port: int) -> AsyncIterator[None]:
    """Serves /metrics, /healthz and /readyz while the block lasts; does nothing when `port` is 0.

    If the port is in use, that is only logged: a switch without monitoring still serves its calls.
    """
    if port == 0:
        yield
        return
    runner = web.AppRunner(routes(switch), access_log=None)
    await runner.setup()
    lag = asyncio.create_task(switch.metrics.measure_lag(), name="loop-lag")
    try:
        try:
            await web.TCPSite(runner, HOST, port).start()
        except OSError as error:
            log.warning(
                "no metrics: cannot serve on %s:%d (%s); choose CALLRACE_METRICS_PORT",
                HOST,
                port,
                error.strerror,
            )
        yield
    finally:
        lag.cancel()
        await asyncio.wait([lag])
        await runner.cleanup()


def routes(switch: Switch) -> web.Application:
    """The three resources. /healthz: the process lives; /readyz: calls are served, or else 503 with the reasons."""
    switch.metrics.watch(switch.status)

    async def metrics(_: web.Request) -> web.Response:
        switch.tell()
        return web.Response(body=switch.metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        reasons = switch.not_ready()
        if not reasons:
            return web.Response(text="ready\n")
        return web.Response(status=503, text="".join(f"{reason}\n" for reason in reasons))

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics), web.get("/healthz", healthz), web.get("/readyz", readyz)])
    return app
