"""Who of a race waits for a busy agent, and for how long."""

from __future__ import annotations

from ari_app.domain.routing.ringqueue import RingQueue


def test_each_leg_waits_its_own_time_from_when_it_was_first_set_aside() -> None:
    queue = RingQueue(patience_ms=1_000)
    assert queue.set_aside(0, "ann", 0)
    assert queue.set_aside(1, "bob", 600)
    assert queue.deadline() == 1_000
    assert queue.expire(1_000) == [0]
    assert queue.deadline() == 1_600
    assert queue.expire(1_599) == []
    assert queue.expire(1_600) == [1]
    assert queue.deadline() is None and not queue


def test_a_leg_that_has_waited_its_time_is_not_set_aside_again() -> None:
    queue = RingQueue(patience_ms=1_000)
    queue.set_aside(0, "ann", 0)
    queue.release("ann")
    assert queue.next((), 999) == 0
    assert queue.set_aside(0, "ann", 1_000) is False
    assert not queue.is_aside("ann")


def test_a_leg_whose_own_phone_is_still_ringing_is_about_to_ring_until_its_time_is_up() -> None:
    queue = RingQueue(patience_ms=1_000)
    queue.add(0, "ann")
    assert queue.next({"ann"}, 0) is None
    assert queue.is_about_to_ring and queue
    queue.expire(1_000)
    assert not queue.is_about_to_ring and not queue
