"""Asterisk's clock, seen from here."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_app.ari.remoteclock import FORGET_MS, LATEST_MS, WINDOW_MS, RemoteClock


class Now:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.ms = 1_000_000_000

    def __call__(self) -> int:
        return self.ms


@given(
    ahead_ms=st.integers(-10_000_000, 10_000_000),
    events=st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 3_000)), min_size=1, max_size=60),
)
def test_an_event_is_told_no_earlier_than_it_was_and_no_later_than_it_came(ahead_ms, events):
    now = Now()
    clock, quickest = RemoteClock(now), None
    for passed, took in events:
        now.ms += passed
        quickest = took if quickest is None else min(quickest, took)
        told = clock.ours(now.ms - took + ahead_ms)
        assert now.ms - took <= told <= now.ms
        if now.ms - Now().ms < WINDOW_MS:
            assert told == now.ms - took + quickest


@pytest.mark.parametrize("ahead_ms", [-5_000, 5_000])
def test_a_late_event_is_known_by_those_that_were_not(ahead_ms):
    now = Now()
    clock = RemoteClock(now)
    clock.ours(now.ms + ahead_ms)
    now.ms += 30 * 60_000  # a long conversation on a silent exchange
    assert clock.ours(now.ms - 4_000 + ahead_ms) == now.ms - 4_000


def test_a_clock_that_was_set_a_little_is_followed_within_two_windows():
    now = Now()
    clock = RemoteClock(now)
    for _ in range(5):
        clock.ours(now.ms)
        now.ms += WINDOW_MS // 2
    for _ in range(5):  # Asterisk's was set back
        told = clock.ours(now.ms - 5_000)
        now.ms += WINDOW_MS // 2
    assert told == now.ms - WINDOW_MS // 2


def test_a_clock_that_was_set_by_more_than_an_event_can_be_late_is_followed_at_once():
    now = Now()
    clock = RemoteClock(now)
    clock.ours(now.ms)
    assert clock.ours(now.ms - LATEST_MS - 1) == now.ms
    assert clock.ours(now.ms - LATEST_MS - 1 - 500) == now.ms - 500


def test_what_was_seen_long_ago_says_nothing_as_clocks_drift_apart():
    now = Now()
    clock = RemoteClock(now)
    clock.ours(now.ms)
    now.ms += FORGET_MS
    assert clock.ours(now.ms - 2_000) == now.ms
