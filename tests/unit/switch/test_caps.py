"""The one reservation that a call waits for: in time, or with a cautious answer, and never lost."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ari_app.domain.basics.periods import Period
from ari_app.domain.calls.geo import Geography
from ari_app.domain.caps import counters as domain
from ari_app.domain.caps.counters import Answer, Claim, Wanted
from ari_app.domain.document.reading import parse
from ari_app.domain.routing.snapshot import attribute, make_snapshot
from ari_app.serving import caps as module
from ari_app.serving.caps import Caps
from ari_app.serving.clock import CallClock
from ari_app.store.calls import calls
from ari_app.store.db.errors import DatabaseUnavailable
from ari_app.store.limits import reservations
from ari_app.store.limits.reservations import Usage
from tests.kit.database import migrated
from tests.kit.market import DID, marketplace
from tests.samples import BEGAN, make_call, settlement

KEY = "campaign:plumbing:qualified:total"
CLAIM = Claim(KEY, Period(0, None), 1, 1, "full")
UNCHECKED = "caps could not be checked in 50 ms"


def wanted(call_id: str = "call", expires_at: int = BEGAN) -> Wanted:
    return Wanted(call_id, (CLAIM,), None, {"agent": ()}, BEGAN, expires_at)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = migrated(tmp_path / "callrace.db")
    yield engine
    engine.dispose()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A database that answers when this is set, and has reserved before."""
    answer = threading.Event()
    reserve = reservations.reserve

    def reserve_slowly(engine: Engine, wish: Wanted) -> Answer:
        answered = reserve(engine, wish)
        assert answer.wait(10)
        return answered

    monkeypatch.setattr(reservations, "reserve", reserve_slowly)
    yield answer
    answer.set()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.005)  # another thread's work has no event for us


def reserved(engine: Engine) -> int:
    return reservations.usage(engine, [0]).get((KEY, 0), Usage(0, 0)).reserved


async def test_a_call_with_room_is_told_so(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUDGET_MS", 60_000)
    caps = Caps(engine)
    assert await caps.reserve(wanted("one")) == Answer()
    assert await caps.reserve(wanted("two")) == Answer(capped="full")


async def test_a_call_without_limits_asks_nobody(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(reservations, "reserve")
    free = Wanted("call", (), None, {"agent": ()}, BEGAN, BEGAN)
    assert await Caps(engine).reserve(free) == Answer()


async def test_a_slow_database_is_not_waited_for_and_its_late_answer_is_given_back(
    engine: Engine, slow: threading.Event
) -> None:
    caps = Caps(engine)
    began = time.monotonic()
    assert await caps.reserve(wanted()) == Answer(left_out={"agent": UNCHECKED})
    assert time.monotonic() - began < 0.5
    assert reserved(engine) == 1
    slow.set()
    await until(lambda: reserved(engine) == 0)


async def test_calls_behind_a_slow_one_reserve_nothing(engine: Engine, slow: threading.Event) -> None:
    caps = Caps(engine)
    wishes = [wanted(f"call-{n}") for n in range(20)]
    answers = await asyncio.gather(*map(caps.reserve, wishes))
    assert answers == [Answer(left_out={"agent": UNCHECKED})] * 20
    slow.set()
    await until(lambda: reserved(engine) == 0)
    assert await caps.reserve(wanted("next")) == Answer()


async def test_a_call_that_is_ended_while_it_waits_leaves_nothing_reserved(
    engine: Engine, slow: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "ari_app.serving.caps.BUDGET_MS", 60_000
    )  # it is still waiting, however busy the machine
    caps = Caps(engine)
    call = asyncio.create_task(caps.reserve(wanted()))
    await until(lambda: reserved(engine) == 1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    slow.set()
    await until(lambda: reserved(engine) == 0)


async def test_a_locked_database_is_given_up_in_time_and_asked_again_by_the_next_call(engine: Engine) -> None:
    caps = Caps(engine)
    await answered(caps, "first")  # the connection is there
    with engine.connect() as connection:
        connection.execution_options(writes=True).begin()
        began = time.monotonic()
        assert (await caps.reserve(wanted())).left_out == {"agent": UNCHECKED}
        assert time.monotonic() - began < 0.5
    assert await answered(caps, "next") == Answer(capped="full")


async def answered(caps: Caps, name: str) -> Answer:
    """What the database says to the first of some calls that it answers in time: a busy machine is late at times."""
    for n in range(100):
        answer = await caps.reserve(wanted(f"{name}-{n}"))
        if not answer.left_out:
            return answer
    raise AssertionError("the database never answered in time")


async def test_a_database_that_is_away_is_no_reason_to_wait(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(engine: Engine, wish: Wanted) -> Answer:
        raise DatabaseUnavailable("it is away")

    monkeypatch.setattr(reservations, "reserve", away)
    assert (await Caps(engine).reserve(wanted())).left_out == {"agent": UNCHECKED}


async def test_a_cap_that_is_used_up_is_known_at_the_next_look(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(module, "BUDGET_MS", 60_000)
    agents = {"agent-1": "sip:agent-1@127.0.0.1:5071"}
    document = marketplace(agents, campaign={"caps": [{"max": 1, "per": "total"}]})
    snapshot = make_snapshot(
        1, parse(json.dumps(document), "test.yaml"), {"plumbing": 1}, Geography({}, {}), {}
    )
    found = attribute(snapshot, DID, 0)
    assert found is not None
    caps, record = Caps(engine), make_call(1)
    await caps.reserve(domain.wanted(record.id, snapshot.marketplace, found, agents, BEGAN))
    looking = asyncio.create_task(caps.keep_looking(lambda: snapshot))
    calls.save(engine, [settlement(record)])
    await until(lambda: caps.full(snapshot.marketplace, found, BEGAN) is not None)
    looking.cancel()


async def test_reservations_of_calls_that_never_came_back_are_swept(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SWEEP_EVERY_S", 0.01)
    monkeypatch.setattr(module, "BUDGET_MS", 60_000)
    caps = Caps(engine)
    assert await caps.reserve(wanted(expires_at=CallClock().now())) == Answer()
    sweeping = asyncio.create_task(caps.keep_sweeping(lambda: 0))
    await until(lambda: reserved(engine) == 0)
    sweeping.cancel()


async def test_nothing_is_swept_while_ended_calls_wait_to_be_saved(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SWEEP_EVERY_S", 0.001)
    monkeypatch.setattr(module, "BUDGET_MS", 60_000)
    asked = 0

    def unsaved_calls() -> int:
        nonlocal asked
        asked += 1
        return 1

    caps = Caps(engine)
    await caps.reserve(wanted(expires_at=BEGAN))
    sweeping = asyncio.create_task(caps.keep_sweeping(unsaved_calls))
    await until(lambda: asked > 3)
    sweeping.cancel()
    assert reserved(engine) == 1
