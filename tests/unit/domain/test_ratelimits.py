"""How often one caller may call, and one tracking number be called."""

from ari_app.domain.market.marketplace import RateLimit, Screening
from ari_app.domain.routing import ratelimits as module
from ari_app.domain.routing.ratelimits import InMemoryRateLimits, SlidingWindow

DID, ANI = "+18005550101", "+12125550142"
TWICE = RateLimit(max=2, within=60_000)


def taken(rules, *calls, limits=None):
    """Whether each call (did, ani, at) is taken, one after the other."""
    limits = limits or InMemoryRateLimits()
    return [limits.refusal(rules, did, ani, at) is None for did, ani, at in calls]


def test_a_caller_who_calls_too_often_is_refused_until_the_window_has_passed():
    calls = [(DID, ANI, at) for at in (0, 10_000, 59_999, 60_000, 69_999, 70_000)]
    assert taken(Screening(per_ani=TWICE), *calls) == [True, True, False, True, False, True]


def test_a_callers_calls_to_all_numbers_count():
    calls = [("+18005550101", ANI, 0), ("+18005550102", ANI, 1), ("+18005550103", ANI, 2)]
    assert taken(Screening(per_ani=TWICE), *calls) == [True, True, False]


def test_a_number_that_is_called_too_often_is_capped_whoever_calls():
    rules, limits = Screening(per_did=TWICE), InMemoryRateLimits()
    assert taken(rules, (DID, ANI, 0), (DID, None, 1), limits=limits) == [True, True]
    refusal = limits.refusal(rules, DID, "+12125550143", 2)
    assert (refusal.disposition, refusal.announce) == ("capped", None)
    assert refusal.reason == f"{DID} was called 2 times within 1m, as often as a number may be"


def test_anonymous_callers_are_not_taken_for_one_caller():
    assert all(taken(Screening(per_ani=TWICE), *[(DID, None, at) for at in range(9)]))


def test_a_caller_who_is_refused_does_not_use_up_the_number():
    rules = Screening(per_ani=RateLimit(max=1, within=60_000), per_did=TWICE)
    calls = [(DID, ANI, 0), (DID, ANI, 1), (DID, ANI, 2), (DID, "+12125550143", 3)]
    assert taken(rules, *calls) == [True, False, False, True]


def test_the_refusal_tells_who_and_how_often():
    rules, limits = Screening(per_ani=RateLimit(max=1, within=600_000)), InMemoryRateLimits()
    assert taken(rules, (DID, ANI, 0), limits=limits) == [True]
    refusal = limits.refusal(rules, DID, ANI, 1)
    assert (refusal.disposition, refusal.announce) == ("blocked", None)
    assert refusal.reason == f"{ANI} has called 1 time within 10m, as often as a caller may"


def test_a_limit_that_is_lowered_holds_at_once():
    window = SlidingWindow()
    for at in range(3):
        window.take(ANI, RateLimit(max=5, within=60_000), at)
    assert not window.has_room(ANI, TWICE, 10)


def test_a_clock_that_was_set_back_keeps_nobody_out():
    window = SlidingWindow()
    for _ in range(2):
        window.take(ANI, TWICE, 3_600_000)
    assert window.has_room(ANI, TWICE, 0)


def test_of_callers_those_that_called_last_are_remembered(monkeypatch):
    monkeypatch.setattr(module, "KEYS_KEPT", 2)
    window, once = SlidingWindow(), RateLimit(max=1, within=60_000)
    for caller in ("one", "two", "three"):
        window.take(caller, once, 0)
    assert [window.has_room(caller, once, 1) for caller in ("one", "two", "three")] == [True, False, False]
