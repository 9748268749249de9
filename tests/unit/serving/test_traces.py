"""In which spellings a number is found in files, and which are other numbers."""

from __future__ import annotations

import io
from urllib.parse import quote

import pytest

from ari_app.serving.traces import Traces, found_in
from ari_app.settings import Settings

WAYS = ("+12125550142", "12125550142", "2125550142", "212-555-0142", "(212) 555.0142", "+1 (212) 555-0142")
OTHERS = ("+12125550143", "+442125550142", "22125550142", "21255501421", "212x5550142")


def erased(text: str) -> str:
    """What is left of a text."""
    data = bytearray(text.encode())
    for at, length in found_in(io.BytesIO(bytes(data)), Traces(Settings.from_env({}), "+12125550142")._spelt):
        data[at : at + length] = b"#" * length
    return data.decode()


@pytest.mark.parametrize("number", WAYS)
@pytest.mark.parametrize("around", ["{}", "<sip:{}@h>", '"{}" <sip:x@h>', "tel:{};phone-context=+1"])
def test_a_number_is_found_in_every_spelling_as_it_is_and_as_the_dialplan_encodes_it(
    number: str, around: str
) -> None:
    for text in (around.format(number), "(((" + quote(around.format(number), safe="-_.!~*'()")):
        assert not any(part in erased(text) for part in ("0142", "212"))


@pytest.mark.parametrize("number", OTHERS)
def test_other_numbers_stay(number: str) -> None:
    for text in (f"<sip:{number}@h>", quote(f"<sip:{number}@h>", safe="")):
        assert erased(text) == text
