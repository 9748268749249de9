"""Waves of many agents over a scripted Asterisk: busy ones, freed ones, and those whom Asterisk refuses to dial."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

import yaml

from ari_app.ari.errors import http_error
from ari_app.ari.transport import Request
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.document.reading import parse
from ari_app.serving.capacity import trunk_place
from ari_app.store.market import marketplaces
from tests.kit.loop import LONGEST_STOP_S, turns_of_the_loop
from tests.kit.market import marketplace
from tests.unit.switch.test_calls_at_the_edge import (  # noqa: F401
    FLOW,
    INCOMING,
    Running,
    finish_prompt,
    is_dialling,
    running,
)


def with_agents(running: Running, names: Iterable[str], busy: Iterable[str] = (), **rules: object) -> None:  # noqa: F811
    """A market with these agents in one wave, in this order; some of them have another call."""
    agents = {name: f"sip:{name}@127.0.0.1:5999" for name in names}
    document = marketplace(agents, flow=FLOW, accept="answer", **rules)  # type: ignore[arg-type]
    for place, destination in enumerate(document["destinations"].values(), start=1):
        destination["priority"] = place
    put_in_force(running, document)
    for name in busy:
        assert running.switch.shared.capacity.take(name, 1)


def put_in_force(running: Running, document: dict[str, Any]) -> None:  # noqa: F811
    text = yaml.safe_dump(document, sort_keys=False)
    marketplaces.apply(running.engine, parse(text, "test.yaml"), int(time.time() * 1000))
    running.switch.load()


class Phones:
    """Asterisk's side: living channels by id, refusing ids as it does; `dialled` tells of each phone."""

    def __init__(self, running: Running) -> None:  # noqa: F811
        self.living: set[str] = set()
        self.dialled: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._running = running
        running.transport.before_answer = self.carry_out

    def carry_out(self, request: Request) -> None:
        finish_prompt(self._running, request)
        name = request.uri.rpartition("/")[2]
        if is_dialling(request):
            if any(living.lower().startswith(name.lower()) for living in self.living):
                said = "Channel with given unique ID already exists"
                raise http_error(409, said, "POST", request.uri)
            self.living.add(name)
            endpoint = (request.query or {})["endpoint"]
            self.dialled.put_nowait((endpoint.rpartition("/")[2].removeprefix("sip:").split("@")[0], name))
        elif request.method == "DELETE" and name in self.living:
            self.gone(name, 16)

    def answers(self, channel_id: str) -> None:
        self._running.tell("StasisStart", channel_id=channel_id, args=[])

    def gone(self, channel_id: str, cause: int) -> None:
        self.living.discard(channel_id)
        self._running.tell("ChannelDestroyed", channel_id=channel_id, cause=cause, cause_txt="")

    async def next(self) -> tuple[str, str]:
        async with asyncio.timeout(5):
            return await self.dialled.get()


def timeline(record: CallRecord, what: str) -> list[str]:
    return [event.detail for event in record.events if event.what == what]


async def test_a_thousand_busy_agents_are_waited_for_and_the_first_free_one_is_rung(
    running: Running,  # noqa: F811
) -> None:
    names = [f"agent-{n}" for n in range(1_000)]
    with_agents(running, names, busy=names)
    phones = Phones(running)
    async with turns_of_the_loop() as turns:
        running.tell("StasisStart", **INCOMING)
        while len(running.switch.shared.capacity._waiting) < 1_000:
            await asyncio.sleep(0)
    running.switch.shared.capacity.give_back("agent-700")
    name, channel_id = await phones.next()
    assert name == "agent-700"
    phones.gone(channel_id, 17)
    running.tell("StasisEnd")
    record = await running.record()
    assert record.disposition == "abandoned_queue"
    assert len(timeline(record, "at capacity")) == 1_000
    assert max(turns) < LONGEST_STOP_S
    assert running.switch.shared.capacity._waiting == {}


async def test_a_freed_agent_is_dialled_though_a_leg_with_a_longer_number_is_up(running: Running) -> None:  # noqa: F811
    names = [f"agent-{n}" for n in range(12)]
    with_agents(running, names, busy=["agent-1"], max_legs=50)
    phones = Phones(running)
    running.tell("StasisStart", **INCOMING)
    rung = dict([await phones.next() for _ in range(11)])
    assert "agent-1" not in rung
    running.switch.shared.capacity.give_back("agent-1")
    name, channel_id = await phones.next()
    assert name == "agent-1"
    phones.answers(channel_id)
    running.tell("StasisEnd")
    record = await running.record()
    assert not timeline(record, "not dialled")
    assert [leg.answered_at is not None for leg in record.legs if leg.destination == "agent-1"] == [True]


async def test_why_asterisk_did_not_dial_an_agent_is_in_the_timeline_and_in_the_leg(running: Running) -> None:  # noqa: F811
    with_agents(running, ["agent"])

    def refuse(request: Request) -> None:
        finish_prompt(running, request)
        if is_dialling(request):
            raise http_error(500, "Allocation failed", "POST", request.uri)

    running.transport.before_answer = refuse
    running.tell("StasisStart", **INCOMING)
    record = await running.record()
    assert timeline(record, "not dialled") == ["agent: 500 Allocation failed"]
    assert [(leg.outcome, leg.failure) for leg in record.legs] == [("failed", "500 Allocation failed")]


async def test_a_place_on_a_trunk_that_many_wait_for_is_given_to_one_after_the_other(
    running: Running,  # noqa: F811
) -> None:
    """As many are tried as there are places, however many wait; nobody who waits is forgotten."""
    names = [f"agent-{n}" for n in range(30)]
    dials = {name: {"phone": f"+1212555{n:04d}", "trunk": "main"} for n, name in enumerate(names, start=100)}
    document = marketplace(dials, flow=FLOW, accept="answer")
    document["trunks"] = {"main": {"concurrent": 1}}
    put_in_force(running, document)
    capacity, phones = running.switch.shared.capacity, Phones(running)
    assert capacity.take(trunk_place("main"), 1)
    running.tell("StasisStart", **INCOMING)
    while not capacity._waiting:
        await asyncio.sleep(0)
    capacity.give_back(trunk_place("main"))
    rung = []
    for _ in names:
        name, channel_id = await phones.next()
        assert phones.dialled.empty()
        rung.append(name)
        phones.gone(channel_id, 17)
    record = await running.record()
    assert record.disposition == "no_answer"
    assert len(set(rung)) == len(names)
    assert len([event for event in record.events if event.what == "trunk full"]) == len(names)
