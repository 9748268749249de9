"""Rollups: the counters by hour that reports are made of, updated in the transaction that saves the calls."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Engine, Select, Table, and_, delete, func, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.ledger.transfers import Transfer
from ari_app.domain.reports import rollups
from ari_app.domain.reports.forensics import Ending
from ari_app.domain.reports.reporting import Group
from ari_app.domain.reports.rollups import CallKey, Counts, Moved
from ari_app.store.db.engine import reading
from ari_app.store.db.tables import (
    calls,
    rollup_calls,
    rollup_details,
    rollup_endings,
    rollup_offers,
    rollup_states,
    terms,
)
from ari_app.store.ledger.callmoney import ENDED_AT

CALL_TABLES = (rollup_calls, rollup_states, rollup_details)  # a report reads the smallest that suffices
TABLES = (*CALL_TABLES, rollup_offers, rollup_endings)

ByTable = dict[Table, Mapping[Any, Counts]]


def add(connection: Connection, records: Sequence[CallRecord], moved: Iterable[Moved] = ()) -> None:
    """Counts calls that were not counted before, and their money.

    Part of `calls.save`; a few statements, whatever the number of calls.
    """
    change(connection, counted(connection, records, moved))


def counted(connection: Connection, records: Sequence[CallRecord], moved: Iterable[Moved] = ()) -> ByTable:
    """What the calls count, and what they moved, by table and key."""
    payable_ms = _payable_ms(connection, records)
    cells = rollups.count(records, lambda record: payable_ms.get((record.campaign, record.terms_version)))
    by_table = _of_calls(cells.calls, rollups.count_money(moved))
    return by_table | {rollup_offers: cells.offers, rollup_endings: cells.endings}


def judged_again(
    connection: Connection, pairs: Iterable[tuple[CallRecord, CallRecord]], moved: Iterable[Moved]
) -> None:
    """Counts calls as they are judged now instead of as before, and the money that moved by that.

    `pairs`: each call before and after.
    """
    cells: defaultdict[CallKey, Counts] = defaultdict(Counts)
    for before, after in pairs:
        cells[rollups.call_key(after)].update(rollups.call_counts(after))
        cells[rollups.call_key(after)].subtract(rollups.call_counts(before))
    change(connection, _of_calls(cells, rollups.count_money(moved)))


def move(connection: Connection, transfers: Sequence[Transfer]) -> None:
    """Counts what transfers of saved calls move."""
    change(connection, counted_money(connection, transfers))


def counted_money(connection: Connection, transfers: Sequence[Transfer]) -> ByTable:
    """What transfers of saved calls move, by table and key."""
    parties = _parties(connection, {transfer.call_id for transfer in transfers})
    moved = (Moved(*parties[transfer.call_id], transfer) for transfer in transfers)
    return _of_calls(rollups.count_money(moved))


def _of_calls(*several: Mapping[CallKey, Counts]) -> ByTable:
    cells: defaultdict[CallKey, Counts] = defaultdict(Counts)
    for one in several:
        for key, counts in one.items():
            cells[key].update(counts)
    return {table: projected(cells, table) for table in CALL_TABLES}


def change(connection: Connection, by_table: ByTable) -> None:
    """Adds to the counters; a negative value subtracts. In each table in the order of its keys."""
    for table in TABLES:
        _upsert(connection, table, by_table.get(table, {}))


def there(connection: Connection, since: int, until: int) -> ByTable:
    """The counters of the hours in [since, until), in ms, by table and key."""
    found: ByTable = {}
    for table in TABLES:
        names = [column.name for column in table.columns if not column.primary_key]
        count = len(table.primary_key)
        rows = connection.execute(select(table).where(table.c.hour_at >= since, table.c.hour_at < until))
        found[table] = {
            tuple(row[:count]): Counts(dict(zip(names, row[count:], strict=True))) for row in rows
        }
    return found


def drop_empty(connection: Connection, since: int, until: int) -> None:
    """Deletes cells of the hours in [since, until), in ms, whose counters are all zero."""
    for table in TABLES:
        counts_nothing = and_(*(column == 0 for column in table.columns if not column.primary_key))
        is_its = and_(table.c.hour_at >= since, table.c.hour_at < until)
        connection.execute(delete(table).where(is_its, counts_nothing))


def projected(cells: Mapping[CallKey, Counts], table: Table) -> dict[tuple[Any, ...], Counts]:
    """The counters by the keys of one of CALL_TABLES; these keys do not have all of a call's parties."""
    names = [column.name for column in table.primary_key]
    found: defaultdict[tuple[Any, ...], Counts] = defaultdict(Counts)
    for key, counts in cells.items():
        found[tuple(getattr(key, name) for name in names)].update(counts)
    return found


def first_uncounted(engine: Engine) -> int | None:
    """When the first call began (ms), if it was saved before reports counted calls and is not counted yet."""
    with reading(engine) as connection:
        first = connection.execute(select(func.min(calls.c.started_at))).scalar()
        has_calls = rollup_calls.c.incoming > 0
        counted = connection.execute(select(func.min(rollup_calls.c.hour_at)).where(has_calls)).scalar()
    return first if first is not None and (counted is None or first < counted) else None


def calls_by(engine: Engine, column: str, since: int, until: int, only: Mapping[str, str]) -> list[Group]:
    """Counts of calls that began in [since, until), full hours in ms, by a column of `rollups.CallKey`.

    `only`: the values that other columns must have.
    """
    table = next(table for table in CALL_TABLES if {column, *only} <= set(table.columns.keys()))
    return _grouped(engine, table, [column, "currency"], since, until, only)


def offers_by_destination(engine: Engine, since: int, until: int, only: Mapping[str, str]) -> list[Group]:
    """Counts of offers for calls that began in [since, until), full hours in ms. `only` as in `calls_by`."""
    return _grouped(engine, rollup_offers, ["destination"], since, until, only)


def endings(engine: Engine, party: str, since: int, until: int, only: Mapping[str, str]) -> list[Ending]:
    """In which second connections of each party ended, of calls that began in [since, until), full hours in ms.

    `party`: the column `destination` or `publisher`.
    """
    table = rollup_endings
    keys = (table.c[party], table.c.payable_ms, table.c.second)
    query: Select[Any] = select(*keys, func.sum(table.c.connections)).group_by(*keys)
    with reading(engine) as connection:
        rows = connection.execute(query.where(*_within(table, since, until, only)))
        return [Ending._make((*key, int(total))) for *key, total in rows]


def _grouped(
    engine: Engine, table: Table, keys: Sequence[str], since: int, until: int, only: Mapping[str, str]
) -> list[Group]:
    columns = [table.c[name] for name in keys]
    names = [column.name for column in table.columns if not column.primary_key]
    query: Select[Any] = select(*columns, *(func.sum(table.c[name]) for name in names)).group_by(*columns)
    with reading(engine) as connection:
        rows = connection.execute(query.where(*_within(table, since, until, only))).all()
    return [
        Group(
            row[0],
            row[1] if len(keys) > 1 else "",
            Counts({name: int(total) for name, total in zip(names, row[len(keys) :], strict=True)}),
        )
        for row in rows
    ]


def _within(table: Table, since: int, until: int, only: Mapping[str, str]) -> list[Any]:
    return [
        table.c.hour_at >= since,
        table.c.hour_at < until,
        *(table.c[name] == value for name, value in only.items()),
    ]


_PARTIES = {
    "campaign": calls.c.campaign,
    "advertiser": calls.c.advertiser,
    "publisher": calls.c.publisher,
    "source": calls.c.source,
    "currency": calls.c.currency,
    "state": calls.c.place_state,
}
PARTIES = {name: func.coalesce(column, "") for name, column in _PARTIES.items()}
"""The parties of a call as in the key of its cell; see `rollups.call_key`."""


def _parties(connection: Connection, call_ids: Iterable[str | None]) -> dict[str | None, tuple[CallKey, int]]:
    """The cell of each of the calls, without its hour, and when the call was over."""
    query = select(calls.c.id, ENDED_AT, *PARTIES.values()).where(calls.c.id.in_(call_ids))
    rows = connection.execute(query)
    return {call_id: (CallKey(0, *parties), ended_at) for call_id, ended_at, *parties in rows}


def _payable_ms(
    connection: Connection, records: Iterable[CallRecord]
) -> dict[tuple[str | None, int | None], int | None]:
    """How long a connection (ms) the terms of the calls ask for, by campaign and version."""
    versions = {(record.campaign, record.terms_version) for record in records if record.winner is not None}
    query = select(terms.c.campaign, terms.c.version, terms.c.terms_json).where(
        tuple_(terms.c.campaign, terms.c.version).in_(versions)
    )
    return {
        (campaign, version): rollups.payable_ms(json.loads(text))
        for campaign, version, text in connection.execute(query)
    }


def _upsert(connection: Connection, table: Table, cells: Mapping[Any, Counts]) -> None:
    """Raises the counters, in the order of their keys, so that two writers never wait for each other in a circle."""
    keys = [column.name for column in table.primary_key]
    counters = [column.name for column in table.columns if not column.primary_key]
    rows = [
        {**dict(zip(keys, key, strict=True)), **{name: counts.get(name, 0) for name in counters}}
        for key, counts in sorted(cells.items(), key=itemgetter(0))
    ]
    if rows:
        connection.execute(_raise_counters(table, connection.dialect.name), rows)


@cache
def _raise_counters(table: Table, dialect: str) -> Any:
    insert = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    raised = {
        column.name: column + insert.excluded[column.name]
        for column in table.columns
        if not column.primary_key
    }
    return insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=raised)
