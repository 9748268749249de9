"""An application that is connected while something is so."""

import asyncio
from contextlib import asynccontextmanager, suppress

from ari_app.ari.presence import keep_present
from tests.unit.ari.fakes import WHEN
from tests.unit.ari.server import fake_asterisk

APP = "callrace-ready"
CHANNEL = {"id": "1763900000.1", "name": "PJSIP/ready-00000001"}
ENTERED = {"type": "StasisStart", "timestamp": WHEN, "application": APP, "args": [], "channel": CHANNEL}


@asynccontextmanager
async def present(server, is_so):
    task = asyncio.create_task(keep_present(server.settings, APP, is_so))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(is_so):
    async with asyncio.timeout(5):
        while not is_so():
            await asyncio.sleep(0.01)


async def test_it_is_connected_from_when_something_is_so_until_it_is_no_more():
    truth = False
    async with fake_asterisk() as server, present(server, lambda: truth):
        truth = True
        connection = await server.wait_connected(APP)
        truth = False
        await until(lambda: connection.socket.closed)


async def test_it_connects_again_when_the_connection_breaks_or_asterisk_is_not_there():
    async with fake_asterisk() as server, present(server, lambda: True):
        first = await server.wait_connected(APP)
        server.has_ari = False
        first.abort()
        await server.refused.wait()
        server.has_ari = True
        async with asyncio.timeout(5):
            second = await server.wait_connected(APP)
        assert second is not first


async def test_a_channel_that_enters_all_the_same_is_hung_up():
    async with fake_asterisk() as server, present(server, lambda: True):
        connection = await server.wait_connected(APP)
        await connection.send({"type": "ChannelVarset", "timestamp": WHEN, "application": APP})
        await connection.send(ENTERED)
        await until(lambda: server.http_requests)
        [request] = server.http_requests
        assert (request.method, request.path_qs) == ("DELETE", "/ari/channels/1763900000.1?reason=congestion")
