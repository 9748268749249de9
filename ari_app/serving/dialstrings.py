"""Dial strings: how Asterisk is told which phone to ring."""

from __future__ import annotations

from ari_app.domain.market.destinations import Dial


def endpoint(dial: Dial) -> str:
    """The dial string of a destination, from fields whose patterns admit nothing but an address."""
    if dial.uri is not None:
        return f"PJSIP/agents/{dial.uri}"
    if dial.extension is not None:
        return f"PJSIP/{dial.extension}"
    return f"PJSIP/{dial.phone}@{dial.trunk}"
