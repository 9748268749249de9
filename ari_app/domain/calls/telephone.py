"""Telephone numbers as carriers write them, made E.164; and digits that are no telephone number.

North America is where Callrace's trunks are: `011` leads abroad there, and ten digits are a number at home.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST = 40  # characters that a number is ever written in, prefixes and separators included

_NORTH_AMERICA = r"1[2-9]\d{2}[2-9]\d{6}"
_E164 = re.compile(rf"\+(?:{_NORTH_AMERICA}|[2-9]\d{{7,14}})", re.ASCII)
_DIGITS = re.compile(r"\+?\d{1,25}", re.ASCII)
_CONTEXT = re.compile(r"\+\d{1,10}", re.ASCII)
_SEPARATORS = str.maketrans("", "", "-.() /")  # RFC 3966, 5.1.1, and what people put between digits

_KEYPAD = dict(zip("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999", strict=True))
_WORDS = (
    "anonymous", "restricted", "unavailable", "blocked", "unknown", "private", "withheld", "outofarea",
)  # fmt: skip
_WORD_DIGITS = frozenset("".join(map(_KEYPAD.__getitem__, word)) for word in _WORDS)

_SERVICE_CODE = re.compile(r"[2-9]11", re.ASCII)  # 911, 411: never an area, nor an exchange


def e164(written: str, context: str = "") -> str | None:
    """The number that is written so, in E.164; None where it is none. `context`: RFC 3966's phone-context."""
    if len(written) > LONGEST:
        return None
    digits = written.translate(_SEPARATORS)
    if not _DIGITS.fullmatch(digits):
        return None
    readings = _readings(digits, context.translate(_SEPARATORS))
    return next((number for number in readings if _E164.fullmatch(number)), None)


def caller(written: str, context: str = "") -> str | None:
    """The caller's number that is written so, in E.164; None where it is none, or stands for a caller who hides."""
    number = e164(written, context)
    return None if number is None or is_nobodys(number) else number


def is_nobodys(number: str) -> bool:
    """Whether a number in E.164 cannot be a telephone's: it spells a word (ANONYMOUS is 266696687), or is filler."""
    digits = number.removeprefix("+")
    at_home = digits[1:] if digits.startswith("1") else digits
    if digits in _WORD_DIGITS or at_home in _WORD_DIGITS:
        return True
    if len(set(at_home)) == 1 or digits.endswith("00000000"):
        return True
    return digits.startswith("1") and (
        at_home.startswith("555") or any(map(_SERVICE_CODE.fullmatch, (at_home[:3], at_home[3:6])))
    )


def _readings(digits: str, context: str) -> Iterator[str]:
    """What the digits may mean, the likeliest first."""
    if digits.startswith("+"):
        yield digits
        return
    if _CONTEXT.fullmatch(context):
        yield context + digits
    for abroad in ("011", "00"):
        if digits.startswith(abroad):
            yield "+" + digits.removeprefix(abroad)
    if digits.startswith("1"):
        yield "+" + digits
    yield "+1" + digits
