"""How a call under way looks to operators, at each moment of its life."""

from __future__ import annotations

import pytest

from ari_app.domain.basics.clock import iso
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.calls.stage import Stage
from ari_app.domain.document.reading import parse
from ari_app.domain.routing.legs import LegAnswered, LegDigit, LegRinging
from ari_app.domain.routing.race import Race, RacePlan, WavePlan
from ari_app.domain.routing.snapshot import make_snapshot
from ari_app.serving.capacity import InMemoryCapacity
from ari_app.switch import live
from ari_app.switch.live import agents_view, live_view
from tests.unit.cli.conftest import GEOGRAPHY, MARKETPLACE

BEGAN = 1_763_900_000_000


def call(**known: object) -> CallRecord:
    return CallRecord(id="c", did="+18005550101", ani=None, started_at=BEGAN, **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stage", "phase"),
    [
        (Stage.ARRIVING, "arriving"),
        (Stage.IVR, "ivr"),
        (Stage.WAITING, "race"),
        (Stage.BRIDGING, "race"),
        (Stage.TALKING, "connected"),
        (Stage.ENDING, "ending"),
    ],
)
def test_a_call_is_told_in_its_phase(stage: Stage, phase: str) -> None:
    assert live_view(call(), stage)["phase"] == phase


def test_each_leg_is_told_with_its_phase_its_wave_and_since_when() -> None:
    race = Race(RacePlan((WavePlan(("a", "b", "c")), WavePlan(("d",), after_ms=5_000))))
    race.start(BEGAN)
    race.handle(LegRinging(0), BEGAN + 100)
    race.handle(LegRinging(1), BEGAN + 200)
    race.handle(LegAnswered(1), BEGAN + 3_000)
    legs = live_view(call(), Stage.WAITING, race.legs)["legs"]
    assert [(leg["destination"], leg["phase"], leg["since"]) for leg in legs] == [
        ("a", "ringing", iso(BEGAN + 100)),
        ("b", "answered", iso(BEGAN + 3_000)),
        ("c", "dialling", iso(BEGAN)),
    ]
    assert {leg["wave"] for leg in legs} == {1}


def test_losers_are_told_as_lost_while_they_are_being_hung_up() -> None:
    race = Race(RacePlan((WavePlan(("a", "b")),)))
    race.start(BEGAN)
    for leg in (0, 1):
        race.handle(LegAnswered(leg), BEGAN)
    race.handle(LegDigit(0, "1"), BEGAN + 500)
    winner, loser = live_view(call(), Stage.WAITING, race.legs)["legs"]
    assert (winner["phase"], winner["outcome"]) == ("won", "won")
    assert (loser["phase"], loser["outcome"]) == ("cancelling", "lost")


def test_agents_in_use_come_first_then_the_paused_then_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = make_snapshot(1, parse(MARKETPLACE, "test.yaml"), {}, GEOGRAPHY, {"agent-2": "lunch"})
    capacity = InMemoryCapacity()
    for name in ("overflow", "removed-meanwhile"):
        capacity.take(name, 1)
    told = agents_view(snapshot, capacity, {"agent-2": "INUSE"})
    free = {"capacity": 1, "in_use": 0, "paused": None, "on_another_call": False, "phone": None}
    assert told == [
        free | {"agent": "overflow", "in_use": 1},
        free | {"agent": "agent-2", "capacity": 2, "paused": "lunch", "phone": "INUSE"},
        free | {"agent": "agent-1"},
    ]
    monkeypatch.setattr(live, "AGENTS_SHOWN", 2)
    assert [one["agent"] for one in agents_view(snapshot, capacity, {})] == ["overflow", "agent-2"]
