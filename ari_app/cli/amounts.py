"""Amounts of money as words of a command: what is not one is wrong usage."""

from __future__ import annotations

import click

from ari_app.domain.basics.fields import CURRENCY_CODE
from ari_app.domain.basics.money import CURRENCIES, parse_amount


def _currency(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not CURRENCY_CODE.fullmatch(value):
        raise click.BadParameter(f"expected a currency code such as EUR, got {value!r}")
    if value is not None and value not in CURRENCIES:
        raise click.BadParameter(f"there is no currency '{value}' in ISO 4217")
    return value


currency_option = click.option(
    "--currency", metavar="CODE", callback=_currency, help="Of the money; default: the marketplace's."
)


def amount(text: str, currency: str, option: str) -> int:
    """The minor units of an amount such as 42.00, zero or more."""
    try:
        return parse_amount(text, currency)
    except ValueError as error:
        raise click.BadParameter(f"{error}, got {text!r}", param_hint=option) from error


def taken_back(text: str | None, currency: str, option: str) -> int:
    """The minor units that an amount such as -10.00 takes back, a positive number; nothing: 0."""
    if text is None:
        return 0
    minor = amount(text.removeprefix("-"), currency, option)
    if not text.startswith("-") or minor == 0:
        raise click.BadParameter(
            f"expected an amount that is taken back, such as -10.00, got {text!r}", param_hint=option
        )
    return minor
