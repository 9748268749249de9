"""What is made in Asterisk for a call is named so that Asterisk takes no name for another's."""

from itertools import pairwise

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.routing.recovery import UnderWay
from ari_app.serving.ids import bridge_id, leg_id, leg_ids, mint_call_id, numbered
from ari_app.switch.sweeper import Sweeper, is_bridge

CALLS = [
    UnderWay(CallRecord(mint_call_id(at), "+1", None, 0), {"caller": "c1"}, 1, restarts=restarts).name
    for at in (0, 10**12)
    for restarts in (0, 1, 2, 10, 11, 100)
]
NUMBERS = (*range(120), 999, 1_000, 9_999, 10_000, 99_999, 100_000)


def test_no_id_is_the_beginning_of_another():
    ids = [bridge_id(name) for name in CALLS]
    ids += [leg_id(name, n) for name in CALLS for n in NUMBERS]
    ids += [numbered(name, "play", n) for name in CALLS for n in NUMBERS]
    told = sorted(one.lower() for one in ids)  # what begins another stands just before one that it begins
    assert not [pair for pair in pairwise(told) if pair[1].startswith(pair[0])]


def test_a_leg_is_known_by_the_id_that_the_version_before_gave_it():
    assert "call-leg-7" in leg_ids("call", 7)
    assert leg_id("call", 7) in leg_ids("call", 7)


def test_the_sweeper_knows_legs_and_bridges_by_their_ids():
    for name in CALLS:
        sweeper = Sweeper()
        assert [sweeper.stale([leg_id(name, 12)], [], at_s) for at_s in (0, 61)] == [[], [leg_id(name, 12)]]
        assert is_bridge(bridge_id(name))
