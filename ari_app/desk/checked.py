"""Values as people and programs give them, checked before anything is done with them.

What is none raises `Refused` (INVALID) with the field's name, and why.
"""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError

from ari_app.desk.refused import Code, Refused
from ari_app.domain.basics.fields import CURRENCY_CODE, Text
from ari_app.domain.basics.money import CURRENCIES, parse_amount

_TEXT = TypeAdapter[str](Text)


def invalid(field: str, why: str) -> Refused:
    """What says that a field's value is none."""
    return Refused(Code.INVALID, field=field, why=why)


def currency(code: str) -> str:
    """A currency that ISO 4217 has."""
    if not CURRENCY_CODE.fullmatch(code):
        raise invalid("currency", f"expected a currency code such as EUR, got {code!r}")
    if code not in CURRENCIES:
        raise invalid("currency", f"there is no currency '{code}' in ISO 4217")
    return code


def amount(text: str, currency: str, field: str) -> int:
    """The minor units of an amount such as `42.00`, zero or more."""
    try:
        return parse_amount(text, currency)
    except ValueError as error:
        raise invalid(field, f"{error}, got {text!r}") from error


def positive(text: str, currency: str, field: str) -> int:
    """The same, more than zero."""
    minor = amount(text, currency, field)
    if minor == 0:
        raise invalid(field, "expected more than zero")
    return minor


def taken_back(text: str | None, currency: str, field: str) -> int:
    """The minor units that an amount such as `-10.00` takes back, a positive number; nothing: 0."""
    if text is None:
        return 0
    minor = amount(text.removeprefix("-"), currency, field)
    if not text.startswith("-") or minor == 0:
        raise invalid(field, f"expected an amount that is taken back, such as -10.00, got {text!r}")
    return minor


def line(text: str, field: str) -> str:
    """A text on one line that is kept, and shown to people, such as a key."""
    try:
        return _TEXT.validate_python(text)
    except ValidationError as error:
        raise invalid(field, str(error.errors()[0]["ctx"]["error"])) from error


def reason(text: str, field: str = "reason") -> str:
    """A text that tells why, on one line, however long."""
    if not text.strip() or not text.isprintable():
        raise invalid(field, "expected a reason on one line")
    return text
