"""What a switch before this one left: taken up by what each call is pinned to, or set aside; the start never fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from agi.outcomes import Outcomes
from ari_app.desk import numbers as desk
from ari_app.domain.calls.geo import Geography
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.market.marketplace import Number
from ari_app.domain.numbers.applications import Step
from ari_app.domain.numbers.inventory import Item, Wanted
from ari_app.domain.routing.recovery import UnderWay
from ari_app.store.calls import calls
from ari_app.store.calls.calls import Settlement
from ari_app.store.db import revision
from ari_app.store.db.engine import writing
from ari_app.store.market import applications, inventory, marketplaces
from tests.kit.desk import assign, site_at
from tests.kit.market import DID, marketplace
from tests.samples import ADA, make_call
from tests.unit.switch.recovery.left import (
    AGENTS,
    APPLIED,
    ASSIGNED,
    BEGAN,
    CONNECTED,
    NOW,
    apply,
    assigned,
    leave,
    make_unreadable,
    market,
    next_switch,
    talking,
    waiting,
)


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
        applications.add_step(connection, found, Step(1, NOW - 4, "submit", "pending", None, "desk"))
        applications.add_step(connection, found, Step(2, NOW - 3, "approve", "approved", None, "desk"))
        applications.add_step(
            connection, found, Step(3, NOW - 2, "suspend", "suspended", "complaints", "desk")
        )
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
