"""Calls and money since a moment, added up by the database: what a board shows of the day."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, func, select

from ari_app.store.engine import reading
from ari_app.store.tables import calls


@dataclass(frozen=True, slots=True)
class Sums:
    """The calls of one currency, or of none (no campaign); amounts in its minor unit."""

    currency: str | None
    calls: int
    connected: int
    qualified: int
    charged: int
    paid: int


def since(engine: Engine, at_ms: int) -> list[Sums]:
    """The saved calls that began at `at_ms` or later, a row for each currency."""
    query = (
        select(
            calls.c.currency,
            func.count(),
            func.count(calls.c.connected_at),
            func.count().filter(calls.c.qualified),
            func.coalesce(func.sum(calls.c.charged), 0),
            func.coalesce(func.sum(calls.c.paid), 0),
        )
        .where(calls.c.started_at >= at_ms)
        .group_by(calls.c.currency)
        .order_by(calls.c.currency)
    )
    with reading(engine) as connection:
        return [Sums(currency, *map(int, numbers)) for currency, *numbers in connection.execute(query)]
