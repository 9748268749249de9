"""Calls: a record is saved once, with its legs and its transfers, in one transaction."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Row,
    Select,
    and_,
    delete,
    func,
    insert,
    literal,
    select,
    tuple_,
    update,
)

from ari_app.domain.calls.record import CallRecord, Verdict
from ari_app.domain.calls.selection import Selection
from ari_app.domain.ledger.transfers import Transfer
from ari_app.domain.market.terms import Basis, Scope
from ari_app.domain.reports.rollups import call_moved
from ari_app.domain.terms.qualification import EarlierCall
from ari_app.domain.terms.repeats import whose
from ari_app.store.calls import changes
from ari_app.store.calls.callrows import call_row, leg_row, records, tracks_row
from ari_app.store.calls.selection import conditions
from ari_app.store.db import outbox
from ari_app.store.db.engine import reading, unindexed, writing
from ari_app.store.db.errors import AmbiguousCallId
from ari_app.store.db.tables import calls, calls_of_others, legs, recordings
from ari_app.store.ledger import recount
from ari_app.store.limits import caprules, reservations, spending
from ari_app.store.reports import rollups

_HEX = re.compile(r"[0-9a-f]*", re.ASCII)
_PAGE = 500  # calls whose legs are read together
COUNTED = 100_000  # of the newest calls
OTHERS_KEPT = 100_000  # calls of others; a running switch reads some thousands a second


@dataclass(frozen=True, slots=True)
class Settlement:
    """Everything about one ended call: what happened, and the money it moved."""

    record: CallRecord
    transfers: Sequence[Transfer] = ()


def save(engine: Engine, batch: Sequence[Settlement], *, of_others: bool = False) -> None:
    """Writes the batch in one transaction: all of it, or none.

    `of_others`: the running switch did not serve these calls, and must learn of them (`news`).

    A call that only repeats a reversed call is charged and paid at once.
    In the same transaction, what a call had reserved of caps and funds is counted as used, or given back.
    A call that is already saved stays as it is. So a batch may be tried again when it is not known whether its commit
    succeeded. Raises DatabaseUnavailable, and SQLAlchemy's errors for a call that does not fit the tables.
    """
    wanted: dict[str, Settlement] = {}
    for settlement in batch:
        wanted.setdefault(settlement.record.id, settlement)
    with writing(engine) as connection:
        for call_id in connection.execute(select(calls.c.id).where(calls.c.id.in_(wanted))).scalars().all():
            del wanted[call_id]
        ended = [settlement.record for settlement in wanted.values()]
        moved = {settlement.record.id: list(settlement.transfers) for settlement in wanted.values()}
        # In the order of locks that `reservations` describes.
        _insert(connection, ended)
        if of_others and ended:
            _queue_for_switches(connection, ended)
        recount.lock_callers(connection, ended)
        for record in ended:
            at = record.ended_at or record.started_at
            moved[record.id] += recount.due_if_no_repeat(connection, record, at, moved)
        reserved = reservations.end(connection, ended, using=caprules.using(moved))
        rollups.add(
            connection, ended, (one for record in ended for one in call_moved(record, moved[record.id]))
        )
        spending.add(connection, ended)
        added = [transfer for record in ended for transfer in moved[record.id]]
        reservations.settle(connection, reserved, added)
        outbox.add(connection, "call.ended", ((one.id, one.ended_at or one.started_at) for one in ended))


def _queue_for_switches(connection: Connection, ended: Collection[CallRecord]) -> None:
    """The newest suffice: a running switch reads them within a second, a starting one reads the calls themselves."""
    table = calls_of_others
    connection.execute(insert(table), [{"call_id": record.id} for record in ended])
    newest = select(func.max(table.c.seq)).scalar_subquery()
    connection.execute(delete(table).where(table.c.seq <= newest - OTHERS_KEPT))


def _insert(connection: Connection, batch: Collection[CallRecord]) -> None:
    call_rows = [call_row(record) for record in batch]
    leg_rows = [leg_row(record.id, n, leg) for record in batch for n, leg in enumerate(record.legs)]
    track_rows = [
        {"call_id": record.id, **tracks_row(tracks)}
        for record in batch
        if (tracks := record.recording) is not None
    ]
    for table, rows in ((calls, call_rows), (legs, leg_rows), (recordings, track_rows)):
        if rows:
            connection.execute(insert(table), rows)


def locked(connection: Connection, ids: Collection[str]) -> dict[str, CallRecord]:
    """Saved calls by id, locked: until the transaction ends, nobody else rewrites or corrects one of them."""
    found: dict[str, CallRecord] = {}
    in_order = sorted(ids)
    for start in range(0, len(in_order), _PAGE):
        its = select(calls).where(calls.c.id.in_(in_order[start : start + _PAGE])).order_by(calls.c.id)
        rows = connection.execute(its.with_for_update()).all()
        found |= {record.id: record for record in records(connection, rows)}
    return found


def rewrite(connection: Connection, record: CallRecord) -> None:
    """Writes the row of a saved call again: its caller was erased, its recording deleted, or a conversion decided it.

    Legs and transfers stay. The whole row is written, so the record must be one of `locked`.
    """
    connection.execute(update(calls).where(calls.c.id == record.id).values(call_row(record)))
    if record.recording is not None:
        its_own = recordings.c.call_id == record.id
        connection.execute(update(recordings).where(its_own).values(tracks_row(record.recording)))
    changes.note(connection, [record.id])


def get(engine: Engine, call_id: str) -> CallRecord | None:
    """The call with this id, or the only call whose id begins with it; None when there is none.

    Raises AmbiguousCallId when several ids begin with it.
    """
    # A range of the primary key, not LIKE, which reads the whole table (in PostgreSQL unless its collation is C). Ids
    # are hexadecimal digits, which every collation sorts as C does; a g comes after all of them.
    its = (
        and_(calls.c.id >= call_id, calls.c.id < f"{call_id}g")
        if _HEX.fullmatch(call_id)
        else calls.c.id == call_id
    )
    with reading(engine) as connection:
        rows = connection.execute(select(calls).where(its).order_by(calls.c.id).limit(2)).all()
        if len(rows) > 1 and rows[0].id != call_id:
            raise AmbiguousCallId(f"several calls' ids begin with {call_id!r}: give more of it")
        return next(iter(records(connection, rows[:1])), None)


def saved(engine: Engine, call_ids: Collection[str]) -> set[str]:
    """Those of the calls that are saved."""
    with reading(engine) as connection:
        return set(connection.execute(select(calls.c.id).where(calls.c.id.in_(call_ids))).scalars())


def began(engine: Engine, call_ids: Sequence[str]) -> dict[str, int]:
    """When each of the calls that are saved began, in ms."""
    found: dict[str, int] = {}
    with reading(engine) as connection:
        for start in range(0, len(call_ids), _PAGE):
            its = calls.c.id.in_(call_ids[start : start + _PAGE])
            found |= {
                row.id: row.started_at
                for row in connection.execute(select(calls.c.id, calls.c.started_at).where(its))
            }
    return found


def latest(
    engine: Engine, limit: int = 20, *, before: tuple[int, str] | None = None, **wanted: Any
) -> list[CallRecord]:
    """The newest calls, newest first, of those that match everything wanted; see `Selection`.

    `before`: only calls that come after this one in that order, by its beginning (ms) and its id.
    """
    query = select(calls).where(*conditions(Selection(**wanted)))
    if before is not None:
        place = tuple_(calls.c.started_at, calls.c.id) < tuple_(literal(before[0]), literal(before[1]))
        query = query.where(calls.c.started_at <= before[0], place)
    newest_first = query.order_by(calls.c.started_at.desc(), calls.c.id.desc()).limit(limit)
    with reading(engine) as connection:
        return list(_pages(connection, newest_first))


def every(engine: Engine) -> Iterator[CallRecord]:
    """All calls in the order they began, read in pages: what `ledger.verify` looks at."""
    with reading(engine) as connection:
        yield from every_in(connection)


def every_in(connection: Connection) -> Iterator[CallRecord]:
    """The same, as this transaction sees them."""
    return _pages(connection, select(calls).order_by(calls.c.started_at, calls.c.id))


def between(engine: Engine, since: int, until: int) -> Iterator[CallRecord]:
    """Calls that began from `since` until before `until` (ms), in the order in which they began."""
    with reading(engine) as connection:
        for page in pages_between(connection, since, until):
            yield from page


def pages_between(connection: Connection, since: int, until: int) -> Iterator[list[CallRecord]]:
    """The same, a page at a time: what rollups are rebuilt from."""
    query = select(calls).where(calls.c.started_at >= since, calls.c.started_at < until)
    in_order = query.order_by(calls.c.started_at, calls.c.id)
    for page in connection.execute(in_order.execution_options(yield_per=_PAGE)).partitions():
        yield records(connection, page)


def callers_before(
    engine: Engine, last: CallRecord | None, since: int, is_connected: bool, limit: int
) -> list[CallRecord]:
    """Calls that began at `since` (ms) or later, newest first, with the fields that repeat callers need.

    `last`: only calls before this one. `is_connected`: only calls that reached an agent.
    """
    query = select(*_REPEATS).where(calls.c.started_at >= since, calls.c.ani.is_not(None))
    if last is not None:
        newest = tuple_(calls.c.started_at, calls.c.id) < tuple_(literal(last.started_at), literal(last.id))
        query = query.where(calls.c.started_at <= last.started_at, newest)
    if is_connected:
        query = query.where(calls.c.connected_at.is_not(None))
    newest_first = query.order_by(calls.c.started_at.desc(), calls.c.id.desc())
    with reading(engine, is_much=True) as connection:
        return [_caller(row) for row in connection.execute(newest_first.limit(limit))]


def callers_by_area_code(engine: Engine, since: int) -> dict[str, int]:
    """How many callers of North American numbers called from each area code: among the newest COUNTED calls that began
    at `since` (ms) or later. A caller counts once.
    """
    newest = select(calls.c.ani).where(calls.c.started_at >= since).order_by(calls.c.started_at.desc())
    ani = newest.limit(COUNTED).subquery().c.ani
    code = func.substr(ani, 3, 3).label("code")
    query = (
        select(code, func.count(ani.distinct()).label("callers"))
        .where(ani.like("+1__________"))
        .group_by(code)
    )
    with reading(engine, is_much=True) as connection:
        return {row.code: row.callers for row in connection.execute(query)}


def news(engine: Engine, after: int, limit: int) -> tuple[int, list[CallRecord]]:
    """Calls that no running switch served, saved after a position in their sequence; and the position of the last.

    They have the fields that repeat callers need. A transaction may take its position before another one and be
    committed after it. So a reader must look some positions back again.
    """
    table = calls_of_others
    query = (
        select(table.c.seq, *_REPEATS).join(calls, calls.c.id == table.c.call_id).where(table.c.seq > after)
    )
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(table.c.seq).limit(limit)).all()
    return max((row.seq for row in rows), default=after), [_caller(row) for row in rows]


def newest_of_others(engine: Engine) -> int:
    """The position of the newest call that no running switch served; 0: there is none."""
    with reading(engine) as connection:
        newest = select(func.coalesce(func.max(calls_of_others.c.seq), 0))
        return int(connection.execute(newest).scalar_one())


def converted_callers(engine: Engine, since: int) -> list[CallRecord]:
    """Calls whose conversion was reported at `since` (ms) or later, with the fields that repeat callers need."""
    query = select(*_REPEATS).where(calls.c.conversion_told_at >= since, calls.c.ani.is_not(None))
    with reading(engine, is_much=True) as connection:
        return [_caller(row) for row in connection.execute(query.order_by(calls.c.started_at))]


def earlier_call(engine: Engine, record: CallRecord, basis: Basis, scope: Scope) -> EarlierCall | None:
    """The caller's newest earlier call of this basis and scope, which makes this one a repeat; or None."""
    id_ = whose(record, scope)
    if record.ani is None or id_ is None:
        return None
    of_whom = {"campaign": calls.c.campaign, "advertiser": calls.c.advertiser, "destination": calls.c.winner}
    at = calls.c.started_at if basis == "any" else calls.c.connected_at
    query = select(calls.c.id, at.label("at")).where(
        calls.c.ani == record.ani, unindexed(of_whom[scope]) == id_
    )
    query = query.where(calls.c.started_at < record.started_at, at.is_not(None))
    if basis == "qualified":
        query = query.where(calls.c.qualified)
    with reading(engine) as connection:
        row = connection.execute(query.order_by(at.desc()).limit(1)).one_or_none()
        return EarlierCall(row.id, row.at) if row else None


def _pages(connection: Connection, query: Select[Any]) -> Iterator[CallRecord]:
    for page in connection.execute(query.execution_options(yield_per=_PAGE)).partitions():
        yield from records(connection, page)


_REPEATS = [
    calls.c[name]
    for name in (
        "id", "did", "ani", "started_at", "campaign", "advertiser", "winner", "connected_at", "qualified"
    )
]  # fmt: skip


def _caller(row: Row[Any]) -> CallRecord:
    """A record with only the fields by which repeat callers are recognised."""
    record = CallRecord(row.id, row.did, row.ani, row.started_at)
    record.campaign, record.advertiser, record.winner = row.campaign, row.advertiser, row.winner
    record.connected_at = row.connected_at
    record.qualification = None if row.qualified is None else Verdict(row.qualified, [])
    return record
