"""Tracking numbers: whose each one was, and when. History is kept; a call is never attributed anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, and_, insert, or_, select, update

from ari_app.domain.marketplace import Number
from ari_app.store.engine import reading
from ari_app.store.tables import number_assignments

_OPEN = number_assignments.c.to_at.is_(None)
_COLUMNS = tuple(
    number_assignments.c[name] for name in ("did", "campaign", "publisher", "source", "from_at", "to_at")
)

_AT_ONCE = 1000  # numbers in one statement: a database takes only so many parameters


@dataclass(frozen=True, slots=True)
class Assignment:
    """Whose a number was from `from_at` until before `to_at` (ms); None while it lasts."""

    did: str
    campaign: str
    publisher: str
    source: str | None
    from_at: int
    to_at: int | None


def history(engine: Engine, did: str) -> list[Assignment]:
    """All that a number was, oldest first."""
    query = select(*_COLUMNS).where(number_assignments.c.did == did).order_by(number_assignments.c.id)
    with reading(engine) as connection:
        return [Assignment(*row) for row in connection.execute(query)]


def assigned(engine: Engine, did: str, at: int) -> Assignment | None:
    """Whose a number was at a moment (ms)."""
    table = number_assignments
    query = select(*_COLUMNS).where(table.c.did == did, table.c.from_at <= at, or_(_OPEN, table.c.to_at > at))
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
        return Assignment(*row) if row else None


def assign(connection: Connection, numbers: Mapping[str, Number], now: int) -> None:
    """Ends the assignments that are no longer so, and begins the new ones. Part of `marketplaces.apply`."""
    table = number_assignments
    query = select(table.c.did, table.c.campaign, table.c.publisher, table.c.source).where(_OPEN)
    there = {row.did: Number(row.campaign, row.publisher, row.source) for row in connection.execute(query)}
    ended = [did for did, number in there.items() if numbers.get(did) != number]
    begun = [did for did, number in numbers.items() if there.get(did) != number]
    for start in range(0, len(ended), _AT_ONCE):
        is_ended = and_(table.c.did.in_(ended[start : start + _AT_ONCE]), _OPEN)
        connection.execute(update(table).where(is_ended).values(to_at=now))
    if begun:
        rows = [
            {
                "did": did,
                "campaign": numbers[did].campaign,
                "publisher": numbers[did].publisher,
                "source": numbers[did].source,
                "from_at": now,
            }
            for did in begun
        ]
        connection.execute(insert(table), rows)
