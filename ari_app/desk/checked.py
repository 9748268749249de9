"""Checks the values that people and programs give, before they are used.

An invalid value raises `Refused` (INVALID) with the field's name and the reason.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pydantic import TypeAdapter, ValidationError

from ari_app.desk.refused import Code, Refused
from ari_app.domain.basics.clock import FIRST_MS, LAST_MS
from ari_app.domain.basics.fields import CURRENCY_CODE, PHONE_NUMBER, Id, Text
from ari_app.domain.basics.money import CURRENCIES, parse_amount

LONGEST_WORD = 200
MOST_LISTED = 10_000
MOST_SERIAL = 2**31 - 1
_TEXT = TypeAdapter[str](Text)
_ID = TypeAdapter[str](Id)


def invalid(field: str, why: str) -> Refused:
    """The refusal for a field whose value is invalid."""
    return Refused(Code.INVALID, field=field, why=why)


def word(text: str, field: str) -> str:
    """A text to search by, such as an id or the beginning of one. Whether such a thing exists is not checked."""
    if len(text) > LONGEST_WORD or not text.isprintable():
        raise invalid(field, f"expected at most {LONGEST_WORD} characters on one line, got {_shown(text)}")
    return text


def words(chosen: Mapping[str, str] | None, known: Collection[str]) -> dict[str, str]:
    """Names and values to select by, such as `{"campaign": "plumbing"}`; each name must be one of `known`."""
    for name, value in (chosen or {}).items():
        if name not in known:
            raise invalid("only", f"expected {', '.join(sorted(known))}, got {_shown(name)}")
        word(value, name)
    return dict(chosen or {})


def text(text: str, field: str) -> str:
    """A text that may have many lines, and that a file or the database can hold."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise invalid(field, "it is not text: half of a surrogate pair is in it") from error
    return text


def limit(count: int) -> int:
    """How many items of a list are asked for."""
    if not 1 <= count <= MOST_LISTED:
        raise invalid("limit", f"expected 1 to {MOST_LISTED}, got {count}")
    return count


def moment(at: int, field: str) -> int:
    """A time in ms that can be written as a date in UTC: from the year 1 to the year 9999."""
    if not FIRST_MS <= at <= LAST_MS:
        raise invalid(field, "expected a time from the year 1 until 9999")
    return at


def phone_number(text: str, field: str) -> str:
    """A phone number in E.164."""
    if not PHONE_NUMBER.fullmatch(text):
        raise invalid(field, f"{_shown(text)} is not a phone number such as +18005550101")
    return text


def currency(code: str, field: str = "currency") -> str:
    """A currency code of ISO 4217."""
    if not CURRENCY_CODE.fullmatch(code):
        raise invalid(field, f"expected a currency code such as EUR, got {_shown(code)}")
    if code not in CURRENCIES:
        raise invalid(field, f"there is no currency '{code}' in ISO 4217")
    return code


def amount(text: str, currency: str, field: str) -> int:
    """An amount such as `42.00`, in minor units; zero or more."""
    try:
        return parse_amount(text, currency)
    except ValueError as error:
        raise invalid(field, f"{error}, got {_shown(text)}") from error


def positive(text: str, currency: str, field: str) -> int:
    """The same as `amount`, but more than zero."""
    minor = amount(text, currency, field)
    if minor == 0:
        raise invalid(field, "expected more than zero")
    return minor


def reversed_amount(text: str | None, currency: str, field: str) -> int:
    """What a negative amount such as `-10.00` reverses, in minor units, as a positive number; 0 for None."""
    if text is None:
        return 0
    minor = amount(text.removeprefix("-"), currency, field)
    if not text.startswith("-") or minor == 0:
        raise invalid(field, f"expected an amount that is taken back, such as -10.00, got {_shown(text)}")
    return minor


def line(text: str, field: str) -> str:
    """A text of one line that is saved and shown to people, such as a key."""
    return _validated(_TEXT, text, field)


def owned_id(text: str, field: str) -> str:
    """A text that is a valid id of something in the marketplace."""
    return _validated(_ID, text, field)


def reason(text: str, field: str = "reason") -> str:
    """A reason: one line of text of any length."""
    if not text.strip() or not text.isprintable():
        raise invalid(field, "expected a reason on one line")
    return text


def _validated(kind: TypeAdapter[str], text: str, field: str) -> str:
    try:
        return kind.validate_python(text)
    except ValidationError as error:
        raise invalid(field, str(error.errors()[0]["ctx"]["error"])) from error


def _shown(text: str) -> str:
    return repr(text if len(text) <= LONGEST_WORD else f"{text[:LONGEST_WORD]}...")
