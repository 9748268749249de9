"""The day so far, for the live view: the saved calls and their money."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, Row, func, select

from ari_app.domain.reports.today import Sums
from ari_app.store.db.engine import reading
from ari_app.store.db.tables import calls, transfers
from ari_app.store.ledger import callmoney


def since(engine: Engine, at_ms: int) -> list[Sums]:
    """The saved calls that began at `at_ms` or later, and all money that moved since then; a row for each currency."""
    counts = (
        select(
            calls.c.currency,
            func.count(),
            func.count(calls.c.connected_at),
            func.count().filter(calls.c.qualified),
        )
        .where(calls.c.started_at >= at_ms)
        .group_by(calls.c.currency)
    )
    money = callmoney.sums(transfers.c.currency).where(transfers.c.at >= at_ms)
    with reading(engine) as connection:
        counted = {row[0]: (row[1], row[2], row[3]) for row in connection.execute(counts)}
        moved = {row.currency: row for row in connection.execute(money)}
    return [
        _sums(currency, counted.get(currency, (0, 0, 0)), moved.get(currency))
        for currency in sorted({*counted, *moved}, key=lambda name: name or "")
    ]


def _sums(currency: str | None, counts: tuple[int, int, int], money: Row[Any] | None) -> Sums:
    names = ("revenue", "payout", "corrected_revenue", "corrected_payout")
    amounts = [0 if money is None else int(money._mapping[name]) for name in names]
    return Sums(currency, *counts, *amounts)
