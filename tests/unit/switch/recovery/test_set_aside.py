"""What a switch left and the next one cannot take up is set aside, and the others go on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from ari_app.store.calls import calls
from ari_app.store.calls.calls import Settlement
from ari_app.store.calls.journal import Journal
from ari_app.store.db.engine import writing
from ari_app.store.db.tables import marketplace_versions
from ari_app.store.ledger import ledger
from tests.kit.market import DID
from tests.samples import make_call
from tests.unit.switch.recovery.left import (
    ASSIGNED,
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
