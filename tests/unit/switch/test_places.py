"""A call's places beside those of its legs: taken once, given back once, told with their sizes."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ari_app.domain.document.reading import parse
from ari_app.serving.capacity import InMemoryCapacity, trunk_place
from ari_app.switch.places import Places
from tests.kit.market import marketplace

BY_TRUNK: dict[str, str | dict[str, str]] = {
    "ann": {"phone": "+12125550100", "trunk": "carrier"},
    "bob": "sip:bob@127.0.0.1:5999",
}


def places(**trunk: Any) -> tuple[Places, InMemoryCapacity]:
    """A call's places, where the trunk `carrier` has these rules, or none."""
    document = marketplace(BY_TRUNK, destination={"capacity": 2})
    document["trunks"] = {"carrier": trunk} if trunk else {}
    capacity = InMemoryCapacity()
    return Places(capacity, parse(yaml.safe_dump(document, sort_keys=False), "t")), capacity


def test_a_caller_takes_one_place_on_a_trunk_of_limited_size_however_often_they_are_looked_at() -> None:
    found, capacity = places(concurrent=2)
    assert found.enter("carrier") is None and found.enter("carrier") is None
    assert capacity.on_trunks() == {"carrier": 1}
    found.close()
    found.close()
    assert capacity.on_trunks() == {}


def test_a_caller_too_many_is_refused_and_holds_nothing() -> None:
    found, capacity = places(concurrent=1)
    capacity.take(trunk_place("carrier"), 1)
    refusal = found.enter("carrier")
    assert refusal is not None and "carrier" in refusal.reason and "1" in refusal.reason
    found.close()
    assert capacity.on_trunks() == {"carrier": 1}  # of the other


@pytest.mark.parametrize("trunk", [None, "carrier", "another"])
def test_where_a_trunk_takes_as_many_as_come_no_place_is_taken(trunk: str | None) -> None:
    found, capacity = places()
    assert found.enter(trunk) is None
    assert capacity.on_trunks() == {}


@pytest.mark.parametrize(
    ("rules", "name", "sizes"),
    [
        ({"concurrent": 5}, "ann", {"ann": 2, trunk_place("carrier"): 5}),
        ({"concurrent": 5}, "bob", {"bob": 2}),
        ({}, "ann", {"ann": 2}),
    ],
)
def test_a_leg_takes_a_place_of_its_destination_and_one_of_a_trunk_of_limited_size(
    rules: dict[str, Any], name: str, sizes: dict[str, int]
) -> None:
    found, _ = places(**rules)
    dial, taken = found.dial(name)
    assert taken == sizes
    assert dial.trunk == ("carrier" if name == "ann" else None)


def test_an_agent_who_has_the_call_already_takes_what_places_there_are_and_they_are_given_back() -> None:
    found, capacity = places(concurrent=1)
    capacity.take(trunk_place("carrier"), 1)
    found.take("ann")
    assert (capacity.in_use(), capacity.on_trunks()) == ({"ann": 1}, {"carrier": 1})
    found.give_agents_back()
    assert (capacity.in_use(), capacity.on_trunks()) == ({}, {"carrier": 1})
    found.take("bob")
    found.close()
    assert (capacity.in_use(), capacity.on_trunks()) == ({}, {"carrier": 1})
