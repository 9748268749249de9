"""Calls that a switch has left behind, and the next switch, which takes them up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Engine, update

from ari_app.ari.client import connect
from ari_app.ari.transport import Request
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.calls.stage import Role, Stage
from ari_app.domain.document.reading import parse
from ari_app.domain.market.marketplace import Number
from ari_app.domain.numbers.inventory import Item, Wanted
from ari_app.domain.routing.recovery import UnderWay
from ari_app.store.calls import calls
from ari_app.store.calls.journal import Journal
from ari_app.store.calls.writer import Writer
from ari_app.store.db.engine import writing
from ari_app.store.db.tables import marketplace_versions
from ari_app.store.market import inventory, marketplaces
from ari_app.switch.app import Switch
from tests.kit.desk import assign, site_at
from tests.kit.market import DID, marketplace
from tests.kit.switch import assembled
from tests.samples import make_call
from tests.unit.ari.fakes import SETTINGS, ScriptedTransport, event

AGENTS = {"agent-1": "sip:agent@127.0.0.1:5999"}
NOW = int(time.time() * 1000)
APPLIED, ASSIGNED, BEGAN, CONNECTED = NOW - 90_000, NOW - 80_000, NOW - 70_000, NOW - 60_000


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


def make_unreadable(engine: Engine, version: int) -> None:
    with writing(engine) as connection:
        its = update(marketplace_versions).where(marketplace_versions.c.version == version)
        connection.execute(its.values(document_json='{"campaigns": 7}'))
