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
from ari_app.domain.caps.counters import BUDGET_MS, Answer, Claim, Wanted
from ari_app.domain.document.reading import parse
from ari_app.domain.routing.snapshot import attribute, make_snapshot
from ari_app.serving import caps as module
from ari_app.serving.caps import Caps
from ari_app.serving.clock import CallClock
from ari_app.store.calls import calls
from ari_app.store.db.engine import BUSY_TIMEOUT_S
from ari_app.store.db.errors import DatabaseUnavailable
from ari_app.store.limits import reservations
from ari_app.store.limits.usage import Usage, usage_of
from tests.kit.database import migrated
from tests.kit.market import DID, marketplace
from tests.samples import BEGAN, make_call, settlement

KEY = "campaign:plumbing:qualified:total"
CLAIM = Claim(KEY, Period(0, None), 1, 1, "full")
UNCHECKED = "caps could not be checked in 250 ms"


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


class Hand:
    """The loop's time, which only a test moves: however busy the machine is, nobody's budget runs out."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def time(self) -> float:
        return self._now_s

    async def moves(self, ms: float) -> None:
        """So much time passes, and who waited for it goes on."""
        self._now_s += ms / 1000
        for _ in range(3):  # turns of the loop: the timer's, that of the task that it ends, and its waiter's
            await asyncio.sleep(0)


@pytest.fixture
async def hand(monkeypatch: pytest.MonkeyPatch) -> Hand:
    hand = Hand()
    monkeypatch.setattr(asyncio.get_running_loop(), "time", hand.time)
    return hand


async def until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.to_thread(time.sleep, 0.005)  # another thread's work has no event for us


def reserved(engine: Engine) -> int:
    return usage_of(engine, [0]).get((KEY, 0), Usage(0, 0)).reserved


async def test_a_call_with_room_is_told_so(engine: Engine, hand: Hand) -> None:
    caps = Caps(engine)
    assert await caps.reserve(wanted("one")) == Answer()
    assert await caps.reserve(wanted("two")) == Answer(capped="full")


async def test_a_call_without_limits_asks_nobody(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(reservations, "reserve")
    free = Wanted("call", (), None, {"agent": ()}, BEGAN, BEGAN)
    assert await Caps(engine).reserve(free) == Answer()


async def test_a_slow_database_is_waited_for_no_longer_than_its_budget_and_its_late_answer_is_given_back(
    engine: Engine, slow: threading.Event, hand: Hand
) -> None:
    caps = Caps(engine)
    call = asyncio.create_task(caps.reserve(wanted()))
    await until(lambda: reserved(engine) == 1)
    await hand.moves(BUDGET_MS - 1)
    assert not call.done()
    await hand.moves(2)
    assert call.done() and await call == Answer(left_out={"agent": UNCHECKED})
    slow.set()
    await until(lambda: reserved(engine) == 0)


async def test_calls_behind_a_slow_one_reserve_nothing(
    engine: Engine, slow: threading.Event, hand: Hand
) -> None:
    caps = Caps(engine)
    waiting = [asyncio.create_task(caps.reserve(wanted(f"call-{n}"))) for n in range(20)]
    await until(lambda: reserved(engine) == 1)
    await hand.moves(BUDGET_MS + 1)
    assert await asyncio.gather(*waiting) == [Answer(left_out={"agent": UNCHECKED})] * 20
    slow.set()
    await until(lambda: reserved(engine) == 0)
    assert await caps.reserve(wanted("next")) == Answer()


async def test_a_call_that_is_ended_while_it_waits_leaves_nothing_reserved(
    engine: Engine, slow: threading.Event, hand: Hand
) -> None:
    caps = Caps(engine)
    call = asyncio.create_task(caps.reserve(wanted()))
    await until(lambda: reserved(engine) == 1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    slow.set()
    await until(lambda: reserved(engine) == 0)


async def test_a_locked_database_is_given_up_by_itself_and_asked_again_by_the_next_call(
    engine: Engine, hand: Hand
) -> None:
    caps = Caps(engine)
    assert await caps.reserve(wanted("first")) == Answer()
    with engine.connect() as connection:
        connection.execution_options(writes=True).begin()
        began = time.monotonic()
        assert (await caps.reserve(wanted())).left_out == {"agent": UNCHECKED}
        assert (
            time.monotonic() - began < BUSY_TIMEOUT_S / 2
        )  # which it would wait for one who is not impatient
    assert await caps.reserve(wanted("next")) == Answer(capped="full")


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
