"""The numbers that can be handed out: imported, taken, counted. Whose they are: `ari_app.store.market.numbers`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, Engine, and_, insert, select, update

from ari_app.domain.market.marketplace import Number
from ari_app.domain.numbers.holdings import Holding
from ari_app.domain.numbers.inventory import Item, Wanted
from ari_app.store.db import revision
from ari_app.store.db.engine import reading, retried, writing
from ari_app.store.db.errors import NumberRefused
from ari_app.store.db.tables import inventory, number_assignments
from ari_app.store.market import numbers
from ari_app.store.market.numbers import OPEN


@dataclass(frozen=True, slots=True)
class Imported:
    """How many numbers an import added, changed, and found as they were."""

    added: int
    changed: int
    same: int


@retried
def import_(engine: Engine, items: Sequence[Item], now: int, quarantine_ms: int) -> Imported:
    """Adds numbers, and changes what is said of those that are there; whose they are stays.

    A new one that somebody had before rests until the quarantine after that is over.
    """
    wanted = {item.did: item for item in items}
    columns = (inventory.c.did, inventory.c.kind, inventory.c.region, inventory.c.trunk)
    with writing(engine) as connection:
        revision.lock(connection)
        there = {row.did: Item(*row) for row in connection.execute(select(*columns))}
        new = [asdict(item) for did, item in wanted.items() if did not in there]
        changed = [item for did, item in wanted.items() if did in there and there[did] != item]
        if new:
            ended = numbers.last_ends(connection)
            for row in new:
                rested_at = ended.get(row["did"], now - quarantine_ms) + quarantine_ms
                row |= {"imported_at": now, "available_from": max(now, rested_at)}
            connection.execute(insert(inventory), new)
        for item in changed:
            connection.execute(update(inventory).where(inventory.c.did == item.did).values(**asdict(item)))
    return Imported(len(new), len(changed), len(wanted) - len(new) - len(changed))


def take(connection: Connection, number: Number, wanted: Wanted, count: int, now: int) -> list[str]:
    """Assigns `count` free numbers, those first that have rested longest. Raises NumberRefused.

    The caller holds the lock of `revision.lock`, so two processes take turns; the unique index on open
    assignments would refuse whoever does not.
    """
    is_held = and_(number_assignments.c.did == inventory.c.did, OPEN)
    is_free = number_assignments.c.did.is_(None), inventory.c.available_from <= now
    query = (
        select(inventory.c.did).select_from(inventory.outerjoin(number_assignments, is_held)).where(*is_free)
    )
    if wanted.did is not None:
        query = query.where(inventory.c.did == wanted.did)
    if wanted.kind is not None:
        query = query.where(inventory.c.kind == wanted.kind)
    if wanted.region is not None:
        query = query.where(inventory.c.kind == "local", inventory.c.region == wanted.region)
    query = query.order_by(inventory.c.available_from, inventory.c.did).limit(count)
    dids = list(connection.execute(query).scalars())
    if len(dids) < count:
        raise NumberRefused(_why_not(connection, wanted, count, len(dids)))
    numbers.begin(connection, dict.fromkeys(dids, number), now, "desk")
    return dids


def holdings(engine: Engine) -> list[Holding]:
    """Every number that somebody has or the inventory holds, in order."""
    a, i = number_assignments.c, inventory.c
    of_inventory = (i.kind, i.region, i.trunk, i.available_from)
    held = select(a.did, a.campaign, a.publisher, a.source, a.origin, *of_inventory).where(OPEN)
    held = held.select_from(number_assignments.outerjoin(inventory, a.did == i.did))
    idle = select(i.did, *of_inventory).where(i.did.not_in(select(a.did).where(OPEN)))
    with reading(engine) as connection:
        found = [Holding(*row) for row in connection.execute(held)]
        found += [Holding(did, None, None, None, None, *row) for did, *row in connection.execute(idle)]
    return sorted(found, key=lambda holding: holding.did)


def _why_not(connection: Connection, wanted: Wanted, count: int, free: int) -> str:
    if wanted.did is None:
        kind = f" {wanted}" if str(wanted) else ""
        return (
            f"the stock is short: {count} wanted, {free} free{kind}; see `callrace numbers stock`, and add "
            "some with `callrace numbers import FILE.csv`"
        )
    held = numbers.holder(connection, wanted.did)
    if held is not None:
        return f"{wanted.did} is {held.publisher}'s for {held.campaign}; see `callrace numbers history`"
    if connection.execute(select(inventory.c.did).where(inventory.c.did == wanted.did)).first() is None:
        return f"{wanted.did} is not in the inventory; see `callrace numbers import`"
    return f"{wanted.did} is in quarantine; see `callrace numbers list --status quarantined`"
