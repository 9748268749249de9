"""Dial strings: how Asterisk is told which phone to ring, and what its INVITE says."""

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
    """The channel variables of the originate by which an INVITE gets its headers.

    Asterisk writes what PJSIP_HEADER is given as it is, line ends too: `Invite` holds nothing that could end a line.
    """
    found = {f"PJSIP_HEADER(add,{name})": value for name, value in invite.headers.items()}
    return found | {"CONNECTEDLINE(pres)": "prohib"} if invite.is_private else found
