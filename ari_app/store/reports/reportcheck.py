"""Checks that reports have the same money as the ledger: by day (UTC), party and currency, to the minor unit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, func, literal, or_, select, union_all

from ari_app.domain.ledger.verification import LedgerFinding
from ari_app.domain.reports.rollups import HOUR_MS, MONEY_SUMS
from ari_app.store.db.tables import transfers
from ari_app.store.ledger import callmoney
from ari_app.store.reports import rollups

DAY_MS = 24 * HOUR_MS
_SHOWN = 3  # differences of a table; one mistake makes many


def findings(connection: Connection) -> Iterator[LedgerFinding]:
    """Where the counters of reports have other money than the ledger; the first days of each table."""
    for table in rollups.CALL_TABLES:
        for row in connection.execute(_differences(table)):
            yield _finding(row)


@cache
def _differences(table: Table) -> Select[Any]:
    """The first days and parties for which a rollup has other money than the ledger, with both sums."""
    parties = [column.name for column in table.primary_key if column.name != "hour_at"]
    moved = callmoney.sums(
        (transfers.c.at // DAY_MS).label("day"), *(rollups.PARTIES[name].label(name) for name in parties)
    ).add_columns(*(literal(0).label(f"counted_{name}") for name in MONEY_SUMS))
    counted = select(
        (table.c.hour_at // DAY_MS).label("day"),
        *(table.c[name] for name in parties),
        *(literal(0).label(name) for name in MONEY_SUMS),
        *(table.c[name].label(f"counted_{name}") for name in MONEY_SUMS),
    )
    both = union_all(moved, counted).subquery()
    keys = [both.c[name] for name in ("day", *parties)]
    names = [f"{prefix}{name}" for prefix in ("", "counted_") for name in MONEY_SUMS]
    sums = {name: func.sum(both.c[name]) for name in names}
    differs = or_(*(sums[name] != sums[f"counted_{name}"] for name in MONEY_SUMS))
    labelled = (total.label(name) for name, total in sums.items())
    return select(*keys, *labelled).group_by(*keys).having(differs).order_by(*keys).limit(_SHOWN)


def _finding(row: Row[Any]) -> LedgerFinding:
    values = row._mapping
    day = datetime.fromtimestamp(row.day * DAY_MS // 1000, UTC).date().isoformat()
    whose = (f"{name} {values[name]}" for name in rollups.PARTIES if values.get(name))
    wrong = [name for name in MONEY_SUMS if values[name] != values[f"counted_{name}"]]
    said, moved = (
        ", ".join(f"{name} {values[prefix + name]}" for name in wrong) for prefix in ("counted_", "")
    )
    return LedgerFinding(
        "reports say what the ledger says",
        ", ".join((f"{day} UTC", *whose)),
        f"reports have {said}; the ledger {moved}",
        "rebuild",
    )
