"""Settings that cannot work are refused; secrets are not shown."""

from itertools import islice

import pytest

from ari_app.ari.backoff import FIRST_S, LONGEST_S, delays
from ari_app.ari.settings import AriSettings


def test_the_password_is_not_shown():
    assert "hush" not in repr(AriSettings("127.0.0.1", 8088, "callrace", "hush"))


def test_an_unknown_event_is_refused():
    with pytest.raises(ValueError, match="StasisBegin not known; known are StasisStart"):
        AriSettings("127.0.0.1", 8088, "callrace", "hush", events=("StasisBegin",))


def test_at_least_one_lane_is_needed():
    with pytest.raises(ValueError, match="at least 1"):
        AriSettings("127.0.0.1", 8088, "callrace", "hush", lanes=0)


def test_waits_between_attempts_grow_and_stay_within_bounds():
    waits = list(islice(delays(), 1000))

    assert all(FIRST_S <= wait <= LONGEST_S for wait in waits)
    assert waits[0] <= 2 * FIRST_S
    assert max(waits) > LONGEST_S / 2


def test_waits_are_spread_so_that_many_do_not_come_at_once():
    assert len({tuple(islice(delays(), 5)) for _ in range(20)}) > 1
