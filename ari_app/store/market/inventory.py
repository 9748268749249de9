"""The numbers that can be given to publishers: imported, taken, counted. See `numbers` for who has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection, Engine, and_, insert, select, update

from ari_app.domain.basics.audit import Entry
from ari_app.domain.numbers.holdings import Holding
from ari_app.domain.numbers.inventory import Item, Wanted
from ari_app.store.db import auditlog, revision
from ari_app.store.db.engine import reading, retried, writing
from ari_app.store.db.tables import inventory, number_assignments
from ari_app.store.market import numbers
from ari_app.store.market.numbers import OPEN


@dataclass(frozen=True, slots=True)
class Imported:
    """How many numbers an import added, changed, and left as they were."""

    added: int
    changed: int
    same: int


@retried
def import_(
    engine: Engine, items: Sequence[Item], now: int, quarantine_ms: int, entry: Entry | None = None
) -> Imported:
    """Adds numbers, and corrects the entries of numbers that are there; who has them does not change.

    A new number that somebody had before rests until its quarantine is over. If anything changed, `entry` goes into the
    audit log, with how many.
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
        if entry is not None and (new or changed):
            facts = {**entry.facts, "added": len(new), "changed": len(changed)}
            auditlog.note(connection, replace(entry, facts=facts))
    return Imported(len(new), len(changed), len(wanted) - len(new) - len(changed))


def free(connection: Connection, wanted: Wanted, count: int, now: int) -> list[str]:
    """At most `count` free numbers; those that have rested longest come first.

    The caller of this function must hold `revision.lock`, so that two processes take turns. The unique index on open
    assignments would refuse a process that does not.
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
    return list(connection.execute(query).scalars())


def has(connection: Connection, did: str) -> bool:
    """Whether the number was imported."""
    return connection.execute(select(inventory.c.did).where(inventory.c.did == did)).first() is not None


def holdings(engine: Engine) -> list[Holding]:
    """Every number that somebody has or that is in the inventory, in order."""
    a, i = number_assignments.c, inventory.c
    of_inventory = (i.kind, i.region, i.trunk, i.available_from)
    held = select(a.did, a.campaign, a.publisher, a.source, a.origin, *of_inventory).where(OPEN)
    held = held.select_from(number_assignments.outerjoin(inventory, a.did == i.did))
    idle = select(i.did, *of_inventory).where(i.did.not_in(select(a.did).where(OPEN)))
    with reading(engine) as connection:
        found = [Holding(*row) for row in connection.execute(held)]
        found += [Holding(did, None, None, None, None, *row) for did, *row in connection.execute(idle)]
    return sorted(found, key=lambda holding: holding.did)
