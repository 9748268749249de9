"""The real transport, against a server on loopback that misbehaves in every way we know."""

import asyncio
import json
from dataclasses import replace

import aiohttp
import pytest

from ari_app.ari.client import connect
from ari_app.ari.errors import AriOverload, AriReplaced, AriTimeout, AriUnavailable
from ari_app.ari.events import Disconnected, Reconnected
from ari_app.ari.network import NetworkTransport
from ari_app.ari.transport import Request
from ari_app.ari.websocket import Lane
from tests.unit.ari.fakes import SETTINGS, WHEN, event
from tests.unit.ari.server import PING, fake_asterisk, opened, response


@pytest.fixture
async def transport(server):
    transport = NetworkTransport(server.settings)
    await transport.open(lambda: None)
    server.requests.clear()
    while not server.received.empty():
        server.received.get_nowait()
    yield transport
    await transport.close()


# Lanes


async def test_a_request_and_its_answer_go_over_the_websocket_of_its_lane(server, transport):
    server.answer = lambda method, uri: (200, {"id": "c1"})
    asked = Request(
        "POST", "channels/c1", {"endpoint": "PJSIP/a", "app": "callrace"}, {"variables": {"A": "b"}}
    )
    answer = await transport.request(1, asked)

    (sent,) = server.requests
    assert (sent["lane"], sent["type"], sent["method"], sent["uri"]) == (
        "callrace-lane-1",
        "RESTRequest",
        "POST",
        "channels/c1",
    )
    assert sent["query_strings"] == [
        {"name": "endpoint", "value": "PJSIP/a"},
        {"name": "app", "value": "callrace"},
    ]
    assert (sent["content_type"], json.loads(sent["message_body"])) == (
        "application/json",
        {"variables": {"A": "b"}},
    )
    assert (answer.status, answer.json()) == (200, {"id": "c1"})


@pytest.mark.parametrize(
    "uri", ["channels", "bridges", "applications/callrace", "sounds", "asterisk/modules"]
)
async def test_what_may_have_a_long_answer_is_asked_over_http(server, transport, uri):
    """Asterisk does not survive one over a WebSocket."""
    server.answer = lambda method, uri: (200, [{"id": "c" * 600}] * 4_000)
    answer = await transport.request(1, Request("GET", uri))
    assert len(answer.text) > 2_000_000
    assert ([str(one.rel_url) for one in server.http_requests], server.requests) == ([f"/ari/{uri}"], [])


async def test_requests_of_a_lane_are_sent_in_the_order_in_which_they_were_made(server, transport):
    await asyncio.gather(*(transport.request(0, Request("GET", f"channels/{n}")) for n in range(50)))

    assert [sent["uri"] for sent in server.requests] == [f"channels/{n}" for n in range(50)]


async def test_answers_find_their_requests_in_whatever_order_they_come(server, transport):
    server.answer = lambda method, uri: None
    asked = [asyncio.create_task(transport.request(0, Request("GET", f"channels/{n}"))) for n in range(3)]
    sent = [await server.received.get() for _ in asked]
    for request in reversed(sent):
        await server.connections["callrace-lane-0"].send(response(request["request_id"], 200, request["uri"]))

    assert [answer.json() for answer in await asyncio.gather(*asked)] == [f"channels/{n}" for n in range(3)]


@pytest.mark.parametrize(
    "nonsense",
    [
        "{",
        "[]",
        {"type": "RESTResponse"},
        response("", 400),
        response("no such request", 200),
        {"type": "StasisStart"},
        {"type": "RESTResponse", "request_id": []},
    ],
)
async def test_an_answer_that_makes_no_sense_is_dropped(server, transport, nonsense):
    await server.connections["callrace-lane-0"].send(nonsense)

    assert (await transport.request(0, PING)).status == 204


async def test_an_incomplete_answer_leaves_its_request_to_time_out(server):
    transport = await opened(replace(server.settings, request_timeout_s=0.1))
    server.answer = lambda method, uri: None
    asked = asyncio.create_task(transport.request(0, PING))
    while (sent := await server.received.get())["uri"] != "asterisk/ping" or len(server.requests) < 2:
        pass
    await server.connections["callrace-lane-0"].send(
        {"type": "RESTResponse", "request_id": sent["request_id"], "status_code": 200}
    )

    with pytest.raises(AriTimeout):
        await asked
    await transport.close()


async def test_a_request_that_is_not_answered_times_out_and_its_late_answer_harms_nobody(server):
    transport = await opened(replace(server.settings, request_timeout_s=0.1))
    server.answer = lambda method, uri: None
    with pytest.raises(AriTimeout, match=r"POST channels/c1/answer: no answer in 0\.1 s"):
        await transport.request(0, Request("POST", "channels/c1/answer"))

    await server.connections["callrace-lane-0"].send(response(server.requests[-1]["request_id"], 204))
    server.answer = server.usual_answer
    assert (await transport.request(0, Request("GET", "asterisk/info"))).status == 200
    await transport.close()


async def test_a_lane_takes_a_bounded_number_of_requests_at_once(server):
    transport = await opened(replace(server.settings, lane_limit=2))
    server.answer = lambda method, uri: None
    waiting = [asyncio.create_task(transport.request(0, PING)) for _ in range(2)]
    await asyncio.sleep(0)

    with pytest.raises(AriOverload, match="2 others wait"):
        await transport.request(0, PING)
    await transport.close()
    await asyncio.wait(waiting)
    assert all(isinstance(task.exception(), AriUnavailable) for task in waiting)


async def test_what_ends_a_thing_is_sent_however_many_requests_wait(server):
    transport = await opened(replace(server.settings, lane_limit=1))
    server.answer = lambda method, uri: None if method == "GET" else (204, None)
    waiting = asyncio.create_task(transport.request(0, PING))
    await asyncio.sleep(0)
    assert transport.waiting() == 1

    assert (await transport.request(0, Request("DELETE", "bridges/b1"))).status == 204
    await transport.close()
    await asyncio.wait([waiting])
    assert transport.waiting() == 0


async def test_a_cancelled_request_makes_room_for_another(server):
    transport = await opened(replace(server.settings, lane_limit=1))
    server.answer = lambda method, uri: None
    waiting = asyncio.create_task(transport.request(0, PING))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    server.answer = server.usual_answer

    assert (await transport.request(0, PING)).status == 204
    await transport.close()


@pytest.mark.parametrize("is_clean", [True, False])
async def test_a_lane_that_is_lost_fails_its_requests_and_connects_again(server, transport, is_clean):
    server.answer = lambda method, uri: None
    waiting = asyncio.create_task(transport.request(0, Request("POST", "channels/c1/answer")))
    await server.received.get()
    lane = server.connections["callrace-lane-0"]
    while not server.connected.empty():
        server.connected.get_nowait()
    if is_clean:
        await lane.close()
    else:
        lane.abort()

    with pytest.raises(AriUnavailable, match="POST channels/c1/answer: callrace-lane-0 was lost"):
        await waiting
    server.answer = server.usual_answer
    await server.wait_connected("callrace-lane-0")
    await transport.open(lambda: None)
    assert (await transport.request(0, PING)).status == 204


async def test_a_lane_replaced_by_its_own_late_attempt_connects_again(server):
    replaced = []
    transport = NetworkTransport(server.settings)
    await transport.open(lambda: replaced.append(True))
    await server.wait_connected("callrace-lane-0")
    server.has_ari = False
    server.refused.clear()
    await server.connections["callrace-lane-0"].close()
    await asyncio.wait_for(server.refused.wait(), 5)
    server.has_ari = True
    lane = await server.wait_connected("callrace-lane-0")
    await lane.send({"type": "ApplicationReplaced", "timestamp": WHEN, "application": lane.app})
    await server.wait_connected("callrace-lane-0")
    assert (await transport.request(0, PING)).status == 204
    assert replaced == []
    await transport.close()


async def lose_lane(server, transport):
    """Returns when the first lane has noticed that its connection has ended."""
    server.answer = lambda method, uri: None
    waiting = asyncio.create_task(transport.request(0, Request("POST", "channels/c1/answer")))
    await server.received.get()
    await server.connections["callrace-lane-0"].close()
    with pytest.raises(AriUnavailable):
        await waiting
    server.answer = server.usual_answer


async def test_requests_on_a_lane_that_is_down_wait_until_it_is_connected_again_in_their_order(
    server, transport
):
    await lose_lane(server, transport)
    server.requests.clear()

    answers = await asyncio.gather(*(transport.request(0, Request("POST", f"r/{n}")) for n in range(3)))
    assert [answer.status for answer in answers] == [204, 204, 204]
    assert [request["uri"] for request in server.requests] == ["r/0", "r/1", "r/2"]


async def test_a_lane_that_stays_down_is_waited_for_no_longer_than_for_an_answer():
    async with fake_asterisk() as server:
        transport = await opened(replace(server.settings, request_timeout_s=0.2))
        await lose_lane(server, transport)
        server.has_ari = False
        with pytest.raises(AriUnavailable, match="POST r: callrace-lane-0 is not connected"):
            await transport.request(0, Request("POST", "r"))
        assert transport.waiting() == 0
        await transport.close()


async def test_a_lane_that_is_down_lets_a_bounded_number_wait_and_closing_ends_them(server):
    transport = await opened(replace(server.settings, lane_limit=2))
    await lose_lane(server, transport)
    server.has_ari = False
    waiting = [asyncio.create_task(transport.request(0, Request("POST", "r"))) for _ in range(2)]
    await asyncio.sleep(0)
    assert transport.waiting() == 2

    with pytest.raises(AriOverload, match="2 others wait"):
        await transport.request(0, Request("POST", "r"))
    await transport.close()
    await asyncio.wait(waiting, timeout=1)
    assert all(isinstance(task.exception(), AriUnavailable) for task in waiting)


async def test_what_ends_or_asks_a_thing_is_sent_again_when_its_lane_was_lost(server, transport):
    server.answer = lambda method, uri: None
    ending = asyncio.create_task(transport.request(0, Request("DELETE", "channels/c1")))
    await server.received.get()
    await server.connections["callrace-lane-0"].close()
    server.answer = server.usual_answer

    assert (await ending).status == 204
    assert [str(request["uri"]) for request in server.requests] == ["channels/c1", "channels/c1"]


async def test_a_request_that_cannot_be_sent_says_so():
    class BrokenPipe:
        async def send_str(self, text):
            raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")

        async def receive(self):
            await asyncio.Event().wait()

        async def close(self):
            pass

    class Session:
        async def ws_connect(self, url, **options):
            return BrokenPipe()

    lane = Lane(Session(), SETTINGS, 0, lambda: None)
    await lane.open()

    with pytest.raises(AriUnavailable, match="POST r: callrace-lane-0 was lost"):
        await lane.request(Request("POST", "r"))
    await lane.close()


async def test_one_lost_lane_leaves_the_others_alone(server, transport):
    await server.connections["callrace-lane-0"].close()

    assert (await transport.request(1, PING)).status == 204


async def test_closing_leaves_no_task_and_may_be_repeated(server):
    before = asyncio.all_tasks()
    transport = await opened(server.settings)
    await transport.close()
    await transport.close()

    assert {task for task in asyncio.all_tasks() - before if "lane" in task.get_name()} == set()


# Events


@pytest.mark.parametrize("is_clean", [True, False])
async def test_events_that_end_are_a_disconnection_however_they_end(server, is_clean):
    async with connect(server.settings, lambda start: None) as client:
        inbox = client.inbox()
        client.watch(inbox, "c1")
        connection = server.connections["callrace"]
        if is_clean:
            await connection.close()
        else:
            connection.abort()

        assert [type(await inbox.get()) for _ in range(2)] == [Disconnected, Reconnected]
        await server.connections["callrace"].send(event("StasisEnd"))
        assert (await inbox.get()).channel_id == "c1"


async def test_a_peer_that_answers_no_ping_is_a_disconnection(server):
    server.answers_pings = False
    async with connect(replace(server.settings, heartbeat_s=0.1), lambda start: None) as client:
        assert isinstance(await client.inbox().get(), Disconnected)


async def test_a_second_instance_stops_the_first(server):
    async with (
        connect(server.settings, lambda start: None) as first,
        connect(server.settings, lambda start: None) as second,
    ):
        with pytest.raises(AriReplaced):
            await first.run()
        assert second.connected
        await second.asterisk.ping()
