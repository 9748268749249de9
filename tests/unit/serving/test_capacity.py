"""Places at destinations, and who waits for them."""

import pytest

from ari_app.serving.capacity import InMemoryCapacity, trunk_place


def test_no_more_places_are_taken_than_there_are():
    capacity = InMemoryCapacity()
    assert capacity.take("agent-1", 2) and capacity.take("agent-1", 2)
    assert not capacity.take("agent-1", 2)


def test_a_place_given_back_can_be_taken_again():
    capacity = InMemoryCapacity()
    capacity.take("agent-1", 1)
    capacity.give_back("agent-1")
    assert capacity.in_use() == {}
    assert capacity.take("agent-1", 1)


def test_those_who_wait_are_told_in_the_order_they_came_and_once():
    capacity, told = InMemoryCapacity(), []
    capacity.take("agent-1", 1)
    for name in ("first", "second"):
        capacity.wait(name, "agent-1", lambda destination, name=name: told.append((name, destination)))
    capacity.give_back("agent-1")
    capacity.take("agent-1", 1)
    capacity.give_back("agent-1")
    assert told == [("first", "agent-1"), ("second", "agent-1")]


def test_who_is_forgotten_is_not_told():
    capacity, told = InMemoryCapacity(), []
    capacity.take("agent-1", 1)
    capacity.wait("call", "agent-1", told.append)
    capacity.forget("call")
    capacity.give_back("agent-1")
    assert told == []


def test_an_agent_on_another_call_has_no_place_whatever_the_capacity():
    capacity = InMemoryCapacity()
    capacity.set_elsewhere("agent-1", True)
    assert not capacity.take("agent-1", 5)
    assert capacity.take("agent-2", 5)
    capacity.set_elsewhere("agent-1", False)
    assert capacity.take("agent-1", 5)


def test_an_agent_who_was_on_no_other_call_wakes_nobody():
    capacity, told = InMemoryCapacity(), []
    capacity.take("agent-1", 1)
    capacity.wait("call", "agent-1", told.append)
    capacity.set_elsewhere("agent-1", False)
    assert told == []


def test_places_on_trunks_are_counted_beside_those_of_destinations():
    capacity = InMemoryCapacity()
    assert capacity.take("agent-1", 1) and capacity.take(trunk_place("main"), 1)
    assert not capacity.has_room(trunk_place("main"), 1)
    assert (capacity.in_use(), capacity.on_trunks()) == ({"agent-1": 1}, {"main": 1})


def test_a_place_is_given_back_once_by_who_has_it():
    capacity = InMemoryCapacity()
    assert capacity.take("agent", 1)
    capacity.give_back("agent")
    with pytest.raises(AssertionError, match="a place of agent is given back that nobody has"):
        capacity.give_back("agent")
    assert capacity.in_use() == {}
    assert capacity.take("agent", 1)
    assert not capacity.take("agent", 1)
