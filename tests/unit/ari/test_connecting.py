"""A client connects to Asterisk, or is told why not; over HTTP where WebSocket does not do."""

import asyncio
import json
import socket
from dataclasses import replace

import pytest

from ari_app.ari.client import connect, requests_only
from ari_app.ari.errors import AriOverload, AriTimeout, AriUnavailable, Unauthorized
from ari_app.ari.network import NetworkTransport
from ari_app.ari.transport import Request
from tests.unit.ari.fakes import event
from tests.unit.ari.server import PING, fake_asterisk, opened

# Connecting


async def test_a_wrong_password_is_said_so(server):
    transport = NetworkTransport(replace(server.settings, password="wrong"))

    with pytest.raises(Unauthorized, match="check the ARI user and password"):
        await transport.open(lambda: None)
    await transport.close()


async def test_nobody_listening_is_said_so():
    async with fake_asterisk() as gone:
        settings = gone.settings
    transport = NetworkTransport(settings)

    with pytest.raises(AriUnavailable, match="is Asterisk running"):
        await transport.open(lambda: None)
    await transport.close()


async def test_somebody_who_listens_and_says_nothing_is_not_waited_for_for_ever(server):
    silent = socket.create_server(("127.0.0.1", 0))
    port = silent.getsockname()[1]
    transport = NetworkTransport(replace(server.settings, port=port, connect_timeout_s=0.1))

    with pytest.raises(AriUnavailable, match="no answer"):
        await transport.open(lambda: None)
    await transport.close()
    silent.close()


async def test_a_server_without_ari_is_said_so(server):
    server.has_ari = False
    transport = NetworkTransport(server.settings)

    with pytest.raises(AriUnavailable, match=r"status 404.*with ARI on"):
        await transport.open(lambda: None)
    await transport.close()


async def test_lanes_that_cannot_connect_again_are_reported_after_a_bounded_time():
    async with fake_asterisk() as server:
        transport = await opened(replace(server.settings, connect_timeout_s=0.2))

    with pytest.raises(AriUnavailable, match="callrace-lane-0 is not connected"):
        while True:  # until the loss is noticed, all is well
            await transport.open(lambda: None)
            await asyncio.sleep(0)
    await transport.close()


# Over HTTP


@pytest.fixture
async def http_transport(server):
    server.takes_websocket_requests = False
    transport = await opened(replace(server.settings, request_timeout_s=0.2))
    yield transport
    await transport.close()


async def test_an_asterisk_that_takes_no_requests_over_websocket_is_asked_over_http(server, http_transport):
    server.answer = lambda method, uri: (200, {"id": "c1"})
    asked = Request("POST", "channels/a%2Fb", {"media": "sound:a&b"}, {"variables": {"A": "b"}})
    answer = await http_transport.request(0, asked)

    (sent,) = server.http_requests
    assert (sent.method, sent.raw_path.partition("?")[0]) == ("POST", "/ari/channels/a%2Fb")
    assert (dict(sent.query), json.loads(await sent.read())) == (
        {"media": "sound:a&b"},
        {"variables": {"A": "b"}},
    )
    assert (answer.status, answer.json()) == (200, {"id": "c1"})


async def test_a_whole_client_works_over_http(server):
    server.takes_websocket_requests = False
    async with connect(replace(server.settings, request_timeout_s=0.2), lambda start: None) as client:
        inbox = client.inbox()
        await client.channels.originate(inbox, "c1", "PJSIP/a")
        await server.connections["callrace"].send(event("StasisEnd"))

        assert (await inbox.get()).channel_id == "c1"


async def test_requests_of_a_lane_keep_their_order_over_http(server, http_transport):
    await asyncio.gather(*(http_transport.request(1, Request("GET", f"channels/{n}")) for n in range(20)))

    assert [sent.match_info["uri"] for sent in server.http_requests] == [f"channels/{n}" for n in range(20)]


async def test_a_request_over_http_times_out(server, http_transport):
    server.answer = lambda method, uri: None

    with pytest.raises(AriTimeout, match=r"no answer in 0\.2 s"):
        await http_transport.request(0, PING)


async def test_a_lane_over_http_is_bounded(server):
    server.takes_websocket_requests = False
    transport = await opened(replace(server.settings, request_timeout_s=0.2, lane_limit=1))
    waiting = asyncio.create_task(transport.request(0, PING))
    await asyncio.sleep(0)

    with pytest.raises(AriOverload):
        await transport.request(0, PING)
    await waiting
    await transport.close()


async def test_no_connection_over_http_is_said_so():
    async with fake_asterisk() as server:
        settings = server.settings
    async with requests_only(settings) as client:
        with pytest.raises(AriUnavailable, match="GET asterisk/ping: no connection"):
            await client.asterisk.ping()


async def test_looking_takes_over_nothing(server):
    async with requests_only(server.settings) as client:
        assert (await client.asterisk.get_info())["system"]["version"] == "22.10.1"

    assert server.connections == {}
