"""Calls: a record with its legs and its transfers is saved once, in one transaction."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Row,
    RowMapping,
    Select,
    and_,
    func,
    insert,
    literal,
    select,
    tuple_,
    update,
)

from ari_app.domain.ledger import Transfer
from ari_app.domain.marketplace import Basis, Scope
from ari_app.domain.qualification import EarlierCall
from ari_app.domain.record import (
    CallRecord,
    ClauseResult,
    Conversion,
    Durations,
    Event,
    Exclusion,
    LegRecord,
    Money,
    Part,
    PlaceRecord,
    ShareOfPrice,
    Tracks,
    Verdict,
)
from ari_app.domain.repeats import whose
from ari_app.domain.rollups import call_moved
from ari_app.store import caprules, recount, reservations, rollups, spending
from ari_app.store.engine import reading, unindexed, writing
from ari_app.store.errors import AmbiguousCallId
from ari_app.store.selection import Selection, conditions
from ari_app.store.tables import calls, calls_of_others, legs, recordings

_encode = json.JSONEncoder(separators=(",", ":")).encode
_HEX = re.compile(r"[0-9a-f]*", re.ASCII)
_PAGE = 500  # calls whose legs are read together


@dataclass(frozen=True, slots=True)
class Settlement:
    """Everything about one ended call: what happened, and the money it moved."""

    record: CallRecord
    transfers: Sequence[Transfer] = ()


def save(engine: Engine, batch: Sequence[Settlement], *, of_others: bool = False) -> None:
    """Writes the batch in one transaction: all of it, or none.

    `of_others`: it was not the running switch that served them, and it is to learn of them (`news`).

    A call that only repeats one that was taken back is charged and paid all the same, at once.
    What a call had reserved of caps and funds becomes use, or is given back, in the same transaction.
    A call that is saved already stays as it is, so a batch may be tried again after a commit whose
    fate is unknown. Raises DatabaseUnavailable, and SQLAlchemy's errors for a call that does not fit.
    """
    wanted: dict[str, Settlement] = {}
    for settlement in batch:
        wanted.setdefault(settlement.record.id, settlement)
    with writing(engine) as connection:
        for call_id in connection.execute(select(calls.c.id).where(calls.c.id.in_(wanted))).scalars().all():
            del wanted[call_id]
        ended = [settlement.record for settlement in wanted.values()]
        moved = {settlement.record.id: list(settlement.transfers) for settlement in wanted.values()}
        # In the order of locks that `reservations` tells of.
        _insert(connection, ended)
        if of_others and ended:
            connection.execute(insert(calls_of_others), [{"call_id": record.id} for record in ended])
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


def _insert(connection: Connection, batch: Collection[CallRecord]) -> None:
    call_rows = [call_row(record) for record in batch]
    leg_rows = [_leg_row(record.id, n, leg) for record in batch for n, leg in enumerate(record.legs)]
    track_rows = [
        {"call_id": record.id, **_tracks_row(tracks)}
        for record in batch
        if (tracks := record.recording) is not None
    ]
    for table, rows in ((calls, call_rows), (legs, leg_rows), (recordings, track_rows)):
        if rows:
            connection.execute(insert(table), rows)


def locked(connection: Connection, ids: Collection[str]) -> dict[str, CallRecord]:
    """Saved calls by id, as they are now: nobody else rewrites or corrects one until the transaction ends."""
    found: dict[str, CallRecord] = {}
    in_order = sorted(ids)
    for start in range(0, len(in_order), _PAGE):
        its = select(calls).where(calls.c.id.in_(in_order[start : start + _PAGE])).order_by(calls.c.id)
        rows = connection.execute(its.with_for_update()).all()
        found |= {record.id: record for record in records(connection, rows)}
    return found


def rewrite(connection: Connection, record: CallRecord) -> None:
    """Writes a saved call anew, but for its legs and transfers: after its caller or its recording is forgotten, or a
    conversion decided it. All of its row is written, so the record has to be one of `locked`.
    """
    connection.execute(update(calls).where(calls.c.id == record.id).values(call_row(record)))
    if record.recording is not None:
        its_own = recordings.c.call_id == record.id
        connection.execute(update(recordings).where(its_own).values(_tracks_row(record.recording)))


def get(engine: Engine, call_id: str) -> CallRecord | None:
    """The call of this id, or the only one whose id begins so; None when there is none.

    Raises AmbiguousCallId when several ids begin so.
    """
    # A range of the primary key, not LIKE: that reads the whole table, in PostgreSQL unless its collation is C. Ids are
    # hexadecimal digits, which every collation sorts as C does; a g comes after all of them.
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


def latest(engine: Engine, limit: int = 20, **wanted: Any) -> list[CallRecord]:
    """The calls that began last, newest first, of those that match everything wanted, see `Selection`."""
    query = select(calls).where(*conditions(Selection(**wanted)))
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
    """Calls that began at `since` (ms) or later, the newest first, as far as repeat callers need them.

    `last`: only those before it. `is_connected`: only those that reached an agent.
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


def news(engine: Engine, after: int, limit: int) -> tuple[int, list[CallRecord]]:
    """Calls of others saved after a place in their order, as far as repeat callers need them; and the last's place.

    A transaction may take its place before another and be committed after it: so look some places back again.
    """
    table = calls_of_others
    query = (
        select(table.c.seq, *_REPEATS).join(calls, calls.c.id == table.c.call_id).where(table.c.seq > after)
    )
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(table.c.seq).limit(limit)).all()
    return max((row.seq for row in rows), default=after), [_caller(row) for row in rows]


def newest_of_others(engine: Engine) -> int:
    """The place of the call of others that was saved last; 0: there is none."""
    with reading(engine) as connection:
        newest = select(func.coalesce(func.max(calls_of_others.c.seq), 0))
        return int(connection.execute(newest).scalar_one())


def converted_callers(engine: Engine, since: int) -> list[CallRecord]:
    """Calls that were told to be converted at `since` (ms) or later, as far as repeat callers need them."""
    query = select(*_REPEATS).where(calls.c.conversion_told_at >= since, calls.c.ani.is_not(None))
    with reading(engine, is_much=True) as connection:
        return [_caller(row) for row in connection.execute(query.order_by(calls.c.started_at))]


def earlier_call(engine: Engine, record: CallRecord, basis: Basis, scope: Scope) -> EarlierCall | None:
    """The caller's last call before this one that makes it a repeat, of one kind; or None."""
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


_REPEATS = [
    calls.c[name]
    for name in (
        "id", "did", "ani", "started_at", "campaign", "advertiser", "winner", "connected_at", "qualified"
    )
]  # fmt: skip


def _caller(row: Row[Any]) -> CallRecord:
    """A record with what a repeat caller is told by, and no more."""
    record = CallRecord(row.id, row.did, row.ani, row.started_at)
    record.campaign, record.advertiser, record.winner = row.campaign, row.advertiser, row.winner
    record.connected_at = row.connected_at
    record.qualification = None if row.qualified is None else Verdict(row.qualified, [])
    return record


# Records to rows


def call_row(record: CallRecord) -> dict[str, Any]:
    """The record, without its legs and its recording, as a row of `calls`."""
    place, durations = record.place, record.durations_ms
    verdict, money, conversion = record.qualification, record.money, record.conversion
    return {
        "id": record.id,
        "did": record.did,
        "ani": record.ani,
        "attestation": record.attestation,
        "started_at": record.started_at,
        "campaign": record.campaign,
        "advertiser": record.advertiser,
        "publisher": record.publisher,
        "source": record.source,
        "terms_version": record.terms_version,
        "disposition": record.disposition,
        "answered_at": record.answered_at,
        "offered_at": record.offered_at,
        "connected_at": record.connected_at,
        "ended_at": record.ended_at,
        "end_source": record.end_source,
        "winner": record.winner,
        "place_state": place.state,
        "place_zip": place.zip,
        "place_timezone": place.timezone,
        "place_from": place.from_,
        "total_ms": durations.total,
        "ivr_ms": durations.ivr,
        "wait_ms": durations.wait,
        "connected_ms": durations.connected,
        "qualified": verdict.qualified if verdict else None,
        "waits_until": record.waits_until,
        "converted_at": conversion.at if conversion else None,
        "conversion_told_at": conversion.told_at if conversion else None,
        "conversion_ref": conversion.ref if conversion else None,
        "currency": money.currency if money else None,
        "price": money.price if money else None,
        "payout": money.payout if money else None,
        "charged": money.charged if money else None,
        "paid": money.paid if money else None,
        "reserved": money.reserved if money else None,
        "answers_json": _encode(record.answers),
        "clauses_json": _encode(_clause_values(verdict.clauses)) if verdict else None,
        "parts_json": _encode(list(map(_part_values, verdict.parts))) if verdict else None,
        "excluded_json": _encode([[e.destination, e.reason] for e in record.excluded]),
        "events_json": _encode([[e.at, e.what, e.detail] for e in record.events]),
    }


def _clause_values(clauses: Sequence[ClauseResult]) -> list[list[Any]]:
    return [
        [clause.name, clause.passed, clause.detail]
        + ([clause.waits_until] if clause.waits_until is not None else [])
        for clause in clauses
    ]


def _part_values(part: Part) -> list[Any]:
    share = part.share and [part.share.share, part.share.minimum, part.share.maximum]
    late = [part.price, part.payout, *([share] if share else [])] if part.price or part.payout else []
    return [part.name, part.due, _clause_values(part.clauses), *late]


def _leg_row(call_id: str, n: int, leg: LegRecord) -> dict[str, Any]:
    return {
        "call_id": call_id,
        "n": n,
        "destination": leg.destination,
        "wave": leg.wave,
        "offered_at": leg.offered_at,
        "outcome": leg.outcome,
        "ringing_at": leg.ringing_at,
        "answered_at": leg.answered_at,
        "accepted_at": leg.accepted_at,
        "ended_at": leg.ended_at,
        "lost_by_ms": leg.lost_by_ms,
        "hangup_cause": leg.hangup_cause,
        "failure": leg.failure,
    }


def _tracks_row(tracks: Tracks) -> dict[str, Any]:
    return {
        "started_at": tracks.started_at,
        "keep_until": tracks.keep_until,
        "deleted_at": tracks.deleted_at,
    }


# Rows to records


def _pages(connection: Connection, query: Select[Any]) -> Iterator[CallRecord]:
    for page in connection.execute(query.execution_options(yield_per=_PAGE)).partitions():
        yield from records(connection, page)


def records(connection: Connection, rows: Sequence[Row[Any]]) -> list[CallRecord]:
    """The records of the rows, in their order; all their legs are read in one query, and all recordings."""
    legs_of: dict[str, list[LegRecord]] = {row.id: [] for row in rows}
    query = select(legs).where(legs.c.call_id.in_(legs_of)).order_by(legs.c.call_id, legs.c.n)
    for row in connection.execute(query).mappings():
        fields = {name: value for name, value in row.items() if name not in ("call_id", "n")}
        legs_of[row["call_id"]].append(LegRecord(**fields))
    kept = connection.execute(select(recordings).where(recordings.c.call_id.in_(legs_of)))
    tracks_of = {row.call_id: Tracks(row.started_at, row.keep_until, row.deleted_at) for row in kept}
    return [_record(row._mapping, legs_of[row.id], tracks_of.get(row.id)) for row in rows]


def _record(row: RowMapping, its_legs: list[LegRecord], tracks: Tracks | None) -> CallRecord:
    return CallRecord(
        id=row["id"],
        did=row["did"],
        ani=row["ani"],
        attestation=row["attestation"],
        started_at=row["started_at"],
        campaign=row["campaign"],
        advertiser=row["advertiser"],
        publisher=row["publisher"],
        source=row["source"],
        terms_version=row["terms_version"],
        disposition=row["disposition"],
        answered_at=row["answered_at"],
        offered_at=row["offered_at"],
        connected_at=row["connected_at"],
        ended_at=row["ended_at"],
        end_source=row["end_source"],
        answers=json.loads(row["answers_json"]),
        place=PlaceRecord(row["place_state"], row["place_zip"], row["place_timezone"], row["place_from"]),
        legs=its_legs,
        winner=row["winner"],
        excluded=[Exclusion(*exclusion) for exclusion in json.loads(row["excluded_json"])],
        durations_ms=Durations(row["total_ms"], row["ivr_ms"], row["wait_ms"], row["connected_ms"]),
        qualification=_verdict(row),
        money=_money(row),
        conversion=_conversion(row),
        recording=tracks,
        events=[Event(*event) for event in json.loads(row["events_json"])],
    )


def _verdict(row: RowMapping) -> Verdict | None:
    if row["qualified"] is None:
        return None
    clauses = [ClauseResult(*clause) for clause in json.loads(row["clauses_json"])]
    parts = [_part(*values) for values in json.loads(row["parts_json"] or "[]")]
    return Verdict(row["qualified"], clauses, parts)


def _part(
    name: str, due: bool, clauses: list[list[Any]], price: int = 0, payout: int = 0, share: Any = None
) -> Part:
    own = [ClauseResult(*clause) for clause in clauses]
    return Part(name, due, own, price, payout, share and ShareOfPrice(*share))


def _conversion(row: RowMapping) -> Conversion | None:
    if row["converted_at"] is None:
        return None
    return Conversion(row["converted_at"], row["conversion_told_at"], row["conversion_ref"])


def _money(row: RowMapping) -> Money | None:
    if row["currency"] is None:
        return None
    return Money(row["currency"], row["price"], row["payout"], row["charged"], row["paid"], row["reserved"])
