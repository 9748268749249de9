"""Agents, which are destinations: taken out of the calls for a while, and in use."""

from __future__ import annotations

from sqlalchemy import Engine

from ari_app.access.actor import Actor
from ari_app.desk.inforce import in_force
from ari_app.desk.refused import Code, Refused
from ari_app.store.db.auditlog import Entry
from ari_app.store.market import pauses
from ari_app.store.market.pauses import Pause


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
