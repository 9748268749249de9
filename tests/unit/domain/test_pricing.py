"""What a call comes to: fixed, by the minute, as a share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_app.domain.market.terms import Rate
from ari_app.domain.terms.pricing import amount

AMOUNTS = st.integers(0, 10**9)
TIMES = st.integers(0, 10**8)


@pytest.mark.parametrize(
    ("rate", "talked_ms", "comes_to"),
    [
        (4200, 0, 4200),
        (Rate(per_minute=120), 0, 0),
        (Rate(per_minute=120), 1, 120),
        (Rate(per_minute=120), 60_000, 120),
        (Rate(per_minute=120), 60_001, 240),
        (Rate(per_minute=120, increment=6_000), 61_000, 132),
        (Rate(per_minute=125, increment=1_000), 30_000, 63),  # 62.5, rounded half up
        (Rate(per_minute=120, minimum=500), 1, 500),
        (Rate(per_minute=120, maximum=300), 600_000, 300),
    ],
)
def test_minutes_are_counted_in_started_increments(rate, talked_ms, comes_to):
    assert amount(rate, talked_ms) == comes_to


@pytest.mark.parametrize(
    ("rate", "price", "comes_to"),
    [
        (Rate(share=7_000), 4_200, 2_940),
        (Rate(share=1_250), 4, 1),  # 0.5, rounded half up
        (Rate(share=7_000, minimum=3_000), 4_200, 3_000),
        (Rate(share=7_000, maximum=1_000), 4_200, 1_000),
    ],
)
def test_a_share_is_of_the_price(rate, price, comes_to):
    assert amount(rate, 95_000, price) == comes_to


@given(share=st.integers(1, 10_000), price=AMOUNTS)
def test_a_share_never_exceeds_the_price(share, price):
    assert 0 <= amount(Rate(share=share), 0, price) <= price


@given(
    per_minute=AMOUNTS,
    increment=st.integers(1, 3_600_000),
    bounds=st.tuples(st.none() | AMOUNTS, st.none() | AMOUNTS),
    talked_ms=TIMES,
    longest_ms=TIMES,
)
def test_bounds_hold_and_a_longer_call_never_costs_less(per_minute, increment, bounds, talked_ms, longest_ms):
    low, high = sorted(bounds, key=lambda bound: -1 if bound is None else bound)
    if high is None:
        low, high = None, low
    rate = Rate(per_minute=per_minute, increment=increment, minimum=low, maximum=high)
    found = amount(rate, min(talked_ms, longest_ms))
    assert found >= (low or 0)
    assert high is None or found <= high
    assert found <= amount(rate, longest_ms)
