"""The server among clients that are slow, mad, or gone: each has a limit, none holds up another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from agi.conversation import Request
from agi.server import Limits, Server
from tests.unit.agi.asterisk import Asterisk, ask, header

ANSWER = {"CALLRACE_ZIP": "10001", "CALLRACE_RESULT": "FOUND"}
ROOMY = Limits()
SHORT = Limits(header_s=0.2, answer_s=0.2)


async def found(request: Request) -> Mapping[str, str] | None:
    return ANSWER if request.service == "lookup" else None


@asynccontextmanager
async def serving(limits: Limits = ROOMY) -> AsyncIterator[tuple[Server, int]]:
    server = Server(found, limits)
    async with server.listening(0) as port:
        yield server, port


async def none_left(server: Server) -> None:
    async with asyncio.timeout(5):
        while server.connections:
            await asyncio.sleep(0.01)  # a connection's end is looked up, not announced


async def test_a_request_is_answered_and_the_connection_closed() -> None:
    async with serving() as (server, port):
        assert await ask(port, header("lookup")) == ANSWER
        await none_left(server)


async def test_it_listens_on_loopback_alone() -> None:
    async with serving() as (_, port):
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.2", port)


async def test_a_service_that_is_not_there_is_not_answered() -> None:
    async with serving() as (_, port):
        assert await ask(port, header("delete")) == {}


async def test_a_header_that_comes_in_pieces_is_one() -> None:
    async with serving() as (_, port):
        client = await Asterisk.connect(port)
        sent = header("lookup")
        client.writer.write(sent[:100])
        await client.writer.drain()
        await asyncio.sleep(0.05)  # so that the pieces arrive apart
        assert await client.ask(sent[100:]) == ANSWER


@pytest.mark.parametrize("sent", [b"", b"agi_network: yes\nagi_req", b"\x00\xff" * 100])
async def test_half_a_header_has_its_time_and_no_more(sent: bytes) -> None:
    async with serving(SHORT) as (server, port):
        client = await Asterisk.connect(port)
        client.writer.write(sent)
        assert await client.dropped()
        await none_left(server)


async def test_a_byte_at_a_time_gains_no_time() -> None:
    async with serving(SHORT) as (server, port):
        client = await Asterisk.connect(port)
        for byte in header("lookup")[:20]:
            client.writer.write(bytes([byte]))
            await asyncio.sleep(0.02)
        assert await client.dropped()
        await none_left(server)


@pytest.mark.parametrize(
    "sent", [b"x" * 100_000, b"agi_network: yes\n" + b"a: b\n" * 20_000, b"\n\n", b"?\n\n"]
)
async def test_too_long_a_header_or_garbage_is_dropped_at_once(sent: bytes) -> None:
    async with serving() as (server, port):
        client = await Asterisk.connect(port)
        client.writer.write(sent)
        assert await client.dropped(within_s=1)
        await none_left(server)


async def test_a_client_that_never_replies_has_its_time_and_no_more() -> None:
    async with serving(SHORT) as (server, port):
        client = await Asterisk.connect(port)
        client.writer.write(header("lookup"))
        async with asyncio.timeout(5):
            assert (await client.reader.read()).startswith(b"EXEC MSet ")
        await none_left(server)


@pytest.mark.parametrize("reply", [b"HANGUP\n", b"520-Invalid\n", b"200 result=-1\n", b"x" * 40_000])
async def test_a_reply_that_is_no_success_ends_the_connection_at_once(reply: bytes) -> None:
    async with serving() as (server, port):
        client = await Asterisk.connect(port)
        client.writer.write(header("lookup") + reply)
        async with asyncio.timeout(1):
            assert (await client.reader.read()).count(b"\n") == 1
        await none_left(server)


async def test_a_client_that_vanishes_leaves_nothing() -> None:
    async with serving() as (server, port):
        for sent in (b"", header("lookup")[:50], header("lookup")):
            client = await Asterisk.connect(port)
            client.writer.write(sent)
            client.writer.transport.abort()
        assert await ask(port, header("lookup")) == ANSWER
        await none_left(server)


async def test_many_more_idle_connections_than_there_is_room_for_hold_up_nobody() -> None:
    async with serving(Limits(connections=100)) as (server, port):
        idle = [await Asterisk.connect(port) for _ in range(700)]
        began = time.monotonic()
        assert await ask(port, header("lookup")) == ANSWER
        assert time.monotonic() - began < 0.5
        assert server.connections <= 100
        for client in idle:
            client.writer.transport.abort()
        await none_left(server)


async def test_where_there_is_no_room_the_oldest_makes_it() -> None:
    async with serving(Limits(connections=2)) as (server, port):
        oldest, second = await Asterisk.connect(port), await Asterisk.connect(port)
        assert await ask(port, header("lookup")) == ANSWER
        assert await oldest.dropped(within_s=1)
        assert await second.ask(header("lookup")) == ANSWER
        await none_left(server)


async def test_the_end_of_the_server_ends_its_connections() -> None:
    async with serving() as (_, port):
        client = await Asterisk.connect(port)
        assert await ask(port, header("lookup")) == ANSWER  # so the idle one was accepted before
    assert await client.dropped(within_s=1)
