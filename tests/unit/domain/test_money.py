"""Amounts: exact, in the currency's own minor unit."""

import pytest

from ari_app.domain.basics.money import _EXPONENTS, CURRENCIES, exponent, format_amount, parse_amount


@pytest.mark.parametrize(
    ("value", "currency", "minor"),
    [
        ("42.00", "USD", 4200),
        ("42", "USD", 4200),
        ("42.5", "USD", 4250),
        (42, "USD", 4200),
        ("0", "USD", 0),
        ("0.01", "EUR", 1),
        ("42", "JPY", 42),
        ("1.234", "KWD", 1234),
        ("1.2345", "CLF", 12345),
    ],
)
def test_an_amount_is_read_in_the_minor_unit(value: object, currency: str, minor: int) -> None:
    assert parse_amount(value, currency) == minor


@pytest.mark.parametrize(
    ("value", "currency", "complaint"),
    [
        (42.00, "USD", 'in quotes, such as "42.00"'),
        ("42.001", "USD", "at most 2 decimals, as USD has"),
        ("42.0", "JPY", "at most 0 decimals, as JPY has"),
        ("-1", "USD", "not negative"),
        (-1, "USD", "not negative"),
        ("1,000.00", "USD", "an amount such as"),
        ("$5", "USD", "an amount such as"),
        ("1e3", "USD", "an amount such as"),
        ("", "USD", "an amount such as"),
        (".5", "USD", "an amount such as"),
        ("٤٢", "USD", "an amount such as"),
        ("1" * 13, "USD", "an amount such as"),
        (True, "USD", "an amount such as"),
        (None, "USD", "an amount such as"),
    ],
)
def test_what_is_no_exact_amount_is_refused(value: object, currency: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_amount(value, currency)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (4200, "USD", "42.00"),
        (5, "USD", "0.05"),
        (0, "USD", "0.00"),
        (-5, "USD", "-0.05"),
        (-123456, "USD", "-1234.56"),
        (42, "JPY", "42"),
        (-42, "JPY", "-42"),
        (7, "KWD", "0.007"),
    ],
)
def test_an_amount_is_written_with_its_currencys_decimals(minor: int, currency: str, text: str) -> None:
    assert format_amount(minor, currency) == text


def test_a_currency_has_two_decimals_unless_iso_4217_says_otherwise() -> None:
    assert [exponent(currency) for currency in ("USD", "JPY", "KWD", "UYW")] == [2, 0, 3, 4]


def test_the_currencies_are_those_of_iso_4217() -> None:
    assert {"USD", "EUR", "JPY", "KWD", "CLF", "XOF", "XCG"} <= CURRENCIES
    assert not {"XXQ", "usd", "XAU", "XXX", "XTS"} & CURRENCIES
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in CURRENCIES)
    assert {code for code in CURRENCIES if exponent(code) != 2} == set(_EXPONENTS)
