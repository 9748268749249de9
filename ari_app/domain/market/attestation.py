"""STIR/SHAKEN: how far the carrier of a call answers for the caller's number.

The carrier verifies the signature, and hands the outcome on in a header that the dialplan reads
(dialplan/callrace.conf); A, B and C are ATIS-1000074's.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import get_args

from ari_app.domain.market.shapes import Attestation, AttestationAsked

_LEVELS: dict[str, Attestation] = {level: level for level in get_args(Attestation)}


def attestation_of(text: str) -> Attestation | None:
    """The level that the text is; None for anything else."""
    return _LEVELS.get(text)


def why_unattested(attestation: Attestation | None, asked: Collection[AttestationAsked]) -> str | None:
    """Why rules that ask for these levels do not take a call of this one, or None; nothing asked takes every call."""
    if not asked or (attestation or "none") in asked:
        return None
    return f"the caller's attestation is {attestation or 'none'}, not {' or '.join(sorted(asked))}"
