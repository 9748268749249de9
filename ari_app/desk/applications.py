"""Publishers' applications to campaigns: submitted, approved with numbers, declined, suspended, reinstated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ari_app.access.actor import CALLRACE, Actor
from ari_app.desk import checked
from ari_app.desk.changing import Change, changing
from ari_app.desk.numbers import ANY, check, give
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.domain.market.marketplace import Number
from ari_app.domain.numbers.applications import (
    Application,
    ApplicationEvent,
    ApplicationState,
    Step,
    after,
    closed_to,
    possible,
)
from ari_app.domain.numbers.inventory import Wanted
from ari_app.store.db.engine import retried
from ari_app.store.market import applications

Decision = Literal["decline", "suspend", "reinstate"]

MOST_NUMBERS = 1_000  # in one approval

BY_ITSELF = "the campaign approves by itself"


@dataclass(frozen=True, slots=True)
class Submitted:
    """A new application, the numbers that it got at once, and why it was not approved automatically.

    `not_approved` is None when it was approved, or when its campaign has no `auto_approve`.
    """

    application: Application
    dids: list[str]
    not_approved: Refused | None


@retried
def submit(site: Site, actor: Actor, *, campaign: str, publisher: str, note: str | None = None) -> Submitted:
    """A publisher asks to join a campaign, for the first time or again, after it was declined.

    A campaign with `auto_approve` approves it at once, with one number of any kind. When no number is free, the
    application stays open for an operator. Raises Refused, StoreError.
    """
    checked.words({"campaign": campaign, "publisher": publisher}, ("campaign", "publisher"))
    _check_note(note, "note")
    with changing(site, actor) as change:
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
            dids = give(change, Number(campaign, publisher, None), ANY, 1)
        except Refused as refused:
            return Submitted(submitted, [], refused)
        by_itself = replace(change, actor=CALLRACE)
        return Submitted(_step(by_itself, id, "approve", BY_ITSELF, dids), dids, None)


@retried
def approve(
    site: Site,
    actor: Actor,
    id: int,
    *,
    count: int = 1,
    wanted: Wanted = ANY,
    source: str | None = None,
    note: str | None = None,
) -> tuple[Application, list[str]]:
    """Approves an application and assigns `count` numbers (at most MOST_NUMBERS), all of this or nothing.

    Raises Refused, StoreError.
    """
    if not 0 <= count <= MOST_NUMBERS:
        raise checked.invalid("numbers", f"expected 0 to {MOST_NUMBERS}")
    check(wanted, source)
    _check_note(note, "note")
    with changing(site, actor) as change:
        there = _possible(change, id, "approve")
        change.require(there.campaign, there.publisher)
        dids = give(change, Number(there.campaign, there.publisher, source), wanted, count)
        return _step(change, id, "approve", note, dids), dids


@retried
def decide(site: Site, actor: Actor, id: int, event: Decision, reason: str | None = None) -> Application:
    """Declines or suspends (both need a reason), or reinstates. Raises Refused, StoreError."""
    if reason is None and event != "reinstate":
        raise checked.invalid("reason", f"to {event} an application takes a reason")
    _check_note(reason, "reason")
    with changing(site, actor) as change:
        _possible(change, id, event)
        return _step(change, id, event, reason)


def listed(
    site: Site,
    *,
    campaign: str | None = None,
    publisher: str | None = None,
    state: ApplicationState | None = None,
) -> list[Application]:
    """The applications, oldest first; only those of this campaign, publisher and state where they are given."""
    return [
        one
        for one in applications.all_of(site.engine)
        if campaign in (None, one.campaign)
        and publisher in (None, one.publisher)
        and state in (None, one.state)
    ]


def history(site: Site, id: int) -> list[Step]:
    """All that happened to an application, oldest first. Raises Refused."""
    steps = applications.history(site.engine, id) if 0 < id <= checked.MOST_SERIAL else []
    if not steps:
        raise Refused(Code.UNKNOWN, what="application", name=id)
    return steps


def _check_note(text: str | None, field: str) -> None:
    if text is not None:
        checked.line(text, field)


def _possible(change: Change, id: int, event: ApplicationEvent) -> Application:
    """The application. Raises Refused when `event` is not possible in its state."""
    there = applications.get(change.connection, id) if 0 < id <= checked.MOST_SERIAL else None
    if there is None:
        raise Refused(Code.UNKNOWN, what="application", name=id)
    if after(there.state, event) is None:
        can = " or ".join(possible(there.state))
        raise Refused(Code.APPLICATION_CANNOT, id=id, state=there.state, can=can)
    return there


def _step(
    change: Change, id: int, event: ApplicationEvent, note: str | None, dids: Sequence[str] = ()
) -> Application:
    """Saves one step of an application; the caller has checked that it is possible."""
    there = applications.get(change.connection, id)
    state = after(there.state if there else None, event)
    assert state is not None, "what is not possible was refused"
    n, last_at = (there.newest.n + 1, there.newest.at) if there else (1, 0)
    step = Step(n, max(change.at, last_at), event, state, note, str(change.actor))
    applications.add_step(change.connection, id, step)
    found = applications.get(change.connection, id)
    assert found is not None
    about = {"campaign": found.campaign, "publisher": found.publisher, "note": note, "numbers": list(dids)}
    change.note(f"applications.{event}", str(id), **about)
    return found
