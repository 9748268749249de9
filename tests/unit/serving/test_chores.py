"""What is done again and again: one failure, of whatever kind, ends nothing, is named, and is tried again."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Engine, insert, select

from ari_app.domain.calls.geo import Geography
from ari_app.domain.document.reading import parse
from ari_app.serving import caps as caps_module
from ari_app.serving import market as market_module
from ari_app.serving.caps import Caps
from ari_app.serving.chores import Chores
from ari_app.serving.market import Market
from ari_app.store.db import revision
from ari_app.store.db.engine import writing
from ari_app.store.db.errors import DatabaseUnavailable
from ari_app.store.db.tables import marketplace_versions
from ari_app.store.market import marketplaces
from tests.kit.database import migrated
from tests.kit.market import marketplace


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = migrated(tmp_path / "callrace.db")
    apply(engine, 1)
    return engine


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(market_module, "RELOAD_EVERY_S", 0.005)
    monkeypatch.setattr(caps_module, "LOOK_EVERY_S", 0.005)
    monkeypatch.setattr(caps_module, "SWEEP_EVERY_S", 0.005)


def apply(engine: Engine, price: int) -> None:
    document = marketplace(
        {"agent": "sip:agent@127.0.0.1:5999"}, campaign={"price": f"{price}.00", "payout": "0.50"}
    )
    marketplaces.apply(engine, parse(yaml.safe_dump(document, sort_keys=False), "t"), 1000)


async def test_a_chore_that_fails_is_logged_once_with_its_traceback_and_said_to_be_well_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    chores, does_fail = Chores(), True

    async def work() -> None:
        if does_fail:
            raise KeyError("campaign")

    assert [await chores.attempt("looking", work) for _ in range(3)] == [False] * 3
    assert chores.failing == {"looking": "KeyError: 'campaign'"}
    [line] = caplog.records
    assert line.exc_info
    does_fail = False
    assert await chores.attempt("looking", work)
    assert chores.failing == {}
    assert caplog.messages[1:] == ["looking: done again"]


async def test_a_database_that_is_away_needs_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    chores = Chores()

    async def work() -> None:
        raise DatabaseUnavailable("it is locked\nwith a long statement")

    await chores.attempt("looking", work)
    assert chores.failing == {"looking": "it is locked"}
    assert not caplog.records[0].exc_info


async def test_a_document_that_cannot_be_read_leaves_the_last_one_in_force_until_the_next(
    engine: Engine,
) -> None:
    chores = Chores()
    market = Market(engine, Geography({}, {}), chores)
    market.load()
    with writing(engine) as connection:  # what a newer program's apply writes
        document = json.loads(connection.execute(select(marketplace_versions.c.document_json)).scalar_one())
        document["campaigns"]["plumbing"]["route"]["ring_strategy"] = "all"
        row = {"version": 2, "applied_at": 2000, "document_json": json.dumps(document)}
        connection.execute(insert(marketplace_versions), row)
        revision.rise(connection)
    reloading = asyncio.create_task(market.keep_up_to_date())
    await until(lambda: market.unreadable is not None)
    assert market.snapshot is not None
    assert market.snapshot.version == 1
    assert chores.failing == {}
    with writing(engine) as connection:
        row = {"version": 3, "applied_at": 3000, "document_json": json.dumps(_without(document))}
        connection.execute(insert(marketplace_versions), row)
        revision.rise(connection)
    await until(lambda: market.snapshot is not None and market.snapshot.version == 3)
    assert market.unreadable is None
    assert not reloading.done()
    reloading.cancel()


async def test_a_switch_starts_with_the_last_document_that_it_can_read(engine: Engine) -> None:
    with writing(engine) as connection:
        row = {"version": 2, "applied_at": 2000, "document_json": "{"}
        connection.execute(insert(marketplace_versions), row)
    market = Market(engine, Geography({}, {}))
    market.load()
    assert market.snapshot is not None
    assert market.snapshot.version == 1
    assert "marketplace 2 cannot be read" in str(market.unreadable)


async def test_who_was_to_be_told_of_a_marketplace_and_failed_is_told_again(engine: Engine) -> None:
    chores, told = Chores(), list[int]()
    market = Market(engine, Geography({}, {}), chores)
    market.load()

    async def taken_over(snapshot: object) -> None:
        told.append(market.snapshot.version if market.snapshot else 0)
        if len(told) < 3:
            raise ZeroDivisionError("a defect")

    apply(engine, 2)
    reloading = asyncio.create_task(market.keep_up_to_date(taken_over))
    await until(lambda: len(told) >= 3 and not chores.failing)
    assert told == [2, 2, 2]
    reloading.cancel()


async def test_a_defect_in_looking_at_caps_ends_neither_the_looking_nor_the_sweeping(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    chores, looks, sweeps = Chores(), list[int](), list[int]()
    caps = Caps(engine, chores)
    market = Market(engine, Geography({}, {}))
    market.load()

    def fail(*args: object) -> None:
        looks.append(1)
        raise AssertionError("a defect")

    monkeypatch.setattr(caps, "look", fail)
    monkeypatch.setattr(
        "ari_app.store.limits.reservations.expire", lambda *args: sweeps.append(1) or {}["no"]
    )
    both = [
        asyncio.create_task(caps.keep_looking(lambda: market.snapshot)),
        asyncio.create_task(caps.keep_sweeping(lambda: 0)),
    ]
    await until(lambda: len(looks) > 2 and len(sweeps) > 2)
    assert set(chores.failing) == {"looking at caps", "giving old reservations back"}
    for task in both:
        task.cancel()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not is_so():
            await asyncio.sleep(0.005)


def _without(document: dict[str, Any]) -> dict[str, Any]:
    del document["campaigns"]["plumbing"]["route"]["ring_strategy"]
    return document
