"""Phones in use elsewhere, and the legs of calls that are over."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ari_app.domain.document.reading import parse
from ari_app.domain.routing.snapshot import Snapshot, make_snapshot
from ari_app.serving.capacity import InMemoryCapacity
from ari_app.serving.phones import Phones
from ari_app.switch.sweeper import Sweeper
from tests.unit.cli.conftest import GEOGRAPHY, MARKETPLACE

CALL = "019aa8c1d2e00aabbccddee"


def snapshot(agent_2: dict[str, Any]) -> Snapshot:
    """A marketplace whose agent-2 is dialled so."""
    document = yaml.safe_load(MARKETPLACE)
    document["destinations"]["agent-2"]["dial"] = agent_2
    return make_snapshot(1, parse(yaml.safe_dump(document), "test.yaml"), {}, GEOGRAPHY, {})


@pytest.fixture
def capacity() -> InMemoryCapacity:
    return InMemoryCapacity()


@pytest.fixture
def phones(capacity: InMemoryCapacity) -> Phones:
    """agent-2 is the registered phone `desk`."""
    phones = Phones(capacity)
    phones.take_over(snapshot({"extension": "desk"}))
    return phones


@pytest.mark.parametrize("state", ["INUSE", "RINGING", "RINGINUSE", "BUSY", "ONHOLD"])
def test_an_agent_on_another_call_gets_none_of_ours(
    phones: Phones, capacity: InMemoryCapacity, state: str
) -> None:
    phones.changed("desk", state)
    assert capacity.elsewhere() == {"agent-2"}
    assert not capacity.take("agent-2", 2)


@pytest.mark.parametrize("state", ["NOT_INUSE", "UNAVAILABLE", "UNKNOWN"])
def test_a_phone_that_is_not_in_use_is_rung(phones: Phones, capacity: InMemoryCapacity, state: str) -> None:
    phones.changed("desk", state)
    assert capacity.take("agent-2", 2)


def test_a_phone_that_rings_for_a_call_of_ours_still_takes_a_second_one(
    phones: Phones, capacity: InMemoryCapacity
) -> None:
    capacity.take("agent-2", 2)
    phones.changed("desk", "RINGING")
    phones.changed("desk", "INUSE")
    assert capacity.take("agent-2", 2)


def test_who_waits_is_told_when_the_other_call_is_over(phones: Phones, capacity: InMemoryCapacity) -> None:
    told: list[str] = []
    phones.changed("desk", "INUSE")
    capacity.wait("call", "agent-2", told.append)
    phones.changed("desk", "NOT_INUSE")
    assert told == ["agent-2"]


def test_other_agents_and_phones_of_nobody_are_let_be(phones: Phones, capacity: InMemoryCapacity) -> None:
    phones.changed("carrier", "INUSE")
    phones.changed("desk", "INUSE")
    assert capacity.take("agent-1", 1)


def test_without_supervision_everybody_is_rung(phones: Phones, capacity: InMemoryCapacity) -> None:
    phones.changed("desk", "INUSE")
    phones.forget()
    assert capacity.take("agent-2", 1)
    assert phones.states() == {}


def test_an_agent_who_is_dialled_otherwise_now_is_not_held_to_the_old_phone(
    phones: Phones, capacity: InMemoryCapacity
) -> None:
    phones.changed("desk", "INUSE")
    phones.take_over(snapshot({"uri": "sip:agent-2@127.0.0.1"}))
    assert capacity.take("agent-2", 1)


def test_a_new_marketplace_frees_nobody_who_is_on_another_call(
    phones: Phones, capacity: InMemoryCapacity
) -> None:
    phones.changed("desk", "INUSE")
    phones.take_over(snapshot({"extension": "desk"}))
    assert not capacity.take("agent-2", 1)


def test_phones_are_counted_by_their_state(phones: Phones) -> None:
    assert phones.counts() == {"UNKNOWN": 1}
    phones.changed("desk", "NOT_INUSE")
    phones.changed("carrier", "INUSE")  # no agent's phone
    assert phones.counts() == {"NOT_INUSE": 1}


# Legs of calls that are over


def test_a_leg_without_its_call_is_stale_after_a_minute() -> None:
    sweeper = Sweeper()
    leg = f"{CALL}-leg-0"
    assert sweeper.stale([leg], [], 100.0) == []
    assert sweeper.stale([leg], [], 159.0) == []
    assert sweeper.strays() == 1
    assert sweeper.stale([leg], [], 160.0) == [leg]


def test_a_leg_of_a_call_under_way_is_never_stale() -> None:
    sweeper = Sweeper()
    for now_s in (0.0, 1_000.0):
        assert sweeper.stale([f"{CALL}-leg-0"], [CALL], now_s) == []
    assert sweeper.strays() == 0


def test_a_leg_that_was_gone_between_is_counted_from_anew() -> None:
    sweeper = Sweeper()
    leg = f"{CALL}-leg-0"
    sweeper.stale([leg], [], 0.0)
    sweeper.stale([], [], 30.0)
    assert sweeper.stale([leg], [], 70.0) == []


@pytest.mark.parametrize("channel", ["1763900000.42", f"{CALL}-bridge", f"x{CALL}-leg-0", "agent-leg-1"])
def test_channels_that_are_not_our_legs_are_let_be(channel: str) -> None:
    sweeper = Sweeper()
    sweeper.stale([channel], [], 0.0)
    assert sweeper.stale([channel], [], 1_000.0) == []
