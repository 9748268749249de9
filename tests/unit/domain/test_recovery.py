"""What becomes of the calls that a switch left behind."""

from __future__ import annotations

import pytest

from ari_app.domain.calls.record import CallRecord, EndSource, LegRecord
from ari_app.domain.calls.stage import Stage
from ari_app.domain.ledger.calls import awarded_at
from ari_app.domain.routing.recovery import (
    Remains,
    UnderWay,
    assume_awarded,
    assume_connected,
    close,
    fate,
    restart,
)

NOTHING = Remains(caller=False, agent=False, together=False)
CALLER = Remains(caller=True, agent=False, together=False)
AGENT = Remains(caller=False, agent=True, together=False)
TALKING = Remains(caller=True, agent=True, together=True)
AWARDED = Remains(caller=True, agent=True, together=False)


def in_ivr() -> CallRecord:
    return CallRecord("call", "+18005550101", "+12125550142", started_at=1_000)


def ringing() -> CallRecord:
    record = in_ivr()
    record.offered_at = 2_000
    record.legs = [LegRecord("left", 1, 2_000), LegRecord("right", 1, 2_000, "declined", ended_at=2_500)]
    return record


def awarded() -> CallRecord:
    record = ringing()
    record.legs[0].outcome = "won"
    record.legs[0].accepted_at = 3_000
    return record


def connected() -> CallRecord:
    record = awarded()
    record.disposition, record.winner, record.connected_at = "connected", "left", 3_010
    return record


@pytest.mark.parametrize(
    ("stage", "remains", "expected"),
    [
        (Stage.TALKING, TALKING, "talking"),
        (Stage.BRIDGING, TALKING, "talking"),
        (Stage.WAITING, TALKING, "talking"),
        (Stage.BRIDGING, AWARDED, "again"),
        (Stage.ARRIVING, CALLER, "again"),
        (Stage.IVR, CALLER, "again"),
        (Stage.WAITING, CALLER, "again"),
        (Stage.ENDING, CALLER, "again"),
        (Stage.IVR, NOTHING, "over"),
        (Stage.BRIDGING, AGENT, "over"),
        (Stage.TALKING, CALLER, "over"),
        (Stage.TALKING, AGENT, "over"),
        (Stage.TALKING, NOTHING, "over"),
    ],
)
def test_its_fate_follows_from_how_far_it_was_and_who_is_there(
    stage: Stage, remains: Remains, expected: str
) -> None:
    assert fate(UnderWay(in_ivr(), {"caller": "channel"}, 1, stage=stage), remains) == expected


@pytest.mark.parametrize(("remains", "by"), [(CALLER, "agent"), (AGENT, "caller"), (NOTHING, "system")])
def test_a_conversation_that_ended_unseen_counts_until_the_switch_was_last_seen(
    remains: Remains, by: EndSource
) -> None:
    record = connected()
    assert close(record, remains, last_seen=10_010) == by
    assert (record.disposition, record.durations_ms.connected) == ("connected", 7_000)


def test_a_conversation_that_was_over_and_measured_lasts_no_longer() -> None:
    record = connected()
    record.durations_ms.connected = 2_000
    close(record, CALLER, last_seen=10_010)
    assert record.durations_ms.connected == 2_000


def test_who_rang_when_the_caller_left_was_cancelled() -> None:
    record = ringing()
    assert close(record, NOTHING, last_seen=4_000) == "caller"
    assert [(leg.outcome, leg.ended_at) for leg in record.legs] == [("cancelled", 4_000), ("declined", 2_500)]


def test_a_call_that_begins_again_keeps_what_was_rung_and_forgets_the_rest() -> None:
    record = awarded()
    restart(record, last_seen=4_000)
    assert [leg.outcome for leg in record.legs] == ["failed", "declined"]
    assert (record.offered_at, record.winner, record.disposition) == (None, None, None)
    assert awarded_at(record) == 3_000  # it was awarded: the hold stands, and is resolved at the end


def test_a_conversation_of_which_only_the_award_is_known_began_with_the_acceptance() -> None:
    record = awarded()
    assume_connected(record, now=9_000)
    assert (record.winner, record.connected_at, record.disposition) == ("left", 3_000, "connected")


def test_what_a_call_makes_after_a_restart_has_names_of_its_own() -> None:
    assert UnderWay(in_ivr(), {"caller": "channel"}, 1).name == "call"
    assert UnderWay(in_ivr(), {"caller": "channel"}, 1, restarts=2).name == "call-r2"


def test_a_call_taken_in_the_last_moment_is_lost_by_all_who_still_rang() -> None:
    record = ringing()
    record.legs.append(LegRecord("taker", 1, 2_000))
    assume_awarded(record, "taker", 3_000)
    assert {leg.destination: leg.outcome for leg in record.legs} == {
        "left": "lost",
        "right": "declined",
        "taker": "won",
    }
    assert [leg.accepted_at for leg in record.legs] == [None, None, 3_000]
    assert [leg.ended_at for leg in record.legs] == [3_000, 2_500, None]
