"""Dial strings: they tell Asterisk which phone to ring, and which headers the INVITE has."""

from __future__ import annotations

from ari_app.domain.market.destinations import Dial
from ari_app.domain.routing.invites import Invite


def endpoint(dial: Dial) -> str:
    """The dial string of a destination. The patterns of its fields allow addresses only, so nothing is escaped."""
    if dial.uri is not None:
        return f"PJSIP/agents/{dial.uri}"
    if dial.extension is not None:
        return f"PJSIP/{dial.extension}"
    return f"PJSIP/{dial.phone}@{dial.trunk}"


def variables(invite: Invite) -> dict[str, str]:
    """The channel variables of an originate that give the INVITE its headers.

    Asterisk writes the value of PJSIP_HEADER unchanged, even with line ends. So `Invite` has no value with a line end.
    """
    found = {f"PJSIP_HEADER(add,{name})": value for name, value in invite.headers.items()}
    return found | {"CONNECTEDLINE(pres)": "prohib"} if invite.is_private else found
