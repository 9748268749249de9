"""What is a telephone number, in whatever way it is written, and what only looks like one."""

from __future__ import annotations

import pytest

from ari_app.domain.basics.fields import PHONE_NUMBER
from ari_app.domain.calls.telephone import caller, e164

LONDON = "+442071234567"
ANI = "+12125550142"


@pytest.mark.parametrize(
    "written",
    [
        "+12125550142", "12125550142", "2125550142", "212-555-0142", "(212) 5550142", "(212) 555-0142",
        "1-212-555-0142", "+1 (212) 555.0142", "0012125550142", "01112125550142", "00 1 212 555 0142",
    ],
)  # fmt: skip
def test_a_number_at_home(written: str) -> None:
    assert e164(written) == caller(written) == ANI


@pytest.mark.parametrize("written", [LONDON, "011442071234567", "00442071234567", "+44 20 7123 4567"])
def test_a_number_abroad(written: str) -> None:
    assert e164(written) == caller(written) == LONDON


@pytest.mark.parametrize(
    ("written", "context", "number"),
    [
        ("212-555-0142", "+1", ANI),
        ("5550142", "+1212", ANI),
        ("12125550142", "+1", ANI),  # the context is in it already
        ("+12125550142", "+44", ANI),
        ("2071234567", "+44", LONDON),
        ("2125550142", "carrier.example", ANI),
        ("5550142", "carrier.example", None),
    ],
)
def test_a_number_is_read_behind_its_context(written: str, context: str, number: str | None) -> None:
    assert e164(written, context) == number


@pytest.mark.parametrize(
    "written",
    [
        "", "+", "anonymous", "Unavailable", "sip", "5550142", "911", "+1212555014", "+121255501423", "1125550142",
        "2120550142", "442071234567", "+011442071234567", "+1234567", "+12125550142x9", "500&PJSIP/agents",
        "2125550142,1,Dial", "\u0662125550142", "+1212555\n0142", "0" * 10, "0" * 11, "+" + "0" * 11, "1" * 41,
    ],
)  # fmt: skip
def test_what_is_no_number(written: str) -> None:
    assert e164(written) is caller(written) is None


WORDS = {
    "ANONYMOUS": "266696687",
    "RESTRICTED": "7378742833",
    "UNAVAILABLE": "86282452253",
    "BLOCKED": "2562533",
    "UNKNOWN": "8656696",
    "PRIVATE": "7748483",
}


@pytest.mark.parametrize("prefix", ["", "+", "1", "+1", "00", "011", "+1 "])
@pytest.mark.parametrize("word", WORDS)
def test_a_word_spelt_on_the_keypad_is_nobodys_number(word: str, prefix: str) -> None:
    assert caller(prefix + WORDS[word]) is None


@pytest.mark.parametrize(
    "written",
    [
        "+15555555555", "5555555555", "+12222222222", "+15550001234", "+19115550142", "+12129110142", "+2222222222",
        "+99999999999", "+4400000000", "+49000000000",
    ],
)  # fmt: skip
def test_filler_is_nobodys_number(written: str) -> None:
    assert caller(written) is None


@pytest.mark.parametrize("written", ["+12125550100", "+18005550101", "+16215550142", "+12125000000", LONDON])
def test_what_may_be_somebodys_is_theirs(written: str) -> None:
    assert caller(written) == written
    assert PHONE_NUMBER.fullmatch(written)
