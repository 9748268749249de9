"""What the switch remembers of callers."""

import asyncio

from ari_app.serving import callers as module
from ari_app.serving.callers import InMemoryCallers
from tests.samples import make_call

DAY_MS = 86_400_000


def test_a_redial_is_remembered_for_each_number_on_its_own():
    callers = InMemoryCallers()
    assert callers.dialled("+18005550101", "+12125550142", 1000) is None
    assert callers.dialled("+18005550102", "+12125550142", 1500) is None
    assert callers.dialled("+18005550101", "+12125550142", 2000) == 1000


def test_a_call_that_was_given_up_is_no_call_before_the_next_unless_another_came_meanwhile():
    callers = InMemoryCallers()
    callers.dialled("+18005550101", "+12125550142", 1000)
    callers.withdrawn("+18005550101", "+12125550142", 1000)
    assert callers.dialled("+18005550101", "+12125550142", 2000) is None
    callers.withdrawn("+18005550101", "+12125550142", 1000)
    callers.withdrawn("+18005550101", None, 2000)
    assert callers.dialled("+18005550101", "+12125550142", 3000) == 2000


def test_anonymous_callers_are_never_the_same_caller():
    callers = InMemoryCallers()
    callers.dialled("+18005550101", None, 1000)
    assert callers.dialled("+18005550101", None, 1001) is None


def test_the_memory_of_redials_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "REDIALS_KEPT", 2)
    callers = InMemoryCallers()
    for n in range(3):
        callers.dialled("+18005550101", f"+1212555014{n}", n)
    assert callers.dialled("+18005550101", "+12125550140", 9) is None


CONNECTED = frozenset({("connected", "campaign")})
ANI = "+12125550142"


async def last_of(callers, record):
    return {kind: call.call_id for kind, call in (await callers.earlier(record)).items()}


async def test_looking_back_keeps_what_was_seen_since():
    callers = InMemoryCallers()
    callers.ask(CONNECTED, 30 * DAY_MS)
    seen, other = make_call(9, ani=ANI), make_call(2, ani="+12125550143")
    callers.remember("connected", seen, seen.connected_at)
    callers.recall([other, make_call(1, ani=ANI)])
    await callers.asked()
    callers.recalled()
    assert await last_of(callers, make_call(10, ani=ANI)) == {("connected", "campaign"): seen.id}
    assert await last_of(callers, make_call(10, ani=other.ani)) == {("connected", "campaign"): other.id}


async def test_a_call_that_ends_while_calls_of_before_are_recalled_is_judged_when_they_are():
    callers, before, call = InMemoryCallers(), make_call(1, ani=ANI), make_call(9, ani=ANI)
    callers.ask(CONNECTED, 30 * DAY_MS)
    callers.remember("connected", call, call.connected_at)
    judged = asyncio.create_task(last_of(callers, call))
    await callers.asked()
    callers.recall([before])
    assert not judged.done()
    callers.recalled()
    assert await judged == {("connected", "campaign"): before.id}


async def test_a_call_is_judged_by_what_is_known_when_the_store_does_not_tell(monkeypatch):
    monkeypatch.setattr(module, "RECALL_S", 0)
    callers = InMemoryCallers()
    callers.ask(CONNECTED, 30 * DAY_MS)
    assert await last_of(callers, make_call(9, ani=ANI)) == {}


async def test_a_call_waits_as_long_as_the_store_tells_more(monkeypatch):
    monkeypatch.setattr(module, "RECALL_S", 0)
    callers, before = InMemoryCallers(), make_call(1, ani=ANI)
    callers.ask(CONNECTED, 30 * DAY_MS)
    judged = asyncio.create_task(last_of(callers, make_call(9, ani=ANI)))
    for _ in range(50):
        await asyncio.sleep(0)
        callers.recall_before([])
    assert not judged.done()
    callers.recall_before([before])
    await callers.asked()
    callers.recalled()
    assert await judged == {("connected", "campaign"): before.id}


async def test_a_call_does_not_wait_for_a_stuck_store_because_others_serve_calls_meanwhile(monkeypatch):
    monkeypatch.setattr(module, "RECALL_S", 0)
    callers = InMemoryCallers()
    callers.ask(CONNECTED, 30 * DAY_MS)
    judged = asyncio.create_task(last_of(callers, make_call(9, ani=ANI)))
    for n in range(50):
        await asyncio.sleep(0)
        callers.recall([make_call(100 + n, ani="+12125550199")])
    assert judged.done()


async def test_what_is_asked_while_calls_are_recalled_is_recalled_after_them():
    callers = InMemoryCallers()
    callers.ask(CONNECTED, DAY_MS)
    assert await callers.asked() == (CONNECTED, DAY_MS)
    callers.ask(CONNECTED, 2 * DAY_MS)
    callers.recalled()
    assert await callers.asked() == (CONNECTED, 2 * DAY_MS)


async def test_what_is_remembered_is_not_asked_again():
    callers = InMemoryCallers()
    callers.ask(CONNECTED, 2 * DAY_MS)
    await callers.asked()
    callers.recalled()
    callers.ask(CONNECTED, DAY_MS)
    assert await last_of(callers, make_call(9, ani=ANI)) == {}


async def test_a_caller_who_called_after_the_call_was_connected_makes_no_repeat_of_it():
    callers, call, later = InMemoryCallers(), make_call(1, ani=ANI), make_call(2, ani=ANI)
    callers.ask(CONNECTED, DAY_MS)
    await callers.asked()
    callers.recalled()
    for record in (call, later):
        callers.remember("connected", record, record.connected_at)
    assert await last_of(callers, call) == {}
    assert await last_of(callers, later) == {("connected", "campaign"): call.id}
