"""A key that Asterisk tells twice was pressed once. The times are those that Asterisk 22.10.1 told."""

import pytest

from ari_app.domain.ivr.echoes import Echoes

FIFTY_ON_FORTY_OFF = "1 309 0 391 0 478 0 516 2 559 2 642 3 643 3 768"
FORTY_ON_FORTY_OFF = (
    "1 832 1 913 2 995 2 1039 2 1077 2 1170 3 1171 3 1299 3 1299 3 1425 4 1425 4 1552 4 1552 4 1679 5 1679 5 1804"
    " 5 1804 5 1929"
)
THE_SAME_AGAIN = (
    "1 382 1 465 2 548 2 591 2 641 2 717 3 722 3 849 3 849 3 976 4 976 4 1101 4 1101 4 1226 5 1226 5 1351 5 1351"
    " 5 1476"
)


def heard(told: str, duration_ms: int) -> str:
    """What is left of reports, given as a digit and its time in ms, one after the other."""
    words, echoes = told.split(), Echoes()
    reports = zip(words[::2], map(int, words[1::2]), strict=True)
    return "".join(digit for digit, at in reports if not echoes.is_echo(digit, at, duration_ms))


@pytest.mark.parametrize(
    ("told", "pressed"),
    [(FIFTY_ON_FORTY_OFF, "10023"), (FORTY_ON_FORTY_OFF, "1122334455"), (THE_SAME_AGAIN, "1122334455")],
)
def test_what_a_machine_dials_fast_is_heard_as_it_was_dialled(told: str, pressed: str) -> None:
    assert heard(told, 40) == pressed


@pytest.mark.parametrize(
    ("on_ms", "off_ms"), [(100, 40), (50, 50), (40, 60), (80, 46), (100, 60), (150, 200)]
)
@pytest.mark.parametrize("digits", ["11", "111", "10023", "99999"])
def test_what_is_told_once_is_never_taken_away(digits: str, on_ms: int, off_ms: int) -> None:
    told = " ".join(f"{digit} {5_000 + n * (on_ms + off_ms)}" for n, digit in enumerate(digits))
    assert heard(told, on_ms) == digits


@pytest.mark.parametrize("apart_ms", [150, 200, 300])
def test_a_phone_that_says_250_ms_of_every_key_is_believed_in_each(apart_ms: int) -> None:
    """SIP INFO without a word of how long: Asterisk fills in, and people press faster than that."""
    assert heard(" ".join(f"1 {1_000 + n * apart_ms}" for n in range(2)), 250) == "11"


def test_a_key_that_is_told_twice_within_40_ms_is_one() -> None:
    assert heard("1 1000 1 1038", 40) == "1"


def test_an_echo_that_never_comes_takes_no_key_away_later() -> None:
    assert heard("1 1000 2 1080 3 1160 3 1500", 40) == "1233"
