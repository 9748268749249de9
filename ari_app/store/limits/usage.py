"""The current values of counters and reservations, for people to read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import (
    Engine,
    select,
)

from ari_app.store.db.engine import reading
from ari_app.store.db.tables import account_balances, counters


@dataclass(frozen=True, slots=True)
class Usage:
    """The values of one counter: what settled calls used, and what calls under way have reserved."""

    used: int
    reserved: int


def usage_of(engine: Engine, starts: Iterable[int]) -> dict[tuple[str, int], Usage]:
    """The counters of the periods that begin at these moments (ms), by key and start."""
    query = select(counters).where(counters.c.period_start.in_(set(starts)))
    with reading(engine) as connection:
        return {
            (row.key, row.period_start): Usage(row.used, row.reserved) for row in connection.execute(query)
        }


def reserved_funds(engine: Engine) -> dict[tuple[str, str], int]:
    """What calls under way have reserved, by account and currency; only where it is more than zero."""
    query = select(account_balances).where(account_balances.c.reserved != 0)
    with reading(engine) as connection:
        return {(row.account, row.currency): row.reserved for row in connection.execute(query)}
