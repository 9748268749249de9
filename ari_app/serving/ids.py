"""The ids of what is made in Asterisk for a call: each begins with the call's name, and none begins another.

Asterisk takes a new channel's id for taken where it is the beginning of a living one's, in any case (409; found on
22.10.1): so numbers are of one length. The call's own name is an id of nothing.
"""

from __future__ import annotations


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
