"""Tracking numbers: imported, given to publishers, taken back; and what there is to be known of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from ari_app.access.actor import Actor
from ari_app.desk.changing import Change, changing
from ari_app.desk.inforce import in_force
from ari_app.desk.refused import Code, Refused
from ari_app.domain.basics.audit import Entry
from ari_app.domain.market.marketplace import Number, NumbersPolicy
from ari_app.domain.numbers.holdings import Assignment, Holding
from ari_app.domain.numbers.inventory import Item, Kind, Status, Wanted
from ari_app.domain.numbers.stock import Shelf, stock_of
from ari_app.store.db.engine import retried
from ari_app.store.market import inventory, marketplaces, numbers
from ari_app.store.market.inventory import Imported


@retried
def assign(engine: Engine, actor: Actor, number: Number, wanted: Wanted, now: int) -> str:
    """Gives a free number to a publisher for a campaign, that which has rested longest. Raises Refused, StoreError."""
    with changing(engine, actor, now) as change:
        (did,) = give(change, number, wanted, 1)
        change.note("numbers.assign", did, campaign=number.campaign, publisher=number.publisher)
        return did


@retried
def release(engine: Engine, actor: Actor, did: str, now: int) -> tuple[Assignment, int]:
    """Takes back a number that the desk assigned; says whose it was, and until when (ms) it rests.

    Raises Refused, StoreError.
    """
    with changing(engine, actor, now) as change:
        held = numbers.holder(change.connection, did)
        if held is None:
            raise Refused(Code.NUMBER_IS_NOBODYS, did=did)
        if held.origin == "file":
            raise Refused(Code.NUMBER_IS_OF_THE_FILE, did=did)
        quarantine_ms = change.rules.numbers_policy.quarantine
        numbers.end(change.connection, [did], change.at, quarantine_ms)
        change.note("numbers.release", did, campaign=held.campaign, publisher=held.publisher)
        return held, change.at + quarantine_ms


def import_(engine: Engine, actor: Actor, items: Sequence[Item], file: str, now: int) -> Imported:
    """Adds numbers to the stock, and corrects what is said of those there. `file`: where they are from.

    Raises StoreError.
    """
    loaded = marketplaces.load(engine)
    policy = loaded.marketplace.numbers_policy if loaded else NumbersPolicy()
    entry = Entry(now, str(actor), "numbers.import", file)
    return inventory.import_(engine, items, now, policy.quarantine, entry)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which numbers are asked for; None: any."""

    campaign: str | None = None
    publisher: str | None = None
    region: str | None = None
    kind: Kind | None = None
    status: Status | None = None


def listed(engine: Engine, asked: Asked, now: int) -> list[tuple[Holding, Status]]:
    """The numbers that somebody has or that are in stock, and what they are at `now` (ms). Raises Refused."""
    in_force(engine)
    found = [
        (holding, holding.status(now))
        for holding in inventory.holdings(engine)
        if asked.campaign in (None, holding.campaign)
        and asked.publisher in (None, holding.publisher)
        and asked.region in (None, holding.region)
        and asked.kind in (None, holding.kind)
    ]
    return [(holding, status) for holding, status in found if asked.status in (None, status)]


def history(engine: Engine, did: str) -> list[Assignment]:
    """All that a number was, oldest first. Raises Refused when it never was one here."""
    found = numbers.history(engine, did)
    if not found:
        raise Refused(Code.NUMBER_UNKNOWN, did=did)
    return found


@dataclass(frozen=True, slots=True)
class Stock:
    """The imported numbers by kind and state. Fewer free than `low_stock` are few."""

    shelves: list[Shelf]
    low_stock: int


def stock(engine: Engine, now: int) -> Stock:
    """What is free, assigned, in quarantine at `now` (ms). Raises Refused."""
    policy = in_force(engine).marketplace.numbers_policy
    shelves = stock_of((h.kind, h.region, h.status(now)) for h in inventory.holdings(engine))
    return Stock(shelves, policy.low_stock)


def give(change: Change, number: Number, wanted: Wanted, count: int) -> list[str]:
    """Gives `count` free numbers as a part of a change: all of them, or it is refused. Raises Refused."""
    change.require(number.campaign, number.publisher)
    has = numbers.count(change.connection, number.campaign, number.publisher)
    most = change.rules.campaigns[number.campaign].applications.numbers_per_publisher
    if has + count > most:
        raise Refused(
            Code.NUMBER_LIMIT, publisher=number.publisher, has=has, most=most, campaign=number.campaign
        )
    dids = inventory.free(change.connection, wanted, count, change.at)
    if len(dids) < count:
        raise _too_few(change, wanted, count, len(dids))
    numbers.begin(change.connection, dict.fromkeys(dids, number), change.at, "desk")
    return dids


def _too_few(change: Change, wanted: Wanted, count: int, free: int) -> Refused:
    did = wanted.did
    if did is None:
        kind = f" {wanted}" if str(wanted) else ""
        return Refused(Code.STOCK_IS_SHORT, wanted=count, free=free, kind=kind)
    held = numbers.holder(change.connection, did)
    if held is not None:
        return Refused(Code.NUMBER_IS_HELD, did=did, publisher=held.publisher, campaign=held.campaign)
    is_there = inventory.has(change.connection, did)
    return Refused(Code.NUMBER_RESTS if is_there else Code.NUMBER_NOT_IMPORTED, did=did)
