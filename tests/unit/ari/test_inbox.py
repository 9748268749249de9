"""One call's queue of events, and who gets which."""

import asyncio

import pytest

from ari_app.ari.errors import AriOverload
from ari_app.ari.events import Disconnected, StasisEnd
from ari_app.ari.inbox import Switchboard

EVENT = StasisEnd(1, "c1")


@pytest.fixture
def switchboard():
    return Switchboard(lanes=4, inbox_limit=3)


async def test_events_come_out_in_the_order_in_which_they_went_in(switchboard):
    inbox = switchboard.open()
    for number in range(3):
        inbox.put(number)

    assert [await inbox.get() for _ in range(3)] == [0, 1, 2]


async def test_a_reader_that_waits_gets_the_next_event(switchboard):
    inbox = switchboard.open()
    reader = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    inbox.put(EVENT)

    assert await reader is EVENT


async def test_two_events_at_once_wake_the_reader_once_and_both_arrive(switchboard):
    inbox = switchboard.open()
    reader = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    inbox.put(1)
    inbox.put(2)

    assert (await reader, await inbox.get()) == (1, 2)


async def test_a_reader_gets_none_when_the_time_is_up(switchboard):
    assert await switchboard.open().get(timeout_s=0.01) is None


async def test_an_event_that_is_there_is_given_even_when_no_time_is_left(switchboard):
    inbox = switchboard.open()
    inbox.put(EVENT)

    assert await inbox.get(timeout_s=0) is EVENT


async def test_an_inbox_can_be_read_again_after_a_reader_was_cancelled(switchboard):
    inbox = switchboard.open()
    reader = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    reader.cancel()
    await asyncio.wait([reader])
    inbox.put(EVENT)

    assert await inbox.get() is EVENT


async def test_an_inbox_has_one_reader_at_a_time(switchboard):
    inbox = switchboard.open()
    reader = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="one reader"):
        await inbox.get()
    reader.cancel()


async def test_an_inbox_nobody_reads_is_broken_when_it_is_full(switchboard):
    inbox = switchboard.open()
    for number in range(4):
        inbox.put(number)

    for _ in range(2):
        with pytest.raises(AriOverload, match="more than 3 events"):
            await inbox.get()


async def test_a_broken_inbox_holds_nothing_more(switchboard):
    inbox = switchboard.open()
    for number in range(10):
        inbox.put(number)

    assert not inbox._queue


def test_an_event_goes_to_the_inbox_that_watches_its_object(switchboard):
    inbox, other = switchboard.open(), switchboard.open()
    switchboard.watch(inbox, "c1")
    switchboard.watch(other, "c2")

    assert switchboard.deliver("c1", EVENT)
    assert (len(inbox._queue), len(other._queue)) == (1, 0)


def test_an_event_that_nobody_watches_goes_nowhere(switchboard):
    assert not switchboard.deliver("c1", EVENT)


def test_watching_again_changes_nothing(switchboard):
    inbox = switchboard.open()

    assert (switchboard.watch(inbox, "c1"), switchboard.watch(inbox, "c1")) == (True, False)


def test_an_object_is_watched_by_one_inbox(switchboard):
    switchboard.watch(switchboard.open(), "c1")

    with pytest.raises(ValueError, match="already watched by another inbox"):
        switchboard.watch(switchboard.open(), "c1")


def test_a_closed_inbox_cannot_watch(switchboard):
    inbox = switchboard.open()
    inbox.close()

    with pytest.raises(ValueError, match="its inbox is closed"):
        switchboard.watch(inbox, "c1")


def test_unwatching_what_is_not_watched_does_no_harm_to_its_owner(switchboard):
    owner, other = switchboard.open(), switchboard.open()
    switchboard.watch(owner, "c1")
    switchboard.unwatch(other, "c1")

    assert switchboard.deliver("c1", EVENT)


def test_closing_an_inbox_leaves_nothing_of_it_and_may_be_repeated(switchboard):
    inbox = switchboard.open()
    switchboard.watch(inbox, "c1")
    switchboard.watch(inbox, "c2")
    inbox.close()
    inbox.close()

    assert (len(switchboard), switchboard.inboxes) == (0, 0)
    assert not switchboard.deliver("c1", EVENT)


async def test_an_announcement_reaches_every_open_inbox(switchboard):
    open_, closed = switchboard.open(), switchboard.open()
    closed.close()
    switchboard.announce(Disconnected(1))

    assert await open_.get(0) == Disconnected(1)
    assert await closed.get(0) is None


def test_everything_of_one_call_is_on_one_lane_and_calls_take_turns(switchboard):
    inboxes = [switchboard.open() for _ in range(5)]
    for number, inbox in enumerate(inboxes):
        switchboard.watch(inbox, f"{number}-leg")
        switchboard.watch(inbox, f"{number}-bridge")

    lanes = [(switchboard.lane_of(f"{n}-leg"), switchboard.lane_of(f"{n}-bridge")) for n in range(5)]
    assert lanes == [(0, 0), (1, 1), (2, 2), (3, 3), (0, 0)]


def test_what_nobody_watches_still_keeps_to_one_lane(switchboard):
    lanes = {switchboard.lane_of("1732381189.12") for _ in range(10)}

    assert len(lanes) == 1 and lanes <= set(range(4))
