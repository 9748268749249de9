"""Endings around the payable second, put together and looked at."""

from __future__ import annotations

from ari_app.domain.reports.forensics import Ending, Nearness, by_party, histogram, nearness, talked_ms


def ending(second: int, connections: int = 1, party: str = "a") -> Ending:
    return Ending(party, 90_000, second, connections)


def test_the_histogram_has_every_second_and_both_ends() -> None:
    seconds = histogram([ending(-1, 2), ending(-1, 3, "b"), ending(15)])
    assert list(seconds) == list(range(-16, 16))
    assert (seconds[-1], seconds[15], seconds[0]) == (5, 1, 0)


def test_just_before_and_just_after_are_five_seconds_each() -> None:
    near = nearness([ending(second) for second in range(-16, 16)])
    assert near == Nearness(32, 5, 5)
    assert near.skew == 1.0


def test_nobody_just_after_leaves_the_skew_open() -> None:
    assert nearness([ending(-2)]).skew is None


def test_parties_are_told_apart_the_largest_first() -> None:
    found = by_party([ending(-1, 1, "a"), ending(3, 4, "b"), ending(-2, 2, "b")])
    assert list(found.items()) == [("b", Nearness(6, 2, 4)), ("a", Nearness(1, 1, 0))]


def test_seconds_say_how_long_the_connections_were() -> None:
    assert talked_ms(90_000, -5, -1) == (85_000, 90_000)
    assert talked_ms(90_000, -16, -16) == (None, 75_000)
    assert talked_ms(90_000, 15, 15) == (105_000, None)


def test_seconds_before_a_short_payable_one_have_no_negative_length() -> None:
    assert talked_ms(4_000, -5, -1) == (0, 4_000)
    assert talked_ms(4_000, -16, -16) == (None, 0)
