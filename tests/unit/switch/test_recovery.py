"""What a switch before this one left: taken up by what each call is pinned to, or set aside; the start never fails."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Engine, update

from agi.outcomes import Outcomes
from ari_app.ari.client import connect
from ari_app.ari.transport import Request
from ari_app.desk import numbers as desk
from ari_app.domain.calls.geo import Geography
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.calls.stage import Role, Stage
from ari_app.domain.document.reading import parse
from ari_app.domain.market.marketplace import Number
from ari_app.domain.numbers.applications import Step
from ari_app.domain.numbers.inventory import Item, Wanted
from ari_app.domain.routing.recovery import UnderWay
from ari_app.store.calls import calls
from ari_app.store.calls.calls import Settlement
from ari_app.store.calls.journal import Journal
from ari_app.store.calls.writer import Writer
from ari_app.store.db import revision
from ari_app.store.db.engine import writing
from ari_app.store.db.tables import marketplace_versions
from ari_app.store.ledger import ledger
from ari_app.store.market import applications, inventory, marketplaces
from ari_app.switch.app import Switch
from tests.kit.database import migrated
from tests.kit.desk import assign, site_at
from tests.kit.market import DID, marketplace
from tests.kit.switch import assembled
from tests.samples import ADA, make_call
from tests.unit.ari.fakes import SETTINGS, ScriptedTransport, event

AGENTS = {"agent-1": "sip:agent@127.0.0.1:5999"}
NOW = int(time.time() * 1000)
APPLIED, ASSIGNED, BEGAN, CONNECTED = NOW - 90_000, NOW - 80_000, NOW - 70_000, NOW - 60_000


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return migrated(tmp_path / "callrace.db")


def apply(engine: Engine, document: Mapping[str, Any], at: int) -> int:
    return marketplaces.apply(engine, parse(yaml.safe_dump(dict(document), sort_keys=False), "t"), at).version


def assigned(engine: Engine, **rules: Any) -> None:
    """A marketplace whose one number the desk has given to homefix."""
    apply(engine, market(**rules), APPLIED)
    inventory.import_(engine, [Item(DID, "tollfree", None, "main")], APPLIED, 0)
    assign(site_at(engine, ASSIGNED), Number("plumbing", "homefix"), Wanted(did=DID))


def market(**rules: Any) -> dict[str, Any]:
    rested = {"numbers": {}, "numbers_policy": {"quarantine": "0s"}}
    return marketplace(AGENTS, accept="answer", **rules) | rested


def talking(n: int = 1, **changes: Any) -> UnderWay:
    """A call that was under way, with an agent on the line."""
    its = {"started_at": BEGAN, "connected_at": CONNECTED, "ended_at": None, "end_source": None} | changes
    record = make_call(n, **{"did": DID, "qualification": None, **its})
    record.durations_ms.connected = 0
    parties: dict[Role, str] = {"caller": f"caller-{n}", "agent": f"{record.id}-leg-0"}
    return UnderWay(record, parties, 1, ["agent-1"], Stage.TALKING)


def waiting(**changes: Any) -> UnderWay:
    """A call that was under way, for which phones were rung."""
    call = talking(**{"connected_at": None, "winner": None, "disposition": None, "legs": []} | changes)
    del call.parties["agent"]
    call.stage = Stage.WAITING
    return call


def leave(tmp_path: Path, *left: UnderWay) -> None:
    """The journal of a switch that died."""
    journal = Journal(tmp_path / "journal")
    for call in left:
        journal.keep(call)
    journal.start()
    journal.close()


class Next:
    """The switch that comes after, over an Asterisk in which `talking` calls still have both their channels."""

    def __init__(self, switch: Switch, transport: ScriptedTransport, writer: Writer, engine: Engine) -> None:
        self.switch = switch
        self.transport = transport
        self._writer = writer
        self._engine = engine

    def hang_up(self, channel_id: str) -> None:
        gone = event("ChannelDestroyed", channel_id, cause=16, cause_txt="Normal Clearing")
        self.transport.streams[-1].send(gone)

    def follow(self, request: Request) -> None:
        """A phone that is hung up is gone; a prompt has been heard to its end at once."""
        name = request.uri.rpartition("/")[2]
        if request.method == "DELETE" and "-leg-" in request.uri:
            self.hang_up(name)
        if "/play/" in request.uri:
            heard = event("PlaybackFinished", playback={"id": name, "state": "done"})
            self.transport.streams[-1].send(heard)

    async def saved(self, call_id: str) -> CallRecord:
        async with asyncio.timeout(5):
            while (record := calls.get(self._engine, call_id)) is None:
                await asyncio.to_thread(self._writer.flush, 0.05)
        return record

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not is_so():
                await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel that nobody knows is not given a second to be told of."""
    monkeypatch.setattr("ari_app.switch.recovery.NEW_CALLS_S", 0.02)


@asynccontextmanager
async def next_switch(engine: Engine, tmp_path: Path, *there: UnderWay) -> AsyncIterator[Next]:
    made = assembled(engine, tmp_path)
    switch, writer, journal = made.switch, made.writer, made.journal
    switch.load()
    both = [name for call in there for name in call.parties.values()]
    channels = [
        {
            "id": name,
            "name": f"PJSIP/carrier-{name}",
            "state": "Up",
            "caller": {"number": "", "name": ""},
            "dialplan": {"exten": DID, "app_data": f"callrace,in,{DID},+12125550142"},
        }
        for name in both
    ]
    bridges = [
        {"id": f"{call.name}-bridge", "channels": list(call.parties.values())} for call in there if call.agent
    ]
    transport = ScriptedTransport(
        {
            "GET applications/callrace": (200, {"channel_ids": both}),
            "GET channels": (200, channels),
            "GET bridges": (200, bridges),
        }
    )
    after = Next(switch, transport, writer, engine)
    transport.before_answer = after.follow
    async with connect(SETTINGS, switch.on_incoming, transport, switch.on_reconnected) as client:
        switch.client = client
        switch.recover()
        looking = asyncio.create_task(switch.keep_up_to_date())
        yield after
        await switch.drain()
        looking.cancel()
    writer.close(5)
    journal.close()


def release(engine: Engine) -> None:
    desk.release(site_at(engine, NOW), ADA, DID)


def reassign(engine: Engine) -> None:
    """The number is another campaign's, and of another publisher, at another price."""
    document = market()
    roofing = deepcopy(document["campaigns"]["plumbing"]) | {"price": "9.00", "payout": "5.00"}
    document["campaigns"]["roofing"] = roofing
    document["publishers"]["bluebird"] = {"name": "Bluebird"}
    apply(engine, document, NOW - 2)
    desk.release(site_at(engine, NOW - 1), ADA, DID)
    assign(site_at(engine, NOW), Number("roofing", "bluebird"), Wanted(did=DID))


def pause_and_reprice(engine: Engine) -> None:
    document = market(campaign={"status": "paused"})
    document["campaigns"]["plumbing"]["price"] = "99.00"
    apply(engine, document, NOW)


def remove_everything(engine: Engine) -> None:
    desk.release(site_at(engine, NOW - 1), ADA, DID)
    document = market()
    apply(engine, document | {"campaigns": {}, "destinations": {}, "publishers": {}}, NOW)


def suspend(engine: Engine) -> None:
    with writing(engine) as connection:
        found = applications.add(connection, "plumbing", "homefix")
        applications.note(connection, found, Step(1, NOW - 4, "submit", "pending", None, "desk"))
        applications.note(connection, found, Step(2, NOW - 3, "approve", "approved", None, "desk"))
        applications.note(connection, found, Step(3, NOW - 2, "suspend", "suspended", "complaints", "desk"))
        revision.rise(connection)


@pytest.mark.parametrize("change", [release, reassign, pause_and_reprice, remove_everything, suspend])
async def test_who_talks_is_charged_by_what_the_call_is_pinned_to_whatever_the_desk_did(
    engine: Engine, tmp_path: Path, change: Callable[[Engine], None]
) -> None:
    assigned(engine, qualify=[{"connected_at_least": "30s"}])
    call = talking()
    leave(tmp_path, call)
    change(engine)
    async with next_switch(engine, tmp_path, call) as after:
        after.hang_up("caller-1")
        record = await after.saved(call.record.id)
    assert (record.campaign, record.publisher, record.terms_version) == ("plumbing", "homefix", 1)
    assert (record.disposition, record.money.charged, record.money.paid) == ("connected", 4200, 3000)
    assert [e.detail for e in record.events if e.what == "taken up again"] == ["talks to agent-1"]


async def test_a_clock_ahead_where_the_number_was_given_out_does_not_take_the_call_away(
    engine: Engine, tmp_path: Path
) -> None:
    apply(engine, market(), APPLIED)
    inventory.import_(engine, [Item(DID, "tollfree", None, "main")], APPLIED, 0)
    assign(site_at(engine, NOW + 3_600_000), Number("plumbing", "homefix"), Wanted(did=DID))
    call = talking()
    leave(tmp_path, call)
    apply(engine, market(campaign={"price": "50.00"}), NOW)
    async with next_switch(engine, tmp_path, call) as after:
        after.hang_up("caller-1")
        record = await after.saved(call.record.id)
    assert record.money.charged == 4200


@pytest.mark.parametrize("change", [reassign, pause_and_reprice, suspend])
async def test_who_waits_is_offered_again_by_the_campaign_that_the_call_began_with(
    engine: Engine, tmp_path: Path, change: Callable[[Engine], None]
) -> None:
    assigned(engine)
    left = waiting()
    leave(tmp_path, left)
    change(engine)
    async with next_switch(engine, tmp_path, left) as after:
        await after.until(
            lambda: any("channels/create" in sent or "-leg-" in sent for sent in after.transport.sent)
        )
        after.hang_up("caller-1")
        record = await after.saved(left.record.id)
    assert (record.campaign, record.publisher, record.disposition) == (
        "plumbing",
        "homefix",
        "abandoned_queue",
    )


BLOCKED = {"block": ["+12125550001"]}


@pytest.mark.parametrize(
    ("left", "disposition"),
    [
        ({"answered_at": None}, "blocked"),  # it was not looked at yet
        ({"disposition": "blocked"}, "blocked"),  # it was being told so
        ({}, "abandoned_queue"),  # it was let in
    ],
)
async def test_who_was_let_in_is_not_screened_again_and_nobody_else_gets_in(
    engine: Engine, tmp_path: Path, left: dict[str, Any], disposition: str
) -> None:
    apply(engine, marketplace(AGENTS, accept="answer", campaign={"screen": BLOCKED}), APPLIED)
    call = waiting(**left)
    leave(tmp_path, call)
    async with next_switch(engine, tmp_path, call) as after:
        if disposition == "abandoned_queue":
            await after.until(lambda: any("-leg-" in sent for sent in after.transport.sent))
            after.hang_up("caller-1")
        record = await after.saved(call.record.id)
        assert record.disposition == disposition
        assert any("-leg-" in sent for sent in after.transport.sent) is (disposition != "blocked")


async def test_a_call_that_was_answered_as_the_switch_died_was_answered_when_it_was_last_seen(
    engine: Engine, tmp_path: Path
) -> None:
    assigned(engine)
    call = waiting(answered_at=None)
    call.last_seen = CONNECTED
    leave(tmp_path, call)
    async with next_switch(engine, tmp_path, call) as after:
        await after.until(lambda: any("-leg-" in sent for sent in after.transport.sent))
        after.hang_up("caller-1")
        record = await after.saved(call.record.id)
        assert "POST channels/caller-1/answer" not in after.transport.sent
    assert record.answered_at == max(CONNECTED, call.record.events[-1].at)


async def test_a_conversation_that_a_wrong_clock_begins_in_a_time_to_come_lasts_no_less_than_nothing(
    engine: Engine, tmp_path: Path
) -> None:
    assigned(engine)
    call = talking(connected_at=NOW + 3_600_000)
    leave(tmp_path, call)
    async with next_switch(engine, tmp_path, call) as after:
        after.hang_up("caller-1")
        record = await after.saved(call.record.id)
    assert record.durations_ms.connected == 0


async def test_however_many_calls_are_left_of_a_version_it_is_read_once(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the event loop, before the first event is read: one whole marketplace."""
    assigned(engine)
    apply(engine, market(campaign={"price": "50.00"}), ASSIGNED + 1)
    left = [talking(n) for n in range(1, 6)]
    leave(tmp_path, *left)
    read: list[int] = []
    load = marketplaces.load_version

    def counted(engine: Engine, version: int) -> marketplaces.Loaded | None:
        read.append(version)
        return load(engine, version)

    monkeypatch.setattr(marketplaces, "load_version", counted)
    async with next_switch(engine, tmp_path, *left) as after:
        assert len(after.switch.live()) == 5
    assert read == [1]


async def test_a_call_that_had_ended_without_a_verdict_is_judged_and_charged(
    engine: Engine, tmp_path: Path
) -> None:
    assigned(engine)
    ended = talking(ended_at=CONNECTED + 42_000, end_source="agent")
    ended.record.durations_ms.connected = 42_000
    leave(tmp_path, ended)
    release(engine)
    async with next_switch(engine, tmp_path) as after:
        record = await after.saved(ended.record.id)
    assert record.money.charged == 4200
    assert record.qualification.qualified
    assert record.durations_ms.total == record.ended_at - record.started_at


@pytest.mark.parametrize("is_readable", [True, False])
async def test_a_call_that_had_its_verdict_keeps_it(
    engine: Engine, tmp_path: Path, is_readable: bool
) -> None:
    assigned(engine)
    apply(engine, market(campaign={"price": "50.00"}), ASSIGNED + 1)
    judged = talking(2)
    judged.record = make_call(2, did=DID)
    leave(tmp_path, judged)
    if not is_readable:  # it is not needed any more
        make_unreadable(engine, 1)
    async with next_switch(engine, tmp_path) as after:
        record = await after.saved(judged.record.id)
    assert record == make_call(2, did=DID)


async def test_a_call_that_was_refused_as_there_was_no_marketplace_needs_none(
    engine: Engine, tmp_path: Path
) -> None:
    refused = CallRecord("0019ab0a20ae80000000009", DID, "+12125550142", BEGAN)
    refused.ended_at, refused.disposition, refused.end_source = BEGAN, "failed", "system"
    leave(tmp_path, UnderWay(refused, {"caller": "caller-9"}, 0))
    async with next_switch(engine, tmp_path) as after:
        assert (await after.saved(refused.id)).disposition == "failed"
        assert after.switch.status()["calls_set_aside"] == 0


async def test_a_caller_who_talked_while_the_switch_was_replaced_is_a_repeat_caller(
    engine: Engine, tmp_path: Path
) -> None:
    rule = {"no_repeat_within": {"window": "30d", "basis": "any"}}
    assigned(engine, qualify=[rule])
    first, second = talking(1), talking(2)
    second.record.ani = first.record.ani
    earlier = make_call(0, did=DID, ani=first.record.ani, started_at=BEGAN - 5_000)
    calls.save(engine, [Settlement(earlier)])
    leave(tmp_path, first)
    async with next_switch(engine, tmp_path, first) as after:
        after.hang_up("caller-1")
        record = await after.saved(first.record.id)
    assert record.money.charged == 0
    assert earlier.id in record.qualification.clauses[1].detail


async def test_a_caller_whom_the_dialplan_served_is_a_repeat_caller_although_that_call_is_saved_later(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ari_app.serving.lookback.HEAR_EVERY_S", 0.005)
    assigned(engine, qualify=[{"no_repeat_within": "30d"}])
    call = talking()
    leave(tmp_path, call)
    async with next_switch(engine, tmp_path, call) as after:
        outcomes = Outcomes(
            engine, Geography({}, {}), [tmp_path / "fallback.csv"], lambda: asyncio.sleep(0, set())
        )
        began, ani = str(ASSIGNED + 1_000), call.record.ani or ""
        target = AGENTS["agent-1"]
        outcomes.tell(
            [began, "1.7", DID, ani, "", "agent-1", "ANSWER", f"agents/{target}", "5000", str(BEGAN), ""]
        )
        for _ in range(2):
            await asyncio.to_thread(outcomes._save_aside, tmp_path / "fallback.csv")
        await after.until(lambda: bool(after.switch.shared.callers.last("connected", call.record)))
        after.hang_up("caller-1")
        record = await after.saved(call.record.id)
    [served] = [one for one in calls.latest(engine) if one.id != record.id]
    assert (served.money.charged, record.money.charged) == (4200, 0)


# What cannot be taken up


def make_unreadable(engine: Engine, version: int) -> None:
    with writing(engine) as connection:
        its = update(marketplace_versions).where(marketplace_versions.c.version == version)
        connection.execute(its.values(document_json='{"campaigns": 7}'))


def repair(engine: Engine, version: int, document: str) -> None:
    with writing(engine) as connection:
        its = update(marketplace_versions).where(marketplace_versions.c.version == version)
        connection.execute(its.values(document_json=document))


async def test_one_call_that_cannot_be_taken_up_is_set_aside_and_the_others_go_on(
    engine: Engine, tmp_path: Path
) -> None:
    assigned(engine)
    apply(engine, market(campaign={"price": "50.00"}), ASSIGNED + 1)
    lost, good = talking(1), talking(2)
    good.marketplace_version, good.record.terms_version = 2, 2
    leave(tmp_path, lost, good)
    document = document_of_the_first(engine)
    make_unreadable(engine, 1)
    async with next_switch(engine, tmp_path, lost, good) as after:
        after.hang_up("caller-2")
        assert (await after.saved(good.record.id)).money.charged == 5000
        await after.until(lambda: after.switch.status()["calls_set_aside"] == 1)
        assert "DELETE channels/caller-1" not in after.transport.sent  # they talk
        after.hang_up(f"{lost.record.id}-leg-0")
        await after.until(lambda: "DELETE channels/caller-1" in after.transport.sent)
        await after.until(lambda: not after.switch.live())
    aside = tmp_path / "journal" / "aside"
    assert "marketplace 1 cannot be read" in (aside / f"{lost.record.id}.txt").read_text()
    repair(engine, 1, document)
    async with next_switch(engine, tmp_path) as after:
        record = await after.saved(lost.record.id)
        assert (record.money.charged, record.end_source) == (4200, "agent")
        assert record.durations_ms.connected == record.ended_at - CONNECTED >= NOW - CONNECTED
        await after.until(lambda: after.switch.status()["calls_set_aside"] == 0)
    assert not list(aside.iterdir())


def document_of_the_first(engine: Engine) -> str:
    with engine.connect() as connection:
        rows = connection.execute(marketplace_versions.select().order_by("version")).all()
        document: str = rows[0].document_json
        assert json.loads(document)
        return document


async def test_who_waited_in_a_call_that_is_set_aside_is_served_as_a_new_call(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ari_app.switch.recovery.NEW_CALLS_S", 0)
    assigned(engine)
    apply(engine, market(campaign={"price": "50.00"}), ASSIGNED + 1)
    left = waiting()
    leave(tmp_path, left)
    make_unreadable(engine, 1)
    async with next_switch(engine, tmp_path, left) as after:
        await after.until(lambda: "POST channels/caller-1/answer" in after.transport.sent)
        assert [call["id"] for call in after.switch.live()] != [left.record.id]
        await after.until(lambda: after.switch.status()["calls_set_aside"] == 1)


async def test_a_call_of_a_campaign_that_its_document_does_not_have_is_set_aside(
    engine: Engine, tmp_path: Path
) -> None:
    assigned(engine)
    call = talking(campaign="roofing")
    leave(tmp_path, call)
    async with next_switch(engine, tmp_path, call) as after:
        await after.until(lambda: after.switch.status()["calls_set_aside"] == 1)
    why = (tmp_path / "journal" / "aside" / f"{call.record.id}.txt").read_text()
    assert "marketplace 1 has no campaign roofing of homefix" in why


def broken(journal: Path, how: Callable[[bytes], bytes]) -> None:
    """Every line of the journal as somebody else has left it."""
    for file in journal.glob("*.jsonl"):
        file.write_bytes(b"".join(how(line) + b"\n" for line in file.read_bytes().splitlines()))


@pytest.mark.parametrize(
    "how", [lambda line: line[:200], lambda line: line.replace(b'"parties"', b'"people"')]
)
async def test_a_call_whose_line_cannot_be_read_is_recorded_as_far_as_it_can(
    engine: Engine, tmp_path: Path, how: Callable[[bytes], bytes]
) -> None:
    assigned(engine)
    lost = talking()
    leave(tmp_path, lost)
    broken(tmp_path / "journal", how)
    for _ in range(2):  # the second finds it saved
        async with next_switch(engine, tmp_path) as after:
            record = await after.saved(lost.record.id)
    assert (record.did, record.ani, record.started_at) == (DID, lost.record.ani, lost.record.started_at)
    assert (record.disposition, record.end_source, record.money) == ("failed", "system", None)
    assert "cannot be read" in record.events[-1].detail
    assert list(ledger.all_transfers(engine)) == []


async def test_a_call_that_was_saved_stays_as_it_is_though_its_line_cannot_be_read(
    engine: Engine, tmp_path: Path
) -> None:
    assigned(engine)
    ended = make_call(1, did=DID)
    calls.save(engine, [Settlement(ended)])
    leave(tmp_path, talking())
    broken(tmp_path / "journal", lambda line: line[:200])
    async with next_switch(engine, tmp_path) as after:
        await after.until(lambda: after.switch.client is not None)
        assert after.switch._endings._untold == []
    assert calls.get(engine, ended.id) == ended


async def test_a_call_of_which_an_earlier_line_can_be_read_is_taken_up_from_there(
    engine: Engine, tmp_path: Path
) -> None:
    assigned(engine)
    call = talking()
    leave(tmp_path, call)
    [file] = (tmp_path / "journal").glob("*.jsonl")
    file.write_bytes(file.read_bytes() + file.read_bytes().replace(b'"parties"', b'"people"'))
    async with next_switch(engine, tmp_path, call) as after:
        after.hang_up("caller-1")
        assert (await after.saved(call.record.id)).disposition == "connected"


async def test_a_defect_over_one_call_leaves_nothing_held_for_it(engine: Engine, tmp_path: Path) -> None:
    assigned(engine)
    broken, good = talking(1), talking(2)
    broken.record.legs[0].outcome = "won"
    broken.record.legs[0].destination = broken.record.winner = "agent-nobody-knows"
    leave(tmp_path, broken, good)
    async with next_switch(engine, tmp_path, good) as after:
        after.hang_up("caller-2")
        await after.saved(good.record.id)
        await after.until(lambda: not after.switch.live())
        assert after.switch.status()["capacity_in_use"] == {}
        assert after.switch.client.watching() == (0, 0)
        assert after.switch.status()["calls_set_aside"] == 1


async def test_who_talks_in_a_call_that_is_set_aside_is_let_go_when_the_switch_is_stopped(
    engine: Engine, tmp_path: Path
) -> None:
    assigned(engine)
    apply(engine, market(campaign={"price": "50.00"}), ASSIGNED + 1)
    call = talking()
    leave(tmp_path, call)
    make_unreadable(engine, 1)
    async with next_switch(engine, tmp_path, call) as after:
        await after.until(lambda: after.switch.status()["calls_set_aside"] == 1)
        await after.switch.drain()
        assert "DELETE channels/caller-1" in after.transport.sent
    [kept] = Journal(tmp_path / "journal").aside.calls()
    assert kept.record.ended_at is not None
