"""Destinations that take calls: how they are dialled, and whether they are paused."""

from __future__ import annotations

from collections.abc import Mapping

from ari_app.domain.market.destinations import Destination, Dial

COLUMNS = {
    "agent": "agent",
    "advertiser": "advertiser",
    "dial": "dial",
    "capacity": "capacity",
    "in use": "in_use",
    "paused": "paused",
}


def agent_json(
    name: str, destination: Destination, in_use: Mapping[str, int] | None, paused: Mapping[str, str]
) -> dict[str, object]:
    """A destination as JSON. `in_use`: calls by destination (None: no switch answers); `paused`: reasons likewise."""
    return {
        "agent": name,
        "advertiser": destination.advertiser,
        "dial": _dial_text(destination.dial),
        "capacity": destination.capacity,
        "in_use": None if in_use is None else in_use.get(name, 0),
        "paused": paused.get(name),
    }


def pause_json(agent: str, reason: str | None) -> dict[str, object]:
    """An agent that is paused for this reason; `reason` is None when it is resumed."""
    return {"agent": agent, "paused": reason}


def _dial_text(dial: Dial) -> str:
    if dial.uri is not None:
        return dial.uri
    if dial.extension is not None:
        return f"phone {dial.extension}"
    other = f", or {dial.or_trunk}" if dial.or_trunk is not None else ""
    return f"{dial.phone} by trunk {dial.trunk}{other}"
