"""How long legs out by a trunk have talked: the time for which the carrier charges.

Added up when calls are saved, by destination (`trunks.legs_of` where there is none), hour and day (UTC). So a look-up
costs the same however many calls there were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.dialects import postgresql, sqlite

from ari_app.domain.calls.record import CallRecord, LegRecord, TransferRecord
from ari_app.domain.market.trunks import legs_of
from ari_app.store.db.engine import reading
from ari_app.store.db.tables import talked as table

SPANS_MS = {"hour": 3_600_000, "day": 86_400_000}
_AT_ONCE = 500  # destinations in one query


def add(connection: Connection, records: Iterable[CallRecord]) -> None:
    """Counts the legs of calls that were not counted before. Part of `calls.save`."""
    found = Counter[tuple[str, str, int]]()
    for record in records:
        for name, leg in _legs(record):
            ended_at = leg.ended_at if leg.ended_at is not None else record.ended_at
            if leg.answered_at is None or ended_at is None:
                continue
            for span, ms in SPANS_MS.items():
                found[name, span, record.started_at - record.started_at % ms] += ended_at - leg.answered_at
    rows = [  # in one order, so that two writers never wait for each other in a ring
        {"destination": destination, "span": span, "from_at": from_at, "talked_ms": talked_ms}
        for (destination, span, from_at), talked_ms in sorted(found.items())
    ]
    if rows:
        connection.execute(_raising(connection.dialect.name), rows)


def _legs(record: CallRecord) -> Iterator[tuple[str, LegRecord | TransferRecord]]:
    """Every leg of a call, with its destination; with the name of its trunk's legs where it has none."""
    yield from ((leg.destination, leg) for leg in record.legs)
    for transfer in record.transfers:
        if transfer.to is not None:
            is_number = transfer.trunk is not None and transfer.to.startswith("+")
            yield legs_of(transfer.trunk or "") if is_number else transfer.to, transfer


def talked_ms(
    engine: Engine, destinations: Mapping[str, Collection[str]], since: Mapping[str, int]
) -> Counter[str]:
    """By trunk, the ms from answer to end of the legs to its `destinations`, for saved calls that began `since` (ms).

    `since` is the beginning of an hour, or of a day, UTC.
    """
    found = Counter[str]()
    total = func.coalesce(func.sum(table.c.talked_ms), 0)
    with reading(engine) as connection:
        for trunk, from_at in since.items():
            span = "hour" if from_at % SPANS_MS["day"] else "day"
            names = sorted(destinations.get(trunk, ()))
            for start in range(0, len(names), _AT_ONCE):
                its = table.c.destination.in_(names[start : start + _AT_ONCE]), table.c.span == span
                query = select(total).where(*its, table.c.from_at >= from_at)
                found[trunk] += int(connection.execute(query).scalar_one())
    return found


def _raising(dialect: str) -> Any:
    insert = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    return insert.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_={"talked_ms": table.c.talked_ms + insert.excluded.talked_ms},
    )
