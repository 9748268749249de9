"""How a line will have sounded, by the packets that it carried."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_app.domain.calls.rtp import RtpStatistics, estimated_mos


@pytest.mark.parametrize(
    ("delay_ms", "lost_percent", "mos"),
    [
        (0, 0, 4.41),  # G.107's own figure for its defaults
        (20, 0, 4.4),
        (177.3, 0, 4.32),
        (400, 0, 3.05),
        (20, 1, 4.31),
        (20, 5, 3.90),
        (20, 20, 2.61),
        (20, 100, 1.16),
        (3_000, 0, 1.0),
    ],
)
def test_the_estimate_falls_with_delay_and_loss(delay_ms: float, lost_percent: float, mos: float) -> None:
    assert estimated_mos(delay_ms, lost_percent) == pytest.approx(mos, abs=0.015)


@given(st.floats(0, 60_000), st.floats(0, 100), st.floats(0, 1_000), st.floats(0, 100))
def test_more_delay_or_loss_never_sounds_better(delay: float, lost: float, more: float, worse: float) -> None:
    best = estimated_mos(delay, lost)
    assert 1.0 <= estimated_mos(delay + more, lost) <= best <= 4.41
    assert 1.0 <= estimated_mos(delay, min(lost + worse, 100)) <= best


def test_a_tenth_that_was_lost_is_heard() -> None:
    clean, lossy = RtpStatistics(1000, 0, 1000, 0), RtpStatistics(900, 100, 1000, 0)
    assert (clean.lost_share, lossy.lost_share) == (0.0, 0.1)
    assert clean.mos == 4.4
    assert lossy.mos is not None and lossy.mos < 3.5


def test_of_a_party_from_whom_nothing_came_there_is_no_estimate() -> None:
    assert RtpStatistics(0, 0, 500, 0).mos is None
    assert RtpStatistics(0, 12, 500, 0).mos is None


def test_jitter_and_a_long_way_are_delay() -> None:
    near, far = RtpStatistics(100, 0, 100, 0), RtpStatistics(100, 0, 100, 0, jitter_ms=60, round_trip_ms=300)
    assert near.mos is not None and far.mos is not None and far.mos < near.mos
