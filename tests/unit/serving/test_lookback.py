"""Callers of before are recalled while calls are served."""

import asyncio
from contextlib import suppress

import pytest

from ari_app.serving import lookback
from ari_app.serving.callers import InMemoryCallers
from ari_app.serving.chores import Chores
from ari_app.serving.lookback import keep_hearing, keep_looking_back
from ari_app.store.calls import calls
from ari_app.store.calls.spool import Spool
from ari_app.store.db.errors import DatabaseUnavailable
from tests.kit.database import migrated
from tests.samples import make_call, settlement

KINDS = frozenset({("connected", "campaign")})
EVER_MS = 1_000 * 365 * 86_400_000


@pytest.fixture
def engine(tmp_path):
    return migrated(tmp_path / "callrace.db")


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path / "spool")


@pytest.fixture
async def callers(engine, spool):
    callers = InMemoryCallers()
    looking = asyncio.create_task(keep_looking_back(engine, spool.records, callers, Chores()))
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


async def test_a_caller_whose_call_is_still_in_the_spool_or_was_refused_by_the_database_is_recalled(
    engine, callers, spool
):
    spool.put([settlement(make_call(1, ani="+12125550141"))])
    spool.refuse(settlement(make_call(2, ani="+12125550142")), "it does not fit")
    (spool.folder / "0-nonsense.json").write_text("{")
    callers.ask(KINDS, EVER_MS)
    for ani in ("+12125550141", "+12125550142"):
        assert await callers.earlier(make_call(99, ani=ani))


async def test_a_call_that_somebody_else_served_is_heard_of_whenever_it_is_saved(
    engine, callers, monkeypatch
):
    monkeypatch.setattr(lookback, "HEAR_EVERY_S", 0.005)
    callers.ask(KINDS, EVER_MS)
    await callers.earlier(make_call(99))
    hearing = asyncio.create_task(keep_hearing(engine, 0, callers, Chores()))
    for n in (5, 3):  # of one that began before, and is saved late, too
        calls.save(engine, [settlement(make_call(n, ani=f"+1212555{n:04d}"))], of_others=True)
        async with asyncio.timeout(5):
            while not await callers.earlier(make_call(99, ani=f"+1212555{n:04d}")):
                await asyncio.sleep(0.005)
    assert not hearing.done()
    hearing.cancel()


async def test_calls_of_others_are_heard_of_once_page_by_page_and_a_defect_does_not_end_it(
    engine, callers, monkeypatch
):
    monkeypatch.setattr(lookback, "HEAR_EVERY_S", 0)
    monkeypatch.setattr(lookback, "PAGE", 3)
    monkeypatch.setattr(lookback, "OUT_OF_ORDER", 2)
    news, asked, taken = calls.news, [], []

    def broken_at_first(*given):
        asked.append(given)
        if len(asked) == 1:
            raise ZeroDivisionError("a defect")
        return news(*given)

    monkeypatch.setattr(calls, "news", broken_at_first)
    monkeypatch.setattr(callers, "recall", lambda page: taken.extend(record.id for record in page))
    its = [make_call(n) for n in range(1, 12)]
    calls.save(engine, [settlement(record) for record in its], of_others=True)
    hearing = asyncio.create_task(keep_hearing(engine, 0, callers, Chores()))
    async with asyncio.timeout(5):
        while len(taken) < 11 or len(asked) < 9:
            await asyncio.sleep(0.005)
    assert taken == [record.id for record in its]
    hearing.cancel()


async def test_a_call_that_was_saved_twice_is_news_once(engine):
    for _ in range(2):
        calls.save(engine, [settlement(make_call(1))], of_others=True)
    assert calls.newest_of_others(engine) == 1
    assert [record.id for record in calls.news(engine, 0, 10)[1]] == [make_call(1).id]
    calls.save(engine, [settlement(make_call(2))])  # the switch's own
    assert calls.newest_of_others(engine) == 1


async def test_only_the_last_calls_of_others_are_kept_in_their_order(engine, monkeypatch):
    monkeypatch.setattr(calls, "OTHERS_KEPT", 3)
    for n in range(1, 9):
        calls.save(engine, [settlement(make_call(n))], of_others=True)
    newest, its = calls.news(engine, 0, 10)
    assert (newest, [record.id for record in its]) == (8, [make_call(n).id for n in (6, 7, 8)])
    assert calls.newest_of_others(engine) == 8
