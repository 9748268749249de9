"""What the records of a marketplace have in common."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict

Attestation = Literal["A", "B", "C"]
"""STIR/SHAKEN (ATIS-1000074): the caller's carrier knows the caller and the number, the caller, or neither."""

AttestationAsked = Literal["A", "B", "C", "none"]
"""A level that rules ask for; `none` is a call without any."""

STRICT = ConfigDict(extra="forbid", populate_by_name=True, defer_build=True)

# What may be written as a bare value, or as a mapping that says more. (A tag never stands in a complaint.)
PLAIN, MAPPING = "[plain]", "[mapping]"


def plain_or_mapping(value: object) -> str:
    return PLAIN if isinstance(value, str | int | float | None) else MAPPING
