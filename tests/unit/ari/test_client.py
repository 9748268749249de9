"""The client over a scripted transport: connecting, dispatching, reconnecting, being replaced."""

import asyncio
import logging
from contextlib import asynccontextmanager

import pytest

from ari_app.ari import attempts
from ari_app.ari.client import connect
from ari_app.ari.errors import AriReplaced, AriTooOld, AriUnavailable
from ari_app.ari.events import ChannelStateChange, Disconnected, Reconnected, Replaced
from tests.unit.ari.fakes import SETTINGS, WHEN, FailingTransport, ScriptedTransport, event

REPLACED = {"type": "ApplicationReplaced", "timestamp": WHEN, "application": "callrace"}
FILTER = "PUT applications/callrace/eventFilter"


class Calls:
    """Takes incoming calls, and lets a test wait for one."""

    def __init__(self):
        self.queue = asyncio.Queue()

    def __call__(self, start):
        self.queue.put_nowait(start)


@pytest.fixture
def transport():
    return ScriptedTransport()


@pytest.fixture
def incoming():
    return Calls()


@pytest.fixture
async def client(transport, incoming):
    async with connect(SETTINGS, incoming, transport) as client:
        yield client


# Connecting


async def test_connecting_checks_the_version_then_takes_events_then_filters_them(client, transport):
    assert transport.sent == ["GET asterisk/info", FILTER]
    assert (client.connected, client.version) == (True, (22, 10, 1))


async def test_the_filter_allows_the_events_in_use_and_a_takeover(client, transport):
    allowed = {allowed["type"] for allowed in transport.requests[1][1].body["allowed"]}

    assert allowed == {*SETTINGS.events, "ApplicationReplaced"}


async def test_an_old_asterisk_is_refused_before_it_sends_a_call(transport):
    transport.script["GET asterisk/info"] = (200, {"system": {"version": "20.9.3"}})

    with pytest.raises(AriTooOld, match=r"20\.9\.3"):
        async with connect(SETTINGS, Calls(), transport):
            pass
    assert transport.streams == [] and transport.is_closed


async def test_a_first_attempt_that_fails_is_an_error_and_leaves_nothing_open():
    transport = FailingTransport(failures=1)

    with pytest.raises(AriUnavailable):
        async with connect(SETTINGS, Calls(), transport):
            pass
    assert transport.is_closed


async def test_events_that_cannot_be_filtered_are_not_taken(transport):
    transport.script[FILTER] = AriUnavailable("lane lost")

    with pytest.raises(AriUnavailable):
        async with connect(SETTINGS, Calls(), transport):
            pass
    assert transport.streams[0].is_closed


async def test_leaving_ends_every_task_and_connection(transport):
    before = asyncio.all_tasks()
    async with connect(SETTINGS, Calls(), transport) as client:
        running = asyncio.create_task(client.run())
        await asyncio.sleep(0)

    assert await running is None
    assert asyncio.all_tasks() - before == set()
    assert transport.is_closed and transport.streams[0].is_closed and not client.connected


# Dispatching


async def test_a_channel_that_nobody_watches_is_an_incoming_call(client, transport, incoming):
    transport.streams[0].send(event("StasisStart", "caller-1", args=["in", "+18005550101"]))

    start = await incoming.queue.get()
    assert (start.channel_id, start.args) == ("caller-1", ("in", "+18005550101"))


async def test_a_channel_that_is_watched_is_not_an_incoming_call(client, transport, incoming):
    inbox = client.inbox()
    client.watch(inbox, "c1-leg-1")
    transport.streams[0].send(event("StasisStart", "c1-leg-1", args=[]))

    assert (await inbox.get()).channel_id == "c1-leg-1"
    assert incoming.queue.empty()


async def test_events_go_to_the_call_they_are_about_in_order(client, transport):
    inbox, other = client.inbox(), client.inbox()
    client.watch(inbox, "c1")
    client.watch(other, "c2")
    for kind, channel in [("ChannelStateChange", "c1"), ("StasisEnd", "c2"), ("StasisEnd", "c1")]:
        transport.streams[0].send(event(kind, channel))

    kinds = [type(await inbox.get()).__name__ for _ in range(2)]
    assert kinds == ["ChannelStateChange", "StasisEnd"]
    assert type(await other.get()).__name__ == "StasisEnd"


async def test_an_incoming_call_can_be_watched_at_once_and_misses_nothing(transport):
    taken = asyncio.Queue()

    def take(start):
        inbox = client.inbox()
        client.watch(inbox, start.channel_id)
        taken.put_nowait(inbox)

    async with connect(SETTINGS, take, transport) as client:
        transport.streams[0].send(event("StasisStart", args=[]))
        transport.streams[0].send(event("ChannelStateChange"))
        inbox = await taken.get()
        assert isinstance(await inbox.get(), ChannelStateChange)


async def test_what_is_malformed_or_not_in_use_is_dropped_and_the_rest_still_arrives(client, transport):
    inbox = client.inbox()
    client.watch(inbox, "c1")
    for message in ("{", "null", "[]", '{"type": "StasisEnd"}', event("ChannelVarset")):
        transport.streams[0].send(message)
    transport.streams[0].send(event("StasisEnd", "someone-else"))
    transport.streams[0].send(event("StasisEnd"))

    assert (await inbox.get()).channel_id == "c1"
    assert client.malformed_events == 4


async def test_a_flood_of_malformed_events_does_not_flood_the_log(client, transport, caplog):
    inbox = client.inbox()
    client.watch(inbox, "c1")
    with caplog.at_level(logging.WARNING):
        for _ in range(1000):
            transport.streams[0].send("garbage " + "x" * 10_000)
        transport.streams[0].send(event("StasisEnd"))
        await inbox.get()

    assert client.malformed_events == 1000
    assert len(caplog.records) == 10  # the 1st, 2nd, 4th, ... 512th
    assert all(len(record.getMessage()) < 500 for record in caplog.records)


# Reconnecting


async def test_a_lost_connection_is_told_to_every_call_and_made_again(client, transport):
    inboxes = [client.inbox(), client.inbox()]
    transport.streams[0].end()

    for inbox in inboxes:
        assert isinstance(await inbox.get(), Disconnected)
    assert not client.connected
    for inbox in inboxes:
        assert isinstance(await inbox.get(), Reconnected)
    assert client.connected and transport.streams[0].is_closed


@pytest.mark.parametrize(("startup", "restarted"), [("2026-11-23T10:00", False), ("2026-11-23T11:00", True)])
async def test_it_is_told_whether_asterisk_restarted_or_only_the_connection_broke(startup, restarted):
    def info(startup_time):
        return (200, {"system": {"version": "22.10.1"}, "status": {"startup_time": startup_time}})

    transport = ScriptedTransport({"GET asterisk/info": info("2026-11-23T10:00")})
    async with connect(SETTINGS, Calls(), transport) as client:
        inbox = client.inbox()
        transport.script["GET asterisk/info"] = info(startup)
        transport.streams[0].end()
        while not isinstance(event := await inbox.get(), Reconnected):
            pass

    assert event.restarted is restarted


async def test_the_filter_is_set_again_on_every_connection(client, transport):
    inbox = client.inbox()
    transport.streams[0].end()
    while not isinstance(await inbox.get(), Reconnected):
        pass

    assert transport.sent.count(FILTER) == 2


async def test_after_reconnecting_events_go_to_the_same_inboxes(client, transport):
    inbox = client.inbox()
    client.watch(inbox, "c1")
    transport.streams[0].end()
    while not isinstance(await inbox.get(), Reconnected):
        pass
    transport.streams[1].send(event("StasisEnd"))

    assert (await inbox.get()).channel_id == "c1"


@asynccontextmanager
async def connected_again(failures):
    """A client that has lost its connection and made it again, after so many attempts that failed."""
    transport = FailingTransport(failures=0)
    async with connect(SETTINGS, Calls(), transport) as client:
        inbox = client.inbox()
        transport.failures = failures
        transport.streams[0].end()
        assert [type(await inbox.get()) for _ in range(2)] == [Disconnected, Reconnected]
        yield client, transport, inbox


async def test_connecting_again_is_tried_until_it_works():
    async with connected_again(failures=2) as (_, transport, _):
        assert transport.failures == 0


async def test_who_waits_for_the_connection_goes_on_when_it_is_there_again(client, transport):
    inbox = client.inbox()
    transport.streams[0].end()
    assert isinstance(await inbox.get(), Disconnected)

    await client.until_connected()
    assert client.connected


async def test_who_waits_for_a_connection_that_never_comes_is_told_so(client, transport):
    transport.script["GET asterisk/info"] = (200, {"system": {"version": "20.9.3"}})
    inbox = client.inbox()
    transport.streams[0].end()
    assert isinstance(await inbox.get(), Disconnected)

    with pytest.raises(AriUnavailable, match="is Asterisk running"):
        await client.until_connected()
    with pytest.raises(AriTooOld):
        await client.run()


async def test_an_asterisk_that_comes_back_older_ends_the_client(client, transport):
    transport.script["GET asterisk/info"] = (200, {"system": {"version": "20.9.3"}})
    transport.streams[0].end()

    with pytest.raises(AriTooOld):
        await client.run()
    assert not client.connected


# Being replaced


async def test_an_instance_that_is_replaced_stops(client, transport):
    inbox = client.inbox()
    transport.streams[0].send(REPLACED)

    with pytest.raises(AriReplaced, match="run only one"):
        await client.run()
    assert isinstance(await inbox.get(), Replaced)
    assert client.replaced.is_set() and not client.connected


async def test_an_attempt_given_up_that_asterisk_carries_out_late_is_no_other_instance():
    async with connected_again(failures=1) as (client, transport, inbox):
        transport.streams[1].send(REPLACED)
        assert [type(await inbox.get()) for _ in range(2)] == [Disconnected, Reconnected]
        assert client.connected and not client.replaced.is_set()
        assert transport.streams[1].is_closed and len(transport.streams) == 3


async def test_long_after_the_last_attempt_failed_it_is_another_instance(monkeypatch):
    monkeypatch.setattr(attempts, "LATE_S", 0.0)
    async with connected_again(failures=1) as (client, transport, _):
        transport.streams[1].send(REPLACED)
        with pytest.raises(AriReplaced):
            await client.run()


async def test_an_instance_that_is_replaced_does_not_come_back(client, transport):
    transport.streams[0].send(REPLACED)
    await client.replaced.wait()
    await asyncio.sleep(0)

    assert len(transport.streams) == 1 and transport.streams[0].is_closed


async def test_an_instance_whose_lane_is_taken_stops(client, transport):
    transport.replaced()
    transport.replaced()

    with pytest.raises(AriReplaced):
        await client.run()


async def test_a_replaced_instance_sends_no_more_requests(client, transport):
    transport.replaced()
    sent = len(transport.requests)

    with pytest.raises(AriReplaced, match="DELETE channels/c1: not sent"):
        await client.channels.hangup("c1")
    assert len(transport.requests) == sent


async def test_a_refusal_because_of_replacement_leaves_nothing_watched(client, transport):
    transport.replaced()

    with pytest.raises(AriReplaced):
        await client.channels.originate(client.inbox(), "c1-leg-1", "PJSIP/agent-1")
    assert client.watching()[1] == 0


async def test_an_instance_replaced_while_connecting_is_not_connected(transport):
    transport.before_answer = lambda request: transport.replaced()

    with pytest.raises(AriReplaced):
        async with connect(SETTINGS, Calls(), transport):
            pass


# A mistake of ours


async def test_a_mistake_in_on_incoming_is_not_hidden(transport):
    def broken(start):
        raise LookupError("no such campaign")

    async with connect(SETTINGS, broken, transport) as client:
        inbox = client.inbox()
        transport.streams[0].send(event("StasisStart", args=[]))

        with pytest.raises(LookupError, match="no such campaign"):
            await client.run()
        assert isinstance(await inbox.get(), Disconnected)
        assert not client.connected
