"""Calls: a record with its legs and its transfers is saved once, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Row, RowMapping, Select, insert, select

from ari_app.domain.ledger import Transfer
from ari_app.domain.record import (
    CallRecord,
    ClauseResult,
    Durations,
    Event,
    Exclusion,
    LegRecord,
    Money,
    PlaceRecord,
    Verdict,
)
from ari_app.store import rollups
from ari_app.store.engine import reading, writing
from ari_app.store.errors import AmbiguousCallId
from ari_app.store.ledger import transfer_row
from ari_app.store.selection import Selection, conditions
from ari_app.store.tables import calls, legs, transfers

_encode = json.JSONEncoder(separators=(",", ":")).encode
_PAGE = 500  # calls whose legs are read together


@dataclass(frozen=True, slots=True)
class Settlement:
    """Everything about one ended call: what happened, and the money it moved."""

    record: CallRecord
    transfers: Sequence[Transfer] = ()


class EarlierCaller(NamedTuple):
    """A caller whom a campaign's agent has talked to. `connected_at` in ms."""

    campaign: str
    ani: str
    connected_at: int
    call_id: str


def save(engine: Engine, batch: Sequence[Settlement]) -> None:
    """Writes the batch in one transaction: all of it, or none.

    A call that is saved already stays as it is, so a batch may be tried again after a commit whose
    fate is unknown. Raises DatabaseUnavailable, and SQLAlchemy's errors for a call that does not fit.
    """
    wanted: dict[str, Settlement] = {}
    for settlement in batch:
        wanted.setdefault(settlement.record.id, settlement)
    with writing(engine) as connection:
        for call_id in connection.execute(select(calls.c.id).where(calls.c.id.in_(wanted))).scalars().all():
            del wanted[call_id]
        _insert(connection, wanted.values())
        rollups.add(connection, [settlement.record for settlement in wanted.values()])


def _insert(connection: Connection, batch: Collection[Settlement]) -> None:
    call_rows = [_call_row(settlement.record) for settlement in batch]
    leg_rows = [
        _leg_row(settlement.record.id, n, leg)
        for settlement in batch
        for n, leg in enumerate(settlement.record.legs)
    ]
    transfer_rows = [transfer_row(transfer) for settlement in batch for transfer in settlement.transfers]
    for table, rows in ((calls, call_rows), (legs, leg_rows), (transfers, transfer_rows)):
        if rows:
            connection.execute(insert(table), rows)


def get(engine: Engine, call_id: str) -> CallRecord | None:
    """The call of this id, or the only one whose id begins so; None when there is none.

    Raises AmbiguousCallId when several ids begin so.
    """
    query = select(calls).where(calls.c.id.startswith(call_id, autoescape=True)).order_by(calls.c.id)
    with reading(engine) as connection:
        rows = connection.execute(query.limit(2)).all()
        if len(rows) > 1 and rows[0].id != call_id:
            raise AmbiguousCallId(f"several calls' ids begin with {call_id!r}: give more of it")
        return next(iter(_records(connection, rows[:1])), None)


def latest(engine: Engine, limit: int = 20, **wanted: Any) -> list[CallRecord]:
    """The calls that began last, newest first, of those that match everything wanted, see `Selection`."""
    query = select(calls).where(*conditions(Selection(**wanted)))
    newest_first = query.order_by(calls.c.started_at.desc(), calls.c.id.desc()).limit(limit)
    with reading(engine) as connection:
        return list(_pages(connection, newest_first))


def every(engine: Engine) -> Iterator[CallRecord]:
    """All calls in the order they began, read in pages: what `ledger.verify` looks at."""
    with reading(engine) as connection:
        yield from _pages(connection, select(calls).order_by(calls.c.started_at, calls.c.id))


def between(connection: Connection, since: int, until: int) -> Iterator[list[CallRecord]]:
    """The calls that began in [since, until), in ms, a page at a time: what rollups are rebuilt from."""
    query = select(calls).where(calls.c.started_at >= since, calls.c.started_at < until)
    for page in connection.execute(query.execution_options(yield_per=_PAGE)).partitions():
        yield _records(connection, page)


def recent_callers(engine: Engine, since: int) -> list[EarlierCaller]:
    """Who was connected at `since` (ms) or later, oldest first: the memory of repeat callers."""
    query: Select[Any] = (
        select(calls.c.campaign, calls.c.ani, calls.c.connected_at, calls.c.id)
        .where(calls.c.connected_at >= since, calls.c.ani.is_not(None), calls.c.campaign.is_not(None))
        .order_by(calls.c.connected_at)
    )
    with reading(engine) as connection:
        return [EarlierCaller(*row) for row in connection.execute(query)]


# Records to rows


def _call_row(record: CallRecord) -> dict[str, Any]:
    place, durations, verdict, money = (
        record.place,
        record.durations_ms,
        record.qualification,
        record.money,
    )
    return {
        "id": record.id,
        "did": record.did,
        "ani": record.ani,
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
        "currency": money.currency if money else None,
        "price": money.price if money else None,
        "payout": money.payout if money else None,
        "charged": money.charged if money else None,
        "paid": money.paid if money else None,
        "answers_json": _encode(record.answers),
        "clauses_json": _encode([[c.name, c.passed, c.detail] for c in verdict.clauses]) if verdict else None,
        "excluded_json": _encode([[e.destination, e.reason] for e in record.excluded]),
        "events_json": _encode([[e.at, e.what, e.detail] for e in record.events]),
    }


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
    }


# Rows to records


def _pages(connection: Connection, query: Select[Any]) -> Iterator[CallRecord]:
    for page in connection.execute(query.execution_options(yield_per=_PAGE)).partitions():
        yield from _records(connection, page)


def _records(connection: Connection, rows: Sequence[Row[Any]]) -> list[CallRecord]:
    """The records of the rows, in their order, with all their legs read in one query."""
    legs_of: dict[str, list[LegRecord]] = {row.id: [] for row in rows}
    query = select(legs).where(legs.c.call_id.in_(legs_of)).order_by(legs.c.call_id, legs.c.n)
    for row in connection.execute(query).mappings():
        fields = {name: value for name, value in row.items() if name not in ("call_id", "n")}
        legs_of[row["call_id"]].append(LegRecord(**fields))
    return [_record(row._mapping, legs_of[row.id]) for row in rows]


def _record(row: RowMapping, its_legs: list[LegRecord]) -> CallRecord:
    return CallRecord(
        id=row["id"],
        did=row["did"],
        ani=row["ani"],
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
        events=[Event(*event) for event in json.loads(row["events_json"])],
    )


def _verdict(row: RowMapping) -> Verdict | None:
    if row["qualified"] is None:
        return None
    clauses = [ClauseResult(*clause) for clause in json.loads(row["clauses_json"])]
    return Verdict(row["qualified"], clauses)


def _money(row: RowMapping) -> Money | None:
    if row["currency"] is None:
        return None
    return Money(row["currency"], row["price"], row["payout"], row["charged"], row["paid"])
