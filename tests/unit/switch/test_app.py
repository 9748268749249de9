"""What the switch does with a call that it cannot take."""

import asyncio
import threading
from types import SimpleNamespace

import pytest

from ari_app.ari.client import connect
from ari_app.domain.document.reading import parse
from ari_app.domain.routing.snapshot import make_snapshot
from ari_app.store.calls.journal import Journal
from ari_app.store.db.engine import open_engine
from ari_app.store.db.errors import QueueFull
from ari_app.switch import app
from tests.kit.switch import assembled
from tests.unit.ari.fakes import SETTINGS, ScriptedTransport, event
from tests.unit.cli.conftest import GEOGRAPHY, MARKETPLACE

INCOMING = event("StasisStart", "caller", args=["in", "+18005550101", "+12125550142"])


@pytest.fixture
def transport():
    return ScriptedTransport()


@pytest.fixture
async def switch(tmp_path, transport):
    """A switch with a marketplace, connected, whose writer has no room for the record of another call."""
    full = SimpleNamespace(
        room=lambda: 0,
        backlog=lambda: 10_000,
        submit=_no_room,
        problem=lambda: None,
        refused=lambda: 0,
    )
    engine = open_engine(f"sqlite:///{tmp_path}/callrace.db")
    switch = assembled(engine, tmp_path, writer=full).switch
    marketplace = parse(MARKETPLACE, "test.yaml")
    switch.market.snapshot = make_snapshot(1, marketplace, {"plumbing": 1}, GEOGRAPHY, {})
    async with connect(SETTINGS, switch.on_incoming, transport) as client:
        switch.client = client
        yield switch


def _no_room(settlement):
    raise QueueFull("no room")


async def requested(transport, request):
    """Waits until Asterisk was asked for this."""
    async with asyncio.timeout(5):
        while request not in transport.sent:
            await asyncio.sleep(0)


async def test_a_call_whose_record_could_not_be_kept_is_refused(switch, transport):
    transport.streams[0].send(INCOMING)
    await requested(transport, "DELETE channels/caller")
    assert switch.status()["calls"] == 0


async def test_a_draining_switch_hands_a_call_back_to_the_dialplan(switch, transport):
    switch.take_no_more()
    transport.streams[0].send(INCOMING)
    await requested(transport, "POST channels/caller/continue")
    asked = next(r for _, r in transport.requests if str(r) == "POST channels/caller/continue")
    assert asked.query == {"label": "unserved"}
    assert switch.status()["draining"]


async def test_a_switch_that_cannot_write_its_calls_down_does_not_hand_them_over(switch, monkeypatch):
    monkeypatch.setattr(Journal, "is_usable", False)
    assert not switch.hand_over()


async def test_calls_go_on_while_what_has_ended_is_saved_before_a_hand_over(switch, monkeypatch):
    saved, steps = threading.Event(), []
    switch._writer.flush = lambda timeout_s: saved.wait(timeout_s) and steps.append("saved")
    switch._writer.close = lambda timeout_s: steps.append("closed")
    monkeypatch.setattr(app, "LEAVE_S", 5)
    leaving = asyncio.create_task(switch.leave())
    await asyncio.sleep(0)
    assert not leaving.done()
    saved.set()  # the event loop is free to do this: something else would be an agent's answer
    assert await leaving
    assert steps == ["saved", "closed"]


async def test_a_switch_without_calls_is_drained_at_once(switch):
    switch.take_no_more()
    async with asyncio.timeout(5):
        await switch.drained()
