"""Agents (each is a destination): paused and resumed by an operator, and listed with their calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ari_app.access.actor import Actor
from ari_app.desk import checked
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
    """Destinations by id; how many calls each has now (None: no switch answers); and why some are paused."""

    destinations: Mapping[str, Destination]
    in_use: Mapping[str, int] | None
    pauses: Mapping[str, str]


def listed(site: Site, advertiser: str | None = None) -> Agents:
    """The destinations in force, of one advertiser or of all. Raises Refused, StoreError, SwitchError."""
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


def pause(site: Site, actor: Actor, agent: str, reason: str) -> None:
    """Offers an agent no calls until it is resumed; its present call goes on. Raises Refused, StoreError."""
    get(site, agent)
    paused = Pause(agent, site.now(), checked.reason(reason), str(actor))
    if not pauses.pause(site.engine, paused):
        raise Refused(Code.PAUSED_ALREADY, name=agent)


def resume(site: Site, actor: Actor, agent: str) -> None:
    """Offers an agent calls again; also works for one that left the marketplace. Raises Refused, StoreError."""
    entry = Entry(site.now(), str(actor), "agents.resume", checked.word(agent, "agent"))
    if not pauses.resume(site.engine, agent, entry):
        get(site, agent)
        raise Refused(Code.NOT_PAUSED, name=agent)


def get(site: Site, agent: str) -> Destination:
    """The destination in force that an agent is. Raises Refused."""
    found = in_force(site.engine).marketplace.destinations.get(checked.word(agent, "agent"))
    if found is None:
        raise no_agent(agent)
    return found


def no_agent(agent: str) -> Refused:
    """The refusal for an id that no agent has."""
    return Refused(Code.UNKNOWN, what="agent", name=agent)
