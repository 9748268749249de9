"""Dial strings: they tell Asterisk which phone to ring, and which headers the INVITE has."""

from __future__ import annotations

from ari_app.domain.market.destinations import Dial
from ari_app.domain.routing.invites import Invite

# Asterisk refuses a REFER by the endpoint that dialled, so these dial the phones of agents who may transfer calls.
AGENTS_TRANSFER, PHONES_TRANSFER = "agents-transfer", "phones-transfer"
# A REFER then becomes an event, and Asterisk does nothing else about it.
_TRANSFERS_ARE_OURS = {"PJSIP_TRANSFER_HANDLING()": "ari-only"}


def endpoint(dial: Dial, may_transfer: bool = False) -> str:
    """The dial string of a destination. The patterns of its fields allow addresses only, so nothing is escaped.

    `may_transfer`: the phone may transfer its call. One that is dialled by a trunk never may.
    """
    if dial.uri is not None:
        return f"PJSIP/{AGENTS_TRANSFER if may_transfer else 'agents'}/{dial.uri}"
    if dial.extension is not None:
        return f"PJSIP/{PHONES_TRANSFER}/{dial.extension}" if may_transfer else f"PJSIP/{dial.extension}"
    return f"PJSIP/{dial.phone}@{dial.trunk}"


def variables(invite: Invite, may_transfer: bool = False) -> dict[str, str]:
    """The channel variables of an originate that give the INVITE its headers.

    Asterisk writes the value of PJSIP_HEADER unchanged, even with line ends. So `Invite` has no value with a line end.
    """
    found = {f"PJSIP_HEADER(add,{name})": value for name, value in invite.headers.items()}
    if invite.is_private:
        found["CONNECTEDLINE(pres)"] = "prohib"
    return found | _TRANSFERS_ARE_OURS if may_transfer else found
