"""Calls over a scripted Asterisk: callers who leave at awkward moments, more calls than can be served."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import yaml
from sqlalchemy import Engine

from ari_app.ari.client import connect
from ari_app.ari.errors import AriError, AriTimeout, AriUnavailable, http_error
from ari_app.ari.transport import Request, Response
from ari_app.domain.calls.carrier import trunk_of
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.document.reading import parse
from ari_app.store.calls.calls import Settlement
from ari_app.store.calls.journal import Journal
from ari_app.store.calls.spool import Spool
from ari_app.store.calls.writer import Writer
from ari_app.store.market import marketplaces
from ari_app.switch.admission import BEHIND
from ari_app.switch.app import Switch
from ari_app.switch.session import Session
from tests.kit.database import migrated
from tests.kit.market import DID, marketplace
from tests.kit.switch import assembled
from tests.samples import BEGAN
from tests.unit.ari.fakes import SETTINGS, ScriptedTransport, event

FLOW = {
    "start": "hello",
    "nodes": {"hello": {"play": "sound:beep", "next": "offer"}, "offer": {"offer": True}},
}
INCOMING = {"args": ["in", DID, "+12125550142"]}


class Running:
    """A switch over a scripted transport, and the records that it saved."""

    def __init__(
        self,
        switch: Switch,
        transport: ScriptedTransport,
        saved: asyncio.Queue[CallRecord],
        journal: Journal,
        engine: Engine,
    ) -> None:
        self.switch = switch
        self.engine = engine
        self.transport = transport
        self.journal = journal
        self._saved = saved

    def tell(self, kind: str, **more: object) -> None:
        self.transport.streams[-1].send(event(kind, **more))

    async def record(self) -> CallRecord:
        async with asyncio.timeout(5):
            return await self._saved.get()


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    engine = migrated(tmp_path / "callrace.db")
    agents = {"agent": "sip:agent@127.0.0.1:5999"}
    document = yaml.safe_dump(marketplace(agents, flow=FLOW, accept="answer"), sort_keys=False)
    marketplaces.apply(engine, parse(document, "test.yaml"), BEGAN)
    saved: asyncio.Queue[CallRecord] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    writer = Writer(
        engine,
        Spool(tmp_path / "spool"),
        gather_s=0.001,
        on_saved=lambda batch: [loop.call_soon_threadsafe(saved.put_nowait, s.record) for s in batch],
    )
    made = assembled(engine, tmp_path, writer=writer)  # the journal is not told what is saved
    switch, journal = made.switch, made.journal
    switch.load()
    transport = ScriptedTransport()
    async with connect(SETTINGS, switch.on_incoming, transport, switch.on_reconnected) as client:
        switch.client = client
        yield Running(switch, transport, saved, journal, engine)
        await switch.drain()
    writer.close(5)
    engine.dispose()


@pytest.mark.parametrize(("status", "said"), [(404, "Channel not found"), (409, "Channel not in Stasis")])
async def test_a_caller_who_leaves_as_a_prompt_begins_has_abandoned_the_ivr(
    running: Running, status: int, said: str
) -> None:
    def refuse_to_play(request: object) -> None:
        if "/play/" in str(request):
            running.tell("StasisEnd")
            raise http_error(status, said, "POST", "channels/c1/play")

    running.transport.before_answer = refuse_to_play
    running.tell("StasisStart", **INCOMING)
    record = await running.record()
    assert (record.disposition, record.end_source) == ("abandoned_ivr", "caller")


async def test_a_prompt_refused_while_the_caller_stays_is_an_error_of_ours(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ari_app.switch.call.GONE_MS", 10)

    def refuse_to_play(request: object) -> None:
        if "/play/" in str(request):
            raise http_error(409, "Conflict", "POST", "channels/c1/play")

    running.transport.before_answer = refuse_to_play
    running.tell("StasisStart", **INCOMING)
    record = await running.record()
    assert (record.disposition, record.end_source) == ("failed", "system")
    assert "DELETE channels/c1" in running.transport.sent


@pytest.mark.parametrize(("error", "times"), [(AriUnavailable("lost"), 3), (AriTimeout("no answer"), 1)])
async def test_an_agent_is_dialled_again_where_the_connection_broke_over_it_and_not_where_asterisk_is_slow(
    running: Running, error: AriError, times: int
) -> None:
    dialled = []

    def refuse_to_dial(request: Request) -> None:
        finish_prompt(running, request)
        if is_dialling(request):
            dialled.append(request)
            raise error

    running.transport.before_answer = refuse_to_dial
    running.tell("StasisStart", **INCOMING)
    assert (await running.record()).disposition == "no_answer"
    assert len(dialled) == times
    assert len({request.uri for request in dialled}) == times


async def test_nobody_is_dialled_while_asterisk_has_nobody_to_tell_of_an_answer(running: Running) -> None:
    transport = running.transport
    transport.script["GET channels"] = (200, [{"id": "c1", "state": "Up"}])

    def break_off(request: Request) -> None:
        finish_prompt(running, request)
        if "/play/" in request.uri and len(transport.streams) == 1:
            transport.streams[0].end()
        if is_dialling(request):
            raise http_error(500, "no such endpoint", "POST", request.uri)

    transport.before_answer = break_off
    running.tell("StasisStart", **INCOMING)
    await running.record()
    dialled = next(n for n, (_, request) in enumerate(transport.requests) if is_dialling(request))
    assert transport.sent[:dialled].count("PUT applications/callrace/eventFilter") == 2


async def test_a_bridge_that_a_broken_connection_kept_from_being_made_is_made_for_the_award(
    running: Running,
) -> None:
    bridges: list[str] = []

    def lose_the_bridge(request: Request) -> None:
        if re.fullmatch("bridges/[^/]+", request.uri) and request.method == "POST":
            bridges.append(request.uri)
            if len(bridges) == 1:
                raise AriUnavailable("lost")
        if request.uri.endswith("/addChannel") and len(bridges) == 1:
            raise http_error(404, "Bridge not found", "POST", request.uri)
        if is_dialling(request):
            running.tell("StasisStart", channel_id=request.uri.rpartition("/")[2], args=[])
        if request.uri.endswith("/addChannel"):  # they talk, and then the agent hangs up
            agent = (request.query or {})["channel"].split(",")[1]
            gone = {"channel_id": agent, "cause": 16, "cause_txt": "Normal Clearing"}
            asyncio.get_running_loop().call_later(0.05, partial(running.tell, "ChannelDestroyed", **gone))
        finish_prompt(running, request)

    running.transport.before_answer = lose_the_bridge
    running.tell("StasisStart", **INCOMING)
    assert (await running.record()).disposition == "connected"


async def test_who_is_awarded_a_call_as_a_connection_breaks_is_put_together_with_the_caller(
    running: Running,
) -> None:
    joined: list[str] = []

    def lose_the_answer(request: Request) -> None:
        if is_dialling(request):
            running.tell("StasisStart", channel_id=request.uri.rpartition("/")[2], args=[])
        if request.uri.endswith("/addChannel"):
            joined.append(request.uri)
            if len(joined) == 1:
                raise AriUnavailable("lost; whether Asterisk did it is unknown")
            agent = (request.query or {})["channel"].split(",")[1]
            gone = {"channel_id": agent, "cause": 16, "cause_txt": "Normal Clearing"}
            asyncio.get_running_loop().call_later(0.05, partial(running.tell, "ChannelDestroyed", **gone))
        finish_prompt(running, request)

    running.transport.before_answer = lose_the_answer
    running.tell("StasisStart", **INCOMING)
    assert (await running.record()).disposition == "connected"


async def test_a_call_that_is_just_ending_when_asterisk_is_heard_again_is_no_new_call(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_let_go, may_end = asyncio.Event(), asyncio.Event()
    run = Session.run

    async def run_and_linger(session: Session) -> Settlement:
        settlement = await run(session)
        is_let_go.set()
        await may_end.wait()
        return settlement

    monkeypatch.setattr(Session, "run", run_and_linger)
    monkeypatch.setattr("ari_app.switch.recovery.NEW_CALLS_S", 0)
    place = {"exten": DID, "app_data": f"callrace,in,{DID},+12125550142"}
    caller = {"id": "c1", "name": "PJSIP/carrier-1", "state": "Up", "caller": {"number": "", "name": ""}}
    running.transport.script |= {
        "GET applications/callrace": (200, {"channel_ids": ["c1"]}),
        "GET channels": (200, [caller | {"dialplan": place}]),
        "GET bridges": (200, []),
    }
    running.tell("StasisStart", **INCOMING)
    running.tell("StasisEnd")
    await is_let_go.wait()
    running.transport.streams[0].end()
    async with asyncio.timeout(5):
        while "DELETE channels/c1" not in running.transport.sent:
            await asyncio.sleep(0)
    may_end.set()
    await running.record()
    assert running.transport.sent.count("POST channels/c1/answer") == 1


async def test_a_call_that_is_ending_when_the_switch_is_stopped_is_ended_and_recorded(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_hanging_up, may_hang_up = asyncio.Event(), asyncio.Event()
    answer = running.transport.request

    async def hold_hangup(lane: int, request: Request) -> Response:
        if str(request) == "DELETE channels/c1":
            is_hanging_up.set()
            await may_hang_up.wait()
        return await answer(lane, request)

    monkeypatch.setattr(running.transport, "request", hold_hangup)
    running.tell("StasisStart", args=["in", "+18005550199", "+12125550142"])
    await is_hanging_up.wait()
    stopping = asyncio.create_task(running.switch.drain())
    await asyncio.sleep(0.01)  # it ends every call
    may_hang_up.set()
    assert (await running.record()).disposition == "unknown_number"
    assert "DELETE channels/c1" in running.transport.sent
    await stopping


async def test_a_call_too_many_is_turned_away_unanswered_and_recorded(running: Running) -> None:
    running.transport.unanswered = BEHIND
    running.tell("StasisStart", **INCOMING)
    record = await running.record()
    assert (record.disposition, record.did) == ("failed", DID)
    assert "cannot keep up" in record.events[-1].detail
    assert [sent for sent in running.transport.sent if "c1" in sent] == ["DELETE channels/c1"]
    assert [call.record for call in running.journal.left()] == [
        record
    ]  # should the switch die before it is saved


async def test_a_call_broken_by_a_defect_is_let_go_and_recorded(running: Running) -> None:
    running.transport.before_answer = break_down
    running.tell("StasisStart", **INCOMING)
    record = await running.record()
    assert (record.disposition, record.money.charged) == ("failed", 0)
    assert record.events[-1].detail == "ZeroDivisionError: a defect"
    assert "DELETE channels/c1" in running.transport.sent


async def test_what_a_defect_did_is_written_down_should_the_switch_die_before_it_is_saved(
    running: Running, tmp_path: Path
) -> None:
    def break_down_once_written(request: Request) -> None:
        if "/play/" in request.uri:
            until = time.monotonic() + 5
            while written_nodes(tmp_path) != ["hello"] and time.monotonic() < until:
                time.sleep(0.01)  # its thread tells nobody
        break_down(request)

    running.journal.start()
    # What its first file begins with is written twice, the second time perhaps when the call is broken already.
    while not list((tmp_path / "journal").glob("*.jsonl")):
        await asyncio.sleep(0.01)
    running.transport.before_answer = break_down_once_written
    running.tell("StasisStart", **INCOMING)
    await running.record()
    running.journal.close()
    (left,) = Journal(tmp_path / "journal").left()
    assert left.record.disposition == "failed"


def finish_prompt(running: Running, request: Request) -> None:
    """A prompt that is started has been heard to its end at once."""
    if "/play/" in request.uri:
        running.tell("PlaybackFinished", playback={"id": request.uri.rpartition("/")[2], "state": "done"})


def is_dialling(request: Request) -> bool:
    return "endpoint" in (request.query or {})


def written_nodes(folder: Path) -> list[str | None]:
    return [call.node for call in Journal(folder / "journal").left()]


def break_down(request: Request) -> None:
    if "/play/" in request.uri:
        raise ZeroDivisionError("a defect")


async def test_a_number_nobody_owns_is_hung_up_once_and_with_its_own_cause(running: Running) -> None:
    running.tell("StasisStart", args=["in", "+18005550199", "+12125550142"])
    assert (await running.record()).disposition == "unknown_number"
    hangups = [request.query for _, request in running.transport.requests if request.method == "DELETE"]
    assert hangups == [{"reason_code": "1"}]


async def test_a_leg_of_no_call_under_way_is_hung_up_and_is_no_call(running: Running) -> None:
    running.tell("StasisStart", channel_id="x-leg-1", args=[])
    running.tell("StasisStart", **INCOMING)
    running.tell("StasisEnd")
    assert (await running.record()).did == DID
    assert "DELETE channels/x-leg-1" in running.transport.sent


@pytest.mark.parametrize(
    ("channel", "trunk"),
    [
        ("PJSIP/carrier-0000001a", "carrier"),
        ("PJSIP/my-carrier-0000001a", "my-carrier"),
        ("Local/s@callrace-in-00000001;2", None),
        ("PJSIP/", None),
        ("", None),
    ],
)
def test_the_trunk_of_a_call_is_its_channels_endpoint(channel, trunk):
    assert trunk_of(channel) == trunk
