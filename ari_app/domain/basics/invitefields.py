"""The field types that say how a carrier writes its INVITEs: where in them something stands, and behind what."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator

_PREFIX = re.compile(r"[0-9*#+]{1,15}", re.ASCII)
_OWN_HEADER = re.compile(r"X-[A-Za-z0-9-]{1,40}", re.ASCII | re.IGNORECASE)


def _prefix(value: object) -> str:
    if isinstance(value, str) and _PREFIX.fullmatch(value):
        return value
    raise ValueError('expected a prefix of digits, *, # and +, 15 at most, in quotes, such as "7742#"')


def _place(*known: str) -> BeforeValidator:
    """A validator for one of the places that are known, or a header of the carrier's own."""
    by_lower = {place.lower(): place for place in known}

    def check(value: object) -> str:
        if isinstance(value, str) and value.lower() in by_lower:
            return by_lower[value.lower()]
        if isinstance(value, str) and _OWN_HEADER.fullmatch(value):
            return value
        raise ValueError(f"expected {', '.join(known)}, or the name of a header that begins with X-")

    return BeforeValidator(check)


NumberPlace = Annotated[str, _place("request", "To", "P-Called-Party-ID")]
"""Where the called number stands: in the request line, or in a header."""

AttestationPlace = Annotated[str, _place("P-Attestation-Indicator", "Attestation-Info", "verstat")]
"""Where the caller's attestation stands; `verstat`: in the caller's address."""

DialPrefix = Annotated[str, BeforeValidator(_prefix)]
"""What stands before a called number."""
