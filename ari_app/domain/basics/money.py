"""Amounts of money: integers in a currency's minor unit, and their text.

The number of decimals is ISO 4217's minor unit exponent. A float never becomes an amount.
"""

from __future__ import annotations

import re

_LIST_ONE = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF "
    "CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF "
    "GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD "
    "LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP "
    "PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP "
    "TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"
)
CURRENCIES = frozenset(_LIST_ONE.split())
"""ISO 4217, list one, of January 2026, without metals, units of account and codes for tests; with ANG and BGN, which
were withdrawn in 2025 and 2026: money may still be owed in them."""

# Every one of them whose exponent is not 2.
_DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_EXPONENTS = {currency: decimals for decimals, names in _DECIMALS.items() for currency in names.split()}
_RATE_PLACES = 4
RATE_UNIT = 10_000
"""How many units of a rate are one minor unit: a rate has four decimals more."""
_AMOUNT = re.compile(r"(\d{1,12})(?:\.(\d+))?", re.ASCII)


def exponent(currency: str) -> int:
    """How many decimals the currency has: 2 for USD, 0 for JPY, 3 for KWD."""
    return _EXPONENTS.get(currency, 2)


def parse_amount(value: object, currency: str) -> int:
    """The minor units of an amount: `"42.00"` and `42` in USD are 4200.

    Raises ValueError, saying what was expected: for a float (it is not exact), a negative amount,
    more decimals than the currency has, or more than twelve digits before the point.
    """
    if isinstance(value, float):
        raise ValueError(f'expected an amount in quotes, such as "{_example(currency)}"')
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f'expected an amount such as "{_example(currency)}"')
    text = str(value)
    if text.startswith("-"):
        raise ValueError(f'expected an amount that is not negative, such as "{_example(currency)}"')
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise ValueError(f'expected an amount such as "{_example(currency)}"')
    places = exponent(currency)
    decimals = match[2] or ""
    if len(decimals) > places:
        raise ValueError(f"expected an amount with at most {places} decimals, as {currency} has")
    return int(match[1] + decimals.ljust(places, "0"))


def parse_rate(value: object, currency: str) -> int:
    """A carrier's rate, with up to four decimals more than amounts, in 1/RATE_UNIT of the minor unit.

    `"0.0125"` in USD is 12,500. Raises ValueError as `parse_amount`.
    """
    text, places = str(value), exponent(currency)
    match = _AMOUNT.fullmatch(text) if isinstance(value, str) else None
    if match is None or len(match[2] or "") > places + _RATE_PLACES:
        raise ValueError(
            f'expected a rate in quotes such as "0.0125", with at most {places + _RATE_PLACES} decimals'
        )
    return int(match[1] + (match[2] or "").ljust(places + _RATE_PLACES, "0"))


def format_rate(rate: int, currency: str) -> str:
    """The text of a rate, without the further decimals that are zero at its end."""
    whole, _, decimals = _decimal(rate, exponent(currency) + _RATE_PLACES).partition(".")
    kept = decimals.rstrip("0").ljust(exponent(currency), "0")
    return f"{whole}.{kept}" if kept else whole


def format_amount(minor: int, currency: str) -> str:
    """The text of an amount: 4200 in USD is `42.00`. A negative balance has a minus sign in front."""
    return _decimal(minor, exponent(currency))


def _decimal(number: int, places: int) -> str:
    digits = str(abs(number)).rjust(places + 1, "0")
    sign = "-" if number < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def _example(currency: str) -> str:
    return format_amount(42 * 10 ** exponent(currency), currency)
