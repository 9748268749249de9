"""The field types of a marketplace: what a document may say, and the value it becomes.

Every type refuses a wrong value with a ValueError in plain words ("expected ..."); `document` adds
the file, the line and what was there instead.

A document is validated with a context (`{"currency": "USD"}`): in it an amount is `"42.00"` and a
duration `"30s"`. An object with a currency of its own has its amounts in that (IN_OWN_CURRENCY). A record
that Python creates has no context, and already has minor units and milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Annotated, Any, TypeVar
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    PlainSerializer,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapSerializer,
    WrapValidator,
)

from ari_app.domain.basics.clock import from_iso, iso
from ari_app.domain.basics.durations import format_duration, parse_duration
from ari_app.domain.basics.money import format_amount, format_rate, parse_amount, parse_rate
from ari_app.domain.basics.states import STATE_NAMES

SIZES = {
    "billboard": "970x250",
    "half-page": "300x600",
    "large-mobile-banner": "320x100",
    "large-rectangle": "336x280",
    "leaderboard": "728x90",
    "medium-rectangle": "300x250",
    "mobile-banner": "320x50",
    "portrait": "300x1050",
    "square": "250x250",
    "wide-skyscraper": "160x600",
}
"""The IAB's names of the sizes that ads have, in CSS pixels."""

PHONE_NUMBER = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
"""E.164, with its country code, and long enough to be dialled."""

_CALLER_PATTERN = re.compile(rf"{PHONE_NUMBER.pattern}|\+[1-9]\d{{0,13}}\*", re.ASCII)
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}", re.ASCII)
_SHARE = re.compile(r"(\d{1,3})(?:\.(\d{1,2}))?%", re.ASCII)
_ZIP = re.compile(r"\d{5}", re.ASCII)
_AREA_CODE = re.compile(r"[2-9]\d{2}", re.ASCII)

CURRENCY_CODE = re.compile(r"[A-Z]{3}", re.ASCII)
"""ISO 4217."""

_A_CURRENCY = "a currency code such as USD"

# No character here has a meaning in Dial(): no & (a further target), no / , ( ) ^ or space.
_SIP_URI = re.compile(
    r"sip:[A-Za-z0-9._+-]{1,64}"
    r"@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,20}"
    r"(?::(\d{1,5}))?(?:;transport=(?:udp|tcp|tls))?",
    re.ASCII,
)
_SOUND = re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*", re.ASCII)

# A part never begins with a dot, so there is no parent folder and no hidden file.
_FILE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*", re.ASCII)

# A host, not an address of a network; then a path and a query of plain characters.
_WEB_ADDRESS = re.compile(
    r"https://[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,20}(?::\d{1,5})?"
    r"(?:/[A-Za-z0-9._~!$()*+,;=:@%/-]{0,500})?(?:\?[A-Za-z0-9._~!$()*+,;=:@%/?&-]{0,500})?",
    re.ASCII,
)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SIZE = re.compile(r"([1-9]\d{0,3})x([1-9]\d{0,3})", re.ASCII)
_LARGEST_SIDE = 2_000
_LONGEST_MARKUP = 10_000
_LONGEST_SPEECH = 1_000
_LONGEST_TEXT = 200


def _amount(value: object, info: ValidationInfo) -> int:
    if info.context is not None:
        return parse_amount(value, info.context["currency"])
    return _whole(value)


def _amount_text(value: int, info: SerializationInfo) -> str | int:
    return format_amount(value, info.context["currency"]) if info.context else value


def _rate(value: object, info: ValidationInfo) -> int:
    return _whole(value) if info.context is None else parse_rate(value, info.context["currency"])


def _rate_text(value: int, info: SerializationInfo) -> str | int:
    return format_rate(value, info.context["currency"]) if info.context else value


def _amounts(value: object, info: ValidationInfo) -> object:
    if not isinstance(value, Mapping):
        return value
    found = {}
    for currency, amount in value.items():
        if not isinstance(currency, str) or not CURRENCY_CODE.fullmatch(currency):
            raise ValueError(f"expected {_A_CURRENCY}, and its amount")
        try:
            found[currency] = _whole(amount) if info.context is None else parse_amount(amount, currency)
        except ValueError as error:
            raise ValueError(f"{error} for {currency}") from error
    return found


def _amount_texts(value: Mapping[str, int], info: SerializationInfo) -> dict[str, str | int]:
    return {code: format_amount(amount, code) if info.context else amount for code, amount in value.items()}


def _validated(value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    own = value.get("currency") if isinstance(value, Mapping) else None
    with _amounts_in(own, info.context):
        return handler(value)


def _serialized(value: Any, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> Any:
    with _amounts_in(value.currency, info.context):
        return handler(value)


@contextmanager
def _amounts_in(own: object, context: dict[str, Any] | None) -> Iterator[None]:
    """While the context lasts, amounts are in their own currency. (The validation context belongs to one document.)"""
    if context is None or not isinstance(own, str):
        yield
        return
    outer, context["currency"] = context["currency"], own
    try:
        yield
    finally:
        context["currency"] = outer


def _duration(value: object, info: ValidationInfo) -> int:
    return parse_duration(value) if info.context is not None else _whole(value)


def _duration_text(value: int, info: SerializationInfo) -> str | int:
    return format_duration(value) if info.context else value


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("expected a whole number that is not negative")
    return value


def _matching(pattern: re.Pattern[str], expected: str, quote: bool = False) -> BeforeValidator:
    """A validator for text that the whole pattern matches. `quote`: if YAML read a number, ask for quotes."""

    def check(value: object) -> str:
        if isinstance(value, str) and pattern.fullmatch(value):
            return value
        if quote and isinstance(value, int | float):
            raise ValueError(f"expected {expected} in quotes, as YAML reads bare digits as a number")
        raise ValueError(f"expected {expected}")

    return BeforeValidator(check)


def _sip_uri(value: object) -> str:
    match = _SIP_URI.fullmatch(value) if isinstance(value, str) else None
    if match is None or not 0 < int(match[1] or 5060) < 65_536:
        raise ValueError("expected a SIP URI such as sip:desk@pbx.example:5060;transport=tcp")
    return match[0]


def _prompt(value: object) -> str:
    kind, _, name = value.partition(":") if isinstance(value, str) else ("", "", "")
    if kind == "sound" and _SOUND.fullmatch(name):
        return f"sound:{name}"
    if kind == "file" and _FILE.fullmatch(name):
        return f"file:{name}"
    if kind == "tts" and name.strip() and name.isprintable() and len(name) <= _LONGEST_SPEECH:
        return f"tts:{name}"
    raise ValueError(
        "expected a prompt such as sound:vm-goodbye (letters, digits, - _ /), file:welcome.wav"
        f' (a path without ..) or "tts:Text to speak." (at most {_LONGEST_SPEECH} characters)'
    )


def _speech(value: object) -> str:
    prompt = _prompt(value)
    if not prompt.startswith("tts:"):
        raise ValueError('expected speech such as "tts:A plumbing call from {state}."')
    return prompt


def _state(value: object) -> str:
    if isinstance(value, bool):
        raise ValueError('expected a state code; in quotes, such as "ON", where YAML reads true or false')
    if isinstance(value, str) and value in STATE_NAMES:
        return value
    raise ValueError("expected a state or province code such as NY, DC, PR or ON")


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


def _timezone(value: object) -> str:
    if isinstance(value, str) and value in _timezones():
        return value
    raise ValueError("expected a time zone such as America/New_York")


def _text(value: object) -> str:
    if isinstance(value, str) and value.strip() and value.isprintable() and len(value) <= _LONGEST_TEXT:
        return value
    if isinstance(value, bool | int | float):
        raise ValueError("expected text in quotes, as YAML reads it as something else")
    raise ValueError(f"expected text of 1 to {_LONGEST_TEXT} characters on one line")


def _markup(value: object) -> str:
    is_short = isinstance(value, str) and 0 < len(value.strip()) <= len(value) <= _LONGEST_MARKUP
    if is_short and all(c.isprintable() or c in "\n\t" for c in str(value)):
        return str(value)
    raise ValueError(f"expected HTML of 1 to {_LONGEST_MARKUP:,} printable characters")


def _size(value: object) -> str:
    text = SIZES.get(value, value) if isinstance(value, str) else ""
    match = _SIZE.fullmatch(text)
    if match and int(match[1]) <= _LARGEST_SIDE and int(match[2]) <= _LARGEST_SIDE:
        return text
    raise ValueError(
        f"expected a size such as 300x250 (at most {_LARGEST_SIDE} each way), or one of {', '.join(SIZES)}"
    )


def whole_between(low: int, high: int) -> BeforeValidator:
    """A validator for whole numbers from `low` to `high`, both included."""

    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"expected a whole number from {low} to {high}")
        return value

    return BeforeValidator(check)


def _miles(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 500:
        raise ValueError("expected a number of miles, more than 0 and at most 500")
    return float(value)


def _moment(value: object, info: ValidationInfo) -> int:
    if info.context is None:
        return _whole(value)
    try:
        if isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None:
            return from_iso(value)
    except ValueError:
        pass
    raise ValueError('expected a time with its offset, in quotes, such as "2026-12-01T00:00-05:00"')


def _moment_text(value: int, info: SerializationInfo) -> str | int:
    return iso(value) if info.context else value


def _share(value: object, info: ValidationInfo) -> int:
    if info.context is None:
        return _whole(value)
    match = _SHARE.fullmatch(value) if isinstance(value, str) else None
    hundredths = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0")) if match else 0
    if not 0 < hundredths <= 10_000:
        raise ValueError('expected a share such as "70%" or "12.5%", more than 0 and at most 100%')
    return hundredths


def _share_text(value: int, info: SerializationInfo) -> str | int:
    if not info.context:
        return value
    whole, rest = divmod(value, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + "%"


def _more_than_zero(value: int) -> int:
    if value == 0:
        raise ValueError("expected a duration of more than 0")
    return value


Item = TypeVar("Item")

OneOf = Annotated[frozenset[Item], PlainSerializer(sorted, return_type=list)]
"""A set; written in order, so that equal records make equal documents."""

Amount = Annotated[int, BeforeValidator(_amount), PlainSerializer(_amount_text)]
"""Money: `"42.00"` in a document, minor units in a record."""

Share = Annotated[int, BeforeValidator(_share), PlainSerializer(_share_text)]
"""A share: `"70%"` in a document, hundredths of a percent in a record."""

Moment = Annotated[int, BeforeValidator(_moment), PlainSerializer(_moment_text)]
"""A moment: `"2026-12-01T00:00-05:00"` in a document, milliseconds since the epoch in a record."""

DurationMs = Annotated[int, BeforeValidator(_duration), PlainSerializer(_duration_text)]
"""A duration: `30s` in a document, milliseconds in a record."""

PositiveMs = Annotated[DurationMs, AfterValidator(_more_than_zero)]
"""A duration of more than 0."""

E164 = Annotated[str, _matching(PHONE_NUMBER, 'a phone number such as "+12125550123"', quote=True)]
"""A phone number with its + and country code."""

CallerPattern = Annotated[
    str, _matching(_CALLER_PATTERN, 'a phone number or a prefix such as "+1900*"', quote=True)
]
"""A phone number, or the beginning of one and a `*`."""

Id = Annotated[str, _matching(_ID, "an id of lower-case letters, digits and -, at most 64", quote=True)]
"""The id that the operator gives to an object; safe in a dial string, a file name and a channel id."""

Name = Annotated[str, _matching(_NAME, "a name of lower-case letters, digits, - and _, at most 64")]
"""The name of an answer."""

Text = Annotated[str, BeforeValidator(_text)]
"""Text for people, on one line."""

Markup = Annotated[str, BeforeValidator(_markup)]
"""HTML, on any number of lines."""

FileName = Annotated[str, _matching(_FILE, "a file such as banner.png (a path without ..)")]
"""An operator's file, relative to the marketplace's."""

Sha256 = Annotated[str, _matching(_SHA256, "a SHA-256 of 64 hexadecimal digits")]
"""The hash of a file's content."""

Size = Annotated[str, BeforeValidator(_size)]
"""Width x height in CSS pixels: `300x250`. A document may say the IAB's name instead."""

WebAddress = Annotated[str, _matching(_WEB_ADDRESS, "an address such as https://www.example.com/plumbing")]
"""A web address (https)."""

Prompt = Annotated[str, BeforeValidator(_prompt)]
"""A prompt: `sound:`, `file:` or `tts:`."""

Speech = Annotated[str, BeforeValidator(_speech)]
"""A `tts:` prompt."""

SipUri = Annotated[str, BeforeValidator(_sip_uri)]
"""A SIP URI that is safe in a dial string."""

StateCode = Annotated[str, BeforeValidator(_state)]
"""A US state, DC, a territory, or a Canadian province."""

ZipCode = Annotated[str, _matching(_ZIP, 'a ZIP code of five digits such as "10001"', quote=True)]
"""A US ZIP code."""

AreaCode = Annotated[str, _matching(_AREA_CODE, 'an area code of three digits such as "212"', quote=True)]
"""A North American area code."""

TimeZone = Annotated[str, BeforeValidator(_timezone)]
"""A zone of the tz database."""

Currency = Annotated[str, _matching(CURRENCY_CODE, _A_CURRENCY)]
"""An ISO 4217 code."""

FineRate = Annotated[int, BeforeValidator(_rate), PlainSerializer(_rate_text)]
"""What a minute costs: `"0.0125"` in a document, 1/RATE_UNIT of the minor unit in a record."""

AmountByCurrency = Annotated[Mapping[str, int], BeforeValidator(_amounts), PlainSerializer(_amount_texts)]
"""Amounts by currency: `{USD: "500.00", JPY: "50000"}`."""

IN_OWN_CURRENCY = (WrapValidator(_validated), WrapSerializer(_serialized))
"""For a record with a field `currency`: its amounts are in that currency; None: in that of the document."""

Miles = Annotated[float, BeforeValidator(_miles)]
"""A radius in miles."""
