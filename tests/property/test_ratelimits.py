"""Whatever calls come: no window ever holds more than the limit, and memory holds no more than it needs."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from ari_app.domain.market.marketplace import RateLimit
from ari_app.domain.routing.ratelimits import SlidingWindow

LIMITS = st.builds(RateLimit, max=st.integers(1, 5), within=st.integers(1, 50))
CALLS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20)), max_size=80)


@given(limit=LIMITS, calls=CALLS)
def test_never_are_more_calls_taken_within_any_window_than_the_limit(limit, calls):
    window, taken, now = SlidingWindow(), defaultdict(list), 0
    for key, later_ms in calls:
        now += later_ms
        within = [at for at in taken[key] if now - at < limit.within]
        assert window.has_room(key, limit, now) is (
            len(within) < limit.max
        )  # nor is one refused without need
        if window.has_room(key, limit, now):
            window.take(key, limit, now)
            taken[key].append(now)
    for times in taken.values():
        for at in times:
            assert sum(at <= other < at + limit.within for other in times) <= limit.max


@given(limit=LIMITS, calls=CALLS)
def test_of_a_caller_no_more_is_kept_than_the_limit_allows_calls(limit, calls):
    window, now = SlidingWindow(), 0
    for key, later_ms in calls:
        now += later_ms
        window.take(key, limit, now)
        assert window.kept() <= limit.max * 3
