"""Publishers' applications to campaigns: submitted, approved with numbers, declined, suspended, reinstated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import Engine

from ari_app.access.actor import CALLRACE, Actor
from ari_app.desk.changing import Change, changing
from ari_app.desk.numbers import give
from ari_app.desk.refused import Code, Refused
from ari_app.domain.market.marketplace import Number
from ari_app.domain.numbers.applications import (
    Application,
    Event,
    State,
    Step,
    after,
    closed_to,
    possible,
)
from ari_app.domain.numbers.inventory import Wanted
from ari_app.store.db.engine import retried
from ari_app.store.market import applications

Decision = Literal["decline", "suspend", "reinstate"]

BY_ITSELF = "the campaign approves by itself"


@dataclass(frozen=True, slots=True)
class Submitted:
    """An application that was made, the numbers that it got at once, and why it was not approved by itself.

    `not_approved` None: it was, or its campaign does not approve by itself.
    """

    application: Application
    dids: list[str]
    not_approved: Refused | None


@retried
def submit(
    engine: Engine, actor: Actor, campaign: str, publisher: str, note: str | None, now: int
) -> Submitted:
    """A publisher asks to join a campaign, for the first time or again, after it was declined.

    A campaign with `auto_approve` approves it at once, with one number of any kind; when there is none, the application
    waits. Raises Refused, StoreError.
    """
    with changing(engine, actor, now) as change:
        change.require(campaign, publisher)
        rules = change.rules.campaigns[campaign]
        why = closed_to(rules, publisher)
        if why is not None:
            raise Refused(Code.APPLICATIONS_CLOSED, campaign=campaign, publisher=publisher, why=why)
        there = applications.of(change.connection, campaign, publisher)
        if there is not None:
            _possible(change, there.id, "submit")
        id = there.id if there else applications.add(change.connection, campaign, publisher)
        submitted = _step(change, id, "submit", note)
        if not rules.applications.auto_approve:
            return Submitted(submitted, [], None)
        try:
            dids = give(change, Number(campaign, publisher, None), Wanted(), 1)
        except Refused as refused:
            return Submitted(submitted, [], refused)
        by_itself = replace(change, actor=CALLRACE)
        return Submitted(_step(by_itself, id, "approve", BY_ITSELF, dids), dids, None)


@retried
def approve(
    engine: Engine,
    actor: Actor,
    id: int,
    count: int,
    wanted: Wanted,
    *,
    source: str | None = None,
    note: str | None = None,
    now: int,
) -> tuple[Application, list[str]]:
    """Approves, and gives `count` numbers: all of it or nothing. Raises Refused, StoreError."""
    with changing(engine, actor, now) as change:
        there = _possible(change, id, "approve")
        dids = give(change, Number(there.campaign, there.publisher, source), wanted, count)
        return _step(change, id, "approve", note, dids), dids


@retried
def decide(
    engine: Engine,
    actor: Actor,
    id: int,
    event: Decision,
    reason: str | None,
    now: int,
) -> Application:
    """Declines, suspends or reinstates. Raises Refused, StoreError."""
    with changing(engine, actor, now) as change:
        _possible(change, id, event)
        return _step(change, id, event, reason)


def listed(
    engine: Engine,
    *,
    campaign: str | None = None,
    publisher: str | None = None,
    state: State | None = None,
) -> list[Application]:
    """The applications, of a campaign, of a publisher, in a state; in the order that they were made."""
    return [
        one
        for one in applications.all_of(engine)
        if campaign in (None, one.campaign)
        and publisher in (None, one.publisher)
        and state in (None, one.state)
    ]


def history(engine: Engine, id: int) -> list[Step]:
    """All that happened to an application, oldest first. Raises Refused."""
    steps = applications.history(engine, id)
    if not steps:
        raise Refused(Code.UNKNOWN, what="application", name=id)
    return steps


def _possible(change: Change, id: int, event: Event) -> Application:
    """The application, to which this can happen. Raises Refused."""
    there = applications.get(change.connection, id)
    if there is None:
        raise Refused(Code.UNKNOWN, what="application", name=id)
    if after(there.state, event) is None:
        can = " or ".join(possible(there.state))
        raise Refused(Code.APPLICATION_CANNOT, id=id, state=there.state, can=can)
    return there


def _step(change: Change, id: int, event: Event, note: str | None, dids: Sequence[str] = ()) -> Application:
    """Writes down what happens to an application, which is possible."""
    there = applications.get(change.connection, id)
    state = after(there.state if there else None, event)
    assert state is not None, "what is not possible was refused"
    n, last_at = (there.newest.n + 1, there.newest.at) if there else (1, 0)
    step = Step(n, max(change.at, last_at), event, state, note, str(change.actor))
    applications.note(change.connection, id, step)
    found = applications.get(change.connection, id)
    assert found is not None
    about = {"campaign": found.campaign, "publisher": found.publisher, "note": note, "numbers": list(dids)}
    change.note(f"applications.{event}", str(id), **about)
    return found
