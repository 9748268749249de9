"""What the records of a marketplace have in common."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict

from ari_app.domain.basics.fields import PHONE_NUMBER

Attestation = Literal["A", "B", "C"]
"""STIR/SHAKEN (ATIS-1000074): the caller's carrier knows the caller and the number, the caller, or neither."""

AttestationAsked = Literal["A", "B", "C", "none"]
"""A level that rules ask for; `none` is a call without any."""

Told = Literal["call", "campaign", "source", "zip", "answers"]
"""What destinations may be told of a call, in a SIP header each."""


def _shown_number(value: object) -> str:
    if isinstance(value, str) and (value in ("own", "pass") or PHONE_NUMBER.fullmatch(value)):
        return value
    raise ValueError('expected own, pass, or a phone number in quotes such as "+12125550123"')


ShownNumber = Annotated[str, BeforeValidator(_shown_number)]
"""Whose number a leg shows: `own`, that which was called; `pass`, the caller's; or this one."""

STRICT = ConfigDict(extra="forbid", populate_by_name=True, defer_build=True)

# What may be written as a bare value, or as a mapping that says more. (A tag never stands in a complaint.)
PLAIN, MAPPING = "[plain]", "[mapping]"


def plain_or_mapping(value: object) -> str:
    return PLAIN if isinstance(value, str | int | float | None) else MAPPING
