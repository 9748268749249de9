"""What commands decide between two applies: numbers given and taken, applications approved and declined.

Each is one transaction that takes turns with every other change of the marketplace, so a publisher's
limit and the stock hold whoever else is at work; and each makes a running switch load anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from ari_app.domain.market.marketplace import Marketplace, Number
from ari_app.domain.numbers.applications import Application, Event, Step, after, closed_to, possible
from ari_app.domain.numbers.holdings import Assignment
from ari_app.domain.numbers.inventory import Wanted
from ari_app.store.db import revision
from ari_app.store.db.engine import retried, writing
from ari_app.store.db.errors import ApplicationRefused, NoMarketplace, NumberRefused
from ari_app.store.market import applications, inventory, marketplaces, numbers


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decides something, when (ms), and why."""

    by: str
    at: int
    note: str | None = None


@retried
def assign(engine: Engine, number: Number, wanted: Wanted, now: int) -> str:
    """Gives a free number to a publisher for a campaign. Raises NumberRefused."""
    with _changing(engine, now) as (connection, rules, at):
        return _give(connection, rules, number, wanted, 1, at)[0]


@retried
def release(engine: Engine, did: str, now: int) -> tuple[Assignment, int]:
    """Takes back a number that the desk assigned; says whose it was, and until when (ms) it rests.

    Raises NumberRefused.
    """
    with _changing(engine, now) as (connection, rules, at):
        held = numbers.holder(connection, did)
        if held is None:
            raise NumberRefused(f"{did} is nobody's; see `callrace numbers history {did}`")
        if held.origin == "file":
            raise NumberRefused(f"{did} is in the marketplace's file: take it out there, and apply the file")
        quarantine_ms = rules.numbers_policy.quarantine
        numbers.end(connection, [did], at, quarantine_ms)
        return held, at + quarantine_ms


@retried
def submit(engine: Engine, campaign: str, publisher: str, decision: Decision) -> Application:
    """A publisher asks to join a campaign, for the first time or again. Raises ApplicationRefused."""
    with _changing(engine, decision.at) as (connection, rules, at):
        _require(rules, campaign, publisher, ApplicationRefused)
        reason = closed_to(rules.campaigns[campaign], publisher)
        if reason is not None:
            raise ApplicationRefused(f"{campaign} takes no application of {publisher}: {reason}")
        there = applications.of(connection, campaign, publisher)
        id = there.id if there else applications.add(connection, campaign, publisher)
        return _step(connection, id, "submit", decision, at)


@retried
def decide(engine: Engine, id: int, event: Event, decision: Decision) -> Application:
    """Declines, suspends or reinstates. Raises ApplicationRefused."""
    with _changing(engine, decision.at) as (connection, _, at):
        return _step(connection, id, event, decision, at)


@retried
def approve(
    engine: Engine, id: int, decision: Decision, count: int, wanted: Wanted, source: str | None = None
) -> tuple[Application, list[str]]:
    """Approves, and gives `count` numbers: all of it or nothing. Raises ApplicationRefused, NumberRefused."""
    with _changing(engine, decision.at) as (connection, rules, at):
        approved = _step(connection, id, "approve", decision, at)
        number = Number(approved.campaign, approved.publisher, source)
        return approved, _give(connection, rules, number, wanted, count, at)


@contextmanager
def _changing(engine: Engine, now: int) -> Iterator[tuple[Connection, Marketplace, int]]:
    """A change that waits its turn: with the rules in force, and its moment, which is after all before it.

    Raises NoMarketplace.
    """
    with writing(engine) as connection:
        revision.lock(connection)
        found = marketplaces.rules_in(connection)
        if found is None:
            raise NoMarketplace("no marketplace was applied yet; run `callrace apply FILE`")
        rules, since = found
        yield connection, rules, max(now, since, numbers.latest_in(connection))
        revision.rise(connection)


def _give(
    connection: Connection, rules: Marketplace, number: Number, wanted: Wanted, count: int, at: int
) -> list[str]:
    _require(rules, number.campaign, number.publisher, NumberRefused)
    has = numbers.count(connection, number.campaign, number.publisher)
    most = rules.campaigns[number.campaign].applications.numbers_per_publisher
    if has + count > most:
        raise NumberRefused(
            f"{number.publisher} has {has} of the {most} numbers that {number.campaign} gives to each "
            "publisher; see applications.numbers_per_publisher in the marketplace's file"
        )
    return inventory.take(connection, number, wanted, count, at)


def _step(connection: Connection, id: int, event: Event, decision: Decision, at: int) -> Application:
    there = applications.get(connection, id)
    if there is None and event != "submit":
        raise ApplicationRefused(f"there is no application {id}; see `callrace applications list`")
    state = after(there.state if there else None, event)
    if state is None:
        assert there is not None
        can = " or ".join(possible(there.state))
        raise ApplicationRefused(f"application {id} is {there.state}; it can only {can}")
    n, last_at = (there.newest.n + 1, there.newest.at) if there else (1, 0)
    applications.note(connection, id, Step(n, max(at, last_at), event, state, decision.note, decision.by))
    found = applications.get(connection, id)
    assert found is not None
    return found


def _require(
    rules: Marketplace, campaign: str, publisher: str, error: type[NumberRefused] | type[ApplicationRefused]
) -> None:
    for what, name, known in (
        ("campaign", campaign, rules.campaigns),
        ("publisher", publisher, rules.publishers),
    ):
        if name not in known:
            raise error(f"there is no {what} {name} in the marketplace in force; see `callrace export`")
