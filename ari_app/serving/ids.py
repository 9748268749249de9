"""The ids that Callrace makes: for calls, and for a call's objects in Asterisk.

The id of an object begins with its call's name. No id is the beginning of another id: Asterisk refuses a new channel
(409; seen with 22.10.1) when its id is the beginning of an existing channel's id, upper or lower case alike. So all
numbers in ids have the same length, and no object has the call's name alone as its id.
"""

from __future__ import annotations

import secrets


def mint_call_id(now_ms: int) -> str:
    """A call's id: 13 hex digits of time, so that ids sort by time, and 10 random ones."""
    return f"{now_ms:013x}{secrets.token_hex(5)}"


def leg_id(name: str, leg: int) -> str:
    """The channel id of a leg of the call with this name."""
    return numbered(name, "leg", leg)


def transfer_leg(attempt: int) -> int:
    """The number of the leg of the call's n-th transfer: none that a race gives."""
    return 900_000 + attempt


def bridge_id(name: str) -> str:
    """The bridge id of that call."""
    return f"{name}-bridge"


def numbered(name: str, kind: str, number: int) -> str:
    """The id of one of that call's objects of this kind."""
    return f"{name}-{kind}-{number:06d}"


def leg_ids(name: str, leg: int) -> tuple[str, ...]:
    """The possible channel ids of a leg in an older switch's journal, where numbers had any length."""
    return leg_id(name, leg), f"{name}-leg-{leg}"
