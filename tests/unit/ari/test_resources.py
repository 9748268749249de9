"""Every operation asks Asterisk for exactly what its API documents."""

import pytest

from ari_app.ari.client import connect
from ari_app.ari.errors import AriOverload, AriTimeout, AriUnavailable, Conflict, NotFound, ServerError
from tests.unit.ari.fakes import SETTINGS, ScriptedTransport


@pytest.fixture
def transport():
    return ScriptedTransport()


@pytest.fixture
async def client(transport):
    async with connect(SETTINGS, lambda start: None, transport) as client:
        transport.requests.clear()
        yield client


OPERATIONS = [
    (lambda c, i: c.channels.originate(i, "c1-leg-1", "PJSIP/agent-1"), "POST channels/c1-leg-1",
     {"endpoint": "PJSIP/agent-1", "app": "callrace", "timeout": "30"}, None),
    (lambda c, i: c.channels.originate(i, "c1-leg-1", "PJSIP/agent-1", app_args=("leg", "1"),
                                       caller_id="+12125550123", timeout_s=7, originator="c1",
                                       variables={"A": "b"}),
     "POST channels/c1-leg-1",
     {"endpoint": "PJSIP/agent-1", "app": "callrace", "timeout": "7", "appArgs": "leg,1",
      "callerId": "+12125550123", "originator": "c1"}, {"variables": {"A": "b"}}),
    (lambda c, i: c.channels.originate(i, "c1-leg-1", "PJSIP/agent-1", formats="ulaw,alaw"),
     "POST channels/c1-leg-1",
     {"endpoint": "PJSIP/agent-1", "app": "callrace", "timeout": "30", "formats": "ulaw,alaw"}, None),
    (lambda c, i: c.channels.play(i, "c1-play-1", "c1", "sound:hello-world"),
     "POST channels/c1/play/c1-play-1", {"media": "sound:hello-world"}, None),
    (lambda c, i: c.channels.play(i, "c1-play-1", "c1", ["sound:a", "sound:b"], lang="en"),
     "POST channels/c1/play/c1-play-1", {"media": "sound:a,sound:b", "lang": "en"}, None),
    (lambda c, i: c.channels.answer("c1"), "POST channels/c1/answer", None, None),
    (lambda c, i: c.channels.hangup("c1"), "DELETE channels/c1", {"reason": "normal"}, None),
    (lambda c, i: c.channels.hangup("c1", "answered_elsewhere"), "DELETE channels/c1",
     {"reason": "answered_elsewhere"}, None),
    (lambda c, i: c.channels.hangup("c1", reason_code=1), "DELETE channels/c1", {"reason_code": "1"}, None),
    (lambda c, i: c.channels.ring("c1"), "POST channels/c1/ring", None, None),
    (lambda c, i: c.channels.ring_stop("c1"), "DELETE channels/c1/ring", None, None),
    (lambda c, i: c.channels.start_moh("c1"), "POST channels/c1/moh", {}, None),
    (lambda c, i: c.channels.start_moh("c1", "jazz"), "POST channels/c1/moh", {"mohClass": "jazz"}, None),
    (lambda c, i: c.channels.stop_moh("c1"), "DELETE channels/c1/moh", None, None),
    (lambda c, i: c.channels.set_channel_var("c1", "CALLERID(name)", "x & y"), "POST channels/c1/variable",
     {"variable": "CALLERID(name)", "value": "x & y"}, None),
    (lambda c, i: c.channels.continue_in_dialplan("c1"), "POST channels/c1/continue", {}, None),
    (lambda c, i: c.channels.continue_in_dialplan("c1", "fallback", "s", 1), "POST channels/c1/continue",
     {"context": "fallback", "extension": "s", "priority": "1"}, None),
    (lambda c, i: c.channels.continue_in_dialplan("c1", label="unserved"), "POST channels/c1/continue",
     {"label": "unserved"}, None),
    (lambda c, i: c.bridges.create(i, "c1-bridge"), "POST bridges/c1-bridge", {"type": "mixing"}, None),
    (lambda c, i: c.bridges.create(i, "c1-bridge", "holding"), "POST bridges/c1-bridge",
     {"type": "holding"}, None),
    (lambda c, i: c.bridges.add_channel("c1-bridge", ["c1", "c1-leg-1"]),
     "POST bridges/c1-bridge/addChannel", {"channel": "c1,c1-leg-1"}, None),
    (lambda c, i: c.bridges.remove_channel("c1-bridge", ["c1"]), "POST bridges/c1-bridge/removeChannel",
     {"channel": "c1"}, None),
    (lambda c, i: c.bridges.destroy("c1-bridge"), "DELETE bridges/c1-bridge", None, None),
    (lambda c, i: c.bridges.start_moh("c1-bridge", "jazz"), "POST bridges/c1-bridge/moh",
     {"mohClass": "jazz"}, None),
    (lambda c, i: c.bridges.stop_moh("c1-bridge"), "DELETE bridges/c1-bridge/moh", None, None),
    (lambda c, i: c.playbacks.stop("c1-play-1"), "DELETE playbacks/c1-play-1", None, None),
    (lambda c, i: c.applications.filter(["StasisStart"]), "PUT applications/callrace/eventFilter", None,
     {"allowed": [{"type": "StasisStart"}, {"type": "ApplicationReplaced"}]}),
    (lambda c, i: c.asterisk.ping(), "GET asterisk/ping", None, None),
    (lambda c, i: c.events.claim("c1"), "POST events/claim",
     {"channelId": "c1", "application": "callrace"}, None),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "asked", "query", "body"), OPERATIONS)
async def test_an_operation_is_one_request(client, transport, operation, asked, query, body):
    await operation(client, client.inbox())

    ((_, request),) = transport.requests
    assert (str(request), request.query, request.body) == (asked, query, body)


@pytest.mark.parametrize(
    ("operation", "asked", "body"),
    [
        (lambda c: c.channels.get("c1"), "GET channels/c1", {"id": "c1"}),
        (lambda c: c.channels.rtp_statistics("c1"), "GET channels/c1/rtp_statistics", {"rxcount": 1}),
        (lambda c: c.channels.list(), "GET channels", [{"id": "c1"}]),
        (lambda c: c.bridges.get("b1"), "GET bridges/b1", {"id": "b1"}),
        (lambda c: c.bridges.list(), "GET bridges", [{"id": "b1"}]),
        (lambda c: c.playbacks.get("p1"), "GET playbacks/p1", {"id": "p1"}),
        (lambda c: c.applications.get(), "GET applications/callrace", {"channel_ids": ["c1"]}),
        (lambda c: c.asterisk.get_info(), "GET asterisk/info", {"system": {}}),
        (lambda c: c.asterisk.list_modules(), "GET asterisk/modules", [{"name": "res_ari.so"}]),
        (lambda c: c.endpoints.list(), "GET endpoints", [{"resource": "agent-1"}]),
        (lambda c: c.sounds.list(), "GET sounds", [{"id": "hello-world"}]),
        (lambda c: c.sounds.get("hello-world"), "GET sounds/hello-world", {"id": "hello-world"}),
    ],
)
async def test_what_is_asked_for_is_answered(client, transport, operation, asked, body):
    transport.script[asked] = (200, body)

    assert await operation(client) == body


@pytest.mark.parametrize(
    ("operation", "asked"),
    [
        (lambda c: c.channels.hangup("c1"), "DELETE channels/c1"),
        (lambda c: c.playbacks.stop("p1"), "DELETE playbacks/p1"),
        (lambda c: c.bridges.destroy("b1"), "DELETE bridges/b1"),
    ],
)
async def test_ending_what_is_gone_already_is_done(client, transport, operation, asked):
    transport.script[asked] = (404, {"message": "Channel not found"})

    assert await operation(client) is None


async def test_destroying_a_bridge_that_is_just_going_is_done(client, transport):
    transport.script["DELETE bridges/b1"] = (409, {"message": "Bridge not in Stasis application"})

    assert await client.bridges.destroy("b1") is None


async def test_asking_of_what_is_gone_is_an_error(client, transport):
    transport.script["POST channels/c1/answer"] = (404, {"message": "Channel not found"})

    with pytest.raises(NotFound):
        await client.channels.answer("c1")


MAKERS = [
    (lambda c, i: c.channels.originate(i, "c1-leg-1", "PJSIP/agent-1"), "POST channels/c1-leg-1"),
    (lambda c, i: c.channels.play(i, "c1-play-1", "c1", "sound:a"), "POST channels/c1/play/c1-play-1"),
    (lambda c, i: c.bridges.create(i, "c1-bridge"), "POST bridges/c1-bridge"),
]


@pytest.mark.parametrize(("make", "asked"), MAKERS)
async def test_an_object_is_watched_before_it_is_asked_for(client, transport, make, asked):
    watched = []
    transport.before_answer = lambda request: watched.append(client.watching()[1])
    await make(client, client.inbox())

    assert watched == [1]


@pytest.mark.parametrize(("make", "asked"), MAKERS)
@pytest.mark.parametrize("refusal", [(500, {"error": "Allocation failed"}), AriOverload("lane full")])
async def test_an_object_that_was_refused_is_not_watched(client, transport, make, asked, refusal):
    transport.script[asked] = refusal

    with pytest.raises((ServerError, AriOverload)):
        await make(client, client.inbox())
    assert client.watching() == (1, 0)


@pytest.mark.parametrize(("make", "asked"), MAKERS)
@pytest.mark.parametrize("doubt", [AriTimeout("no answer"), AriUnavailable("lane lost")])
async def test_an_object_that_may_have_been_made_stays_watched(client, transport, make, asked, doubt):
    transport.script[asked] = doubt

    with pytest.raises(type(doubt)):
        await make(client, client.inbox())
    assert client.watching() == (1, 1)


async def test_a_refused_repetition_leaves_the_first_object_watched(client, transport):
    inbox = client.inbox()
    await client.channels.originate(inbox, "c1-leg-1", "PJSIP/agent-1")
    transport.script["POST channels/c1-leg-1"] = (409, {"message": "Channel with given unique ID exists"})

    with pytest.raises(Conflict):
        await client.channels.originate(inbox, "c1-leg-1", "PJSIP/agent-1")
    assert client.watching() == (1, 1)


async def test_requests_about_one_call_share_a_lane(client, transport):
    client.inbox()
    inbox = client.inbox()
    client.watch(inbox, "1732381189.12")
    await client.channels.answer("1732381189.12")
    await client.channels.originate(inbox, "c2-leg-1", "PJSIP/agent-1")
    await client.channels.play(inbox, "c2-play-1", "c2-leg-1", "sound:a")
    await client.bridges.create(inbox, "c2-bridge")
    await client.playbacks.stop("c2-play-1")
    await client.bridges.add_channel("c2-bridge", ["1732381189.12", "c2-leg-1"])
    await client.channels.hangup("c2-leg-1")

    assert {lane for lane, _ in transport.requests} == {inbox.lane}


async def test_an_id_cannot_become_another_address(client, transport):
    transport.script["GET channels/a%2F..%2Fb%3Fc%3D1"] = (200, {})
    await client.channels.get("a/../b?c=1")

    assert transport.sent == ["GET channels/a%2F..%2Fb%3Fc%3D1"]


@pytest.mark.parametrize(
    "mistake",
    [
        lambda c, i: c.channels.answer(""),
        lambda c, i: c.channels.originate(i, "c1-leg-1", "PJSIP/agent-1", timeout_s=0),
        lambda c, i: c.channels.originate(i, "c1-leg-1", "PJSIP/agent-1", app_args=("a,b",)),
        lambda c, i: c.channels.originate(i, "c1-leg-1", "PJSIP/agent-1", app_args=("",)),
        lambda c, i: c.channels.play(i, "p1", "c1", []),
        lambda c, i: c.channels.play(i, "p1", "c1", "sound:a,sound:b"),
        lambda c, i: c.bridges.add_channel("b1", []),
    ],
)
async def test_what_asterisk_would_misread_is_refused_before_it_is_sent(client, transport, mistake):
    with pytest.raises(ValueError):
        await mistake(client, client.inbox())

    assert transport.requests == []
    assert client.watching()[1] == 0
