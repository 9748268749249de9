"""Dial strings: how Asterisk is told which phone to ring."""

from __future__ import annotations

from ari_app.domain.market.destinations import Dial


def endpoint(dial: Dial) -> str:
    """The dial string of a destination. The patterns of its fields allow addresses only, so nothing is escaped."""
    if dial.uri is not None:
        return f"PJSIP/agents/{dial.uri}"
    if dial.extension is not None:
        return f"PJSIP/{dial.extension}"
    return f"PJSIP/{dial.phone}@{dial.trunk}"
