"""STIR/SHAKEN: the attestation level of a call, by which a carrier vouches for the caller's number.

Our carrier verifies the signature and passes the level on in a header, which the dialplan reads
(dialplan/callrace.conf). The levels A, B and C are those of ATIS-1000074.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import get_args

from ari_app.domain.market.shapes import Attestation, AttestationAsked

_LEVELS: dict[str, Attestation] = {level: level for level in get_args(Attestation)}


def attestation_of(text: str) -> Attestation | None:
    """The level in the text; None for any other text."""
    return _LEVELS.get(text)


def why_unattested(attestation: Attestation | None, asked: Collection[AttestationAsked]) -> str | None:
    """Why rules that ask for these levels refuse a call with this level, or None. No levels: they take every call."""
    if not asked or (attestation or "none") in asked:
        return None
    return f"the caller's attestation is {attestation or 'none'}, not {' or '.join(sorted(asked))}"
