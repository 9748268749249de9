"""What Asterisk says of a line is read, whatever it says."""

from __future__ import annotations

import pytest

from ari_app.domain.calls.rtp import RtpStatistics
from ari_app.switch.rtp import of_answer, of_variable

SAID = (
    "ssrc=1520855626;themssrc=3815044379;lp=7;rxjitter=0.000000;rxcount=158;txjitter=0.012400;txcount=160;"
    "rlp=2;rtt=0.050000;rxmes=0.000000;txmes=88.087887"
)


def test_the_variable_is_read_with_the_jitter_that_was_measured_here() -> None:
    assert of_variable(SAID) == RtpStatistics(158, 7, 160, 2, jitter_ms=12, round_trip_ms=50)


def test_the_answer_to_a_request_says_the_same() -> None:
    answer = {"rxcount": 158, "rxploss": 7, "txcount": 160, "txploss": 2, "txjitter": 0.0124, "rtt": 0.05}
    assert of_answer(answer) == of_variable(SAID)


def test_packets_that_came_twice_are_not_four_thousand_million_lost_ones() -> None:
    read = of_variable(SAID.replace("lp=7", "lp=4294967290", 1))
    assert read is not None and read.received_lost == 0


@pytest.mark.parametrize(
    "said",
    [
        "",
        ";",
        "rxcount=158",
        SAID.replace("158", "-1"),
        SAID.replace("0.012400", "-nan"),
        SAID.replace("0.050000", "inf"),
        SAID.replace("158", "many"),
        SAID.replace("158", "0").replace("160", "0"),
    ],
)
def test_what_says_nothing_is_not_known(said: str) -> None:
    assert of_variable(said) is None


def test_an_answer_without_its_fields_is_not_known() -> None:
    assert of_answer({}) is None
    assert of_answer({"rxcount": None}) is None
