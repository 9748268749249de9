"""The ids that we mint: of calls, and of what is made in Asterisk for one.

What is made for a call begins with the call's name, and no id begins another.

Asterisk takes a new channel's id for taken where it is the beginning of a living one's, in any case (409; found on
22.10.1): so numbers are of one length. The call's own name is an id of nothing.
"""

from __future__ import annotations

import secrets


def mint_call_id(now_ms: int) -> str:
    """A call's id: 13 hex digits of time, so that ids sort by it, and 10 of chance."""
    return f"{now_ms:013x}{secrets.token_hex(5)}"


def leg_id(name: str, leg: int) -> str:
    """The channel of a leg of the call whose objects have this name."""
    return numbered(name, "leg", leg)


def bridge_id(name: str) -> str:
    """The bridge of that call."""
    return f"{name}-bridge"


def numbered(name: str, kind: str, number: int) -> str:
    """One of several objects of a kind of that call."""
    return f"{name}-{kind}-{number:06d}"


def leg_ids(name: str, leg: int) -> tuple[str, ...]:
    """What a leg's channel may be called in what a switch before this one wrote down: its number was of any length."""
    return leg_id(name, leg), f"{name}-leg-{leg}"
