"""Agents, which are destinations: taken out of the calls for a while, and in use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine

from ari_app.access.actor import Actor
from ari_app.desk.inforce import in_force
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.domain.basics.audit import Entry
from ari_app.domain.market.destinations import Destination
from ari_app.serving import running
from ari_app.store.market import pauses
from ari_app.store.market.pauses import Pause


@dataclass(frozen=True, slots=True)
class Agents:
    """Destinations by id; by id, too, the calls that each has (None: no switch tells) and why some are paused."""

    destinations: Mapping[str, Destination]
    in_use: Mapping[str, int] | None
    pauses: Mapping[str, str]


def listed(site: Site, advertiser: str | None = None) -> Agents:
    """The destinations in force, those of an advertiser. Raises Refused, StoreError, SwitchError."""
    loaded = in_force(site.engine)
    theirs = {
        name: destination
        for name, destination in loaded.marketplace.destinations.items()
        if advertiser in (None, destination.advertiser)
    }
    try:
        in_use: dict[str, int] | None = running.ask(site.settings, "/status")["capacity_in_use"]
    except running.SwitchNotRunning:
        in_use = None
    return Agents(theirs, in_use, loaded.pauses)


def pause(engine: Engine, actor: Actor, agent: str, reason: str, now: int) -> None:
    """Has an agent be offered no calls until it is resumed; a call it has goes on. Raises Refused, StoreError."""
    _require(engine, agent)
    if not pauses.pause(engine, Pause(agent, now, reason, str(actor))):
        raise Refused(Code.PAUSED_ALREADY, name=agent)


def resume(engine: Engine, actor: Actor, agent: str, now: int) -> None:
    """Has an agent be offered calls again, also one that left the marketplace. Raises Refused, StoreError."""
    if not pauses.resume(engine, agent, Entry(now, str(actor), "agents.resume", agent)):
        _require(engine, agent)
        raise Refused(Code.NOT_PAUSED, name=agent)


def _require(engine: Engine, agent: str) -> None:
    if agent not in in_force(engine).marketplace.destinations:
        raise Refused(Code.UNKNOWN, what="agent", name=agent)
