"""Callers of before are recalled while calls are served."""

import asyncio
from contextlib import suppress

import pytest

from ari_app.store import calls, schema
from ari_app.store.engine import open_engine
from ari_app.store.errors import DatabaseUnavailable
from ari_app.switch import lookback
from ari_app.switch.callers import Callers
from ari_app.switch.chores import Chores
from ari_app.switch.lookback import keep_looking_back
from tests.samples import make_call, settlement

KINDS = frozenset({("connected", "campaign")})
EVER_MS = 1_000 * 365 * 86_400_000


@pytest.fixture
def engine(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path}/callrace.db")
    schema.upgrade(engine)
    return engine


@pytest.fixture
async def callers(engine):
    callers = Callers()
    looking = asyncio.create_task(keep_looking_back(engine, callers, Chores()))
    yield callers
    looking.cancel()
    with suppress(asyncio.CancelledError):
        await looking


async def test_every_caller_of_the_window_is_recalled(engine, callers, monkeypatch):
    monkeypatch.setattr(lookback, "PAGE", 3)
    monkeypatch.setattr(lookback, "AT_ONCE", 2)
    before = [make_call(n, ani=f"+1212555{n:04d}") for n in range(1, 8)]
    calls.save(engine, [settlement(record) for record in before])
    callers.ask(KINDS, EVER_MS)
    for record in before:
        (found,) = (await callers.earlier(make_call(99, ani=record.ani))).values()
        assert found.call_id == record.id


@pytest.mark.parametrize("error", [DatabaseUnavailable("away"), ZeroDivisionError("a defect")])
async def test_while_the_database_is_away_it_is_asked_again(engine, callers, monkeypatch, error):
    monkeypatch.setattr(lookback, "AGAIN_S", 0)
    calls.save(engine, [settlement(make_call(1, ani="+12125550142"))])
    answer, asked = calls.callers_before, []

    def away_at_first(*given):
        asked.append(given)
        if len(asked) < 3:
            raise error
        return answer(*given)

    monkeypatch.setattr(calls, "callers_before", away_at_first)
    callers.ask(KINDS, EVER_MS)
    assert await callers.earlier(make_call(2, ani="+12125550142"))


async def test_the_event_loop_takes_part_in_it_by_small_bites(engine, callers, monkeypatch):
    """Between two of them everything else has its turn."""
    monkeypatch.setattr(lookback, "AT_ONCE", 2)
    calls.save(engine, [settlement(make_call(n, ani=f"+1212555{n:04d}")) for n in range(1, 8)])
    bites, turns = [], []
    recall = callers.recall

    def bite(known):
        bites.append(len(known))
        asyncio.get_running_loop().call_soon(turns.append, len(bites))
        recall(known)

    monkeypatch.setattr(callers, "recall", bite)
    callers.ask(KINDS, EVER_MS)
    await callers.earlier(make_call(99))
    assert bites == [2, 2, 2, 1]
    assert turns == [1, 2, 3, 4]
