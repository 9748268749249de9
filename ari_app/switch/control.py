"""The control socket: the CLI asks a running switch, over HTTP with JSON on a Unix socket.

Only the user who runs the switch may open it (mode 0600).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from ari_app.switch.app import Switch


@asynccontextmanager
async def control_socket(switch: Switch, path: Path) -> AsyncIterator[None]:
    """Serves GET /status, GET /live, POST /drain and POST /renew-journal at `path` while the block lasts."""

    async def status(_: web.Request) -> web.Response:
        return web.json_response(switch.status())

    async def live(_: web.Request) -> web.Response:
        return web.json_response(switch.live())

    async def drain(_: web.Request) -> web.Response:
        switch.take_no_more()
        return web.json_response(switch.status())

    async def renew_journal(_: web.Request) -> web.Response:
        switch.renew_journal()
        return web.json_response(switch.status())

    app = web.Application()
    app.add_routes(
        [
            web.get("/status", status),
            web.get("/live", live),
            web.post("/drain", drain),
            web.post("/renew-journal", renew_journal),
        ]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    path.unlink(missing_ok=True)
    try:
        await web.UnixSite(runner, str(path)).start()
        path.chmod(0o600)
        yield
    finally:
        await runner.cleanup()
        path.unlink(missing_ok=True)
