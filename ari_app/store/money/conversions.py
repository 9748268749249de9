"""Conversions in the database: a call has one at most; the call's charge and payout follow in the same transaction."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from copy import deepcopy

from sqlalchemy import Connection, Engine, select

from ari_app.domain.basics.audit import Entry
from ari_app.domain.basics.clock import iso
from ari_app.domain.calls.record import CallRecord, Conversion
from ari_app.domain.ledger.calls import CONVERSION_GRACE_MS
from ari_app.domain.reports.rollups import call_moved
from ari_app.domain.terms import conversions as domain
from ari_app.domain.terms.conversions import CLOCK_SKEW_MS, Became, Converted, Told
from ari_app.store.calls import calls
from ari_app.store.calls.callrows import records
from ari_app.store.db import auditlog, outbox, revision
from ari_app.store.db.engine import reading, retried, writing
from ari_app.store.db.errors import CallsNotThere, NotDecided, StoreError, UnknownCalls
from ari_app.store.db.tables import calls as table
from ari_app.store.ledger import ledger
from ari_app.store.limits import caprules, reservations
from ari_app.store.reports import rollups

log = logging.getLogger(__name__)

_AT_ONCE = 25  # calls in one transaction: while it commits, calls that need the same caps wait
_SHOWN = 5
OF_WHOM = {"advertiser": table.c.advertiser, "publisher": table.c.publisher, "destination": table.c.winner}
"""The columns by which calls are somebody's."""


def tell(engine: Engine, told: Sequence[Told], now: int, by: str | None = None) -> list[Converted]:
    """Takes conversions at `now` (ms). A call that has one already stays. `by`: who reports, for the audit log.

    All are checked first. Raises UnknownCalls, and takes none, if one is of a call that is not saved, is dated before
    its call, or is in the future. Then each _AT_ONCE conversions are one transaction. If it stops half-way, the same
    conversions may be reported again.
    """
    _refuse_impossible(told, calls.began(engine, [one.call_id for one in told]), now)
    outcomes: list[Converted] = []
    for start in range(0, len(told), _AT_ONCE):
        outcomes += _tell(engine, told[start : start + _AT_ONCE], now, by)
    return outcomes


@retried
def _tell(engine: Engine, told: Sequence[Told], now: int, by: str | None) -> list[Converted]:
    with writing(engine) as connection:
        records = calls.locked(connection, [one.call_id for one in told])
        outcomes = [Converted(records[one.call_id], _became(records[one.call_id])) for one in told]
        for one, outcome in zip(told, outcomes, strict=True):
            if outcome.became != "known":
                domain.note(outcome.record, Conversion(one.at, now, one.ref))
        for outcome in outcomes:
            if outcome.became == "noted":
                calls.rewrite(connection, outcome.record)
        if decided := [outcome.record for outcome in outcomes if outcome.became == "decided"]:
            revision.rise(connection)  # a running switch has to learn who is a repeat caller now
            _decide(connection, decided, now)
        if by is not None:
            # Not the sale's own name: it may name the caller, whom the record forgets.
            done = [Entry(now, by, "conversions.tell", o.record.id, {"became": o.became}) for o in outcomes]
            auditlog.note(connection, *(entry for entry in done if entry.facts["became"] != "known"))
    return outcomes


def expire(engine: Engine, now: int, by: str | None = None) -> int:
    """Decides the calls whose time for a conversion is over; returns how many. If one cannot be, the others go on.

    `by`: who decides, for the audit log.

    Raises StoreError: NotDecided at the end, when all others are decided.
    """
    is_overdue = table.c.waits_until <= now - CONVERSION_GRACE_MS
    count, stuck = 0, dict[str, Exception]()
    while len(stuck) < _AT_ONCE:
        with reading(engine) as connection:
            query = select(table.c.id).where(is_overdue, table.c.id.not_in(stuck)).limit(_AT_ONCE)
            ids = connection.execute(query).scalars().all()
        count += _expire_some(engine, ids, now, by, stuck)
        if len(ids) < _AT_ONCE:
            break
    if stuck:
        call_id, error = next(iter(stuck.items()))
        raise NotDecided(f"{len(stuck)} calls still wait in vain, call {call_id} first: {error}")
    return count


def _expire_some(
    engine: Engine, ids: Sequence[str], now: int, by: str | None, stuck: dict[str, Exception]
) -> int:
    """Decides all together; if one of them cannot be decided, each alone."""
    try:
        return _expire_together(engine, ids, now, by)
    except StoreError:
        raise
    except Exception as error:
        if len(ids) > 1:
            return sum(_expire_some(engine, [one], now, by, stuck) for one in ids)
        log.error("call %s cannot be decided: %s", ids[0], error, exc_info=error)
        stuck[ids[0]] = error
        return 0


@retried
def _expire_together(engine: Engine, ids: Sequence[str], now: int, by: str | None) -> int:
    with writing(engine) as connection:
        # Somebody else may have decided one of them meanwhile.
        there = calls.locked(connection, ids).values()
        overdue = [record for record in there if domain.is_overdue(record, now)]
        _decide(connection, overdue, now)
        entry = None if by is None else Entry(now, by, "conversions.expire", "")
        auditlog.note_each(connection, entry, [record.id for record in overdue])
    return len(overdue)


def latest(
    engine: Engine, limit: int, *, waiting: bool, of_whom: Mapping[str, str] | None = None
) -> list[CallRecord]:
    """The calls that await a conversion, by when their time ends; or the converted calls, the last reported first.

    `of_whom`: only those of this advertiser, publisher or destination (OF_WHOM).
    """
    order = table.c.waits_until if waiting else table.c.conversion_told_at.desc()
    has = table.c.waits_until if waiting else table.c.converted_at
    its = [OF_WHOM[name] == id for name, id in (of_whom or {}).items()]
    query = select(table).where(has.is_not(None), *its).order_by(order, table.c.id).limit(limit)
    with reading(engine) as connection:
        return records(connection, connection.execute(query).all())


def _refuse_impossible(told: Sequence[Told], began: Mapping[str, int], now: int) -> None:
    """`began`: the calls that are saved, and when each began (ms)."""
    unknown = [one.call_id for one in told if one.call_id not in began]
    if unknown:
        more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
        raise CallsNotThere(
            f"there is no call {', '.join(map(ascii, unknown[:_SHOWN]))}{more}; nothing was taken. A call is there "
            "a second after its end"
        )
    for one in told:
        if one.at < began[one.call_id]:
            raise UnknownCalls(f"call {one.call_id} began after its conversion; nothing was taken")
        if one.at > now + CLOCK_SKEW_MS:
            raise UnknownCalls(
                f"the conversion of call {one.call_id} is at {iso(one.at)}, which is in the future; nothing was taken"
            )


def _became(record: CallRecord) -> Became:
    if record.conversion is not None:
        return "known"
    return "noted" if record.waits_until is None else "decided"


def _decide(connection: Connection, records: Sequence[CallRecord], now: int) -> None:
    """Completes calls: their money, their counts in caps and reports, and their records.

    In the order of locks that `reservations` describes, so that transactions never wait for each other in a circle.
    """
    before = deepcopy(records)
    decided = [(record, domain.decide(record, now)) for record in records]
    its = select(table.c.id).where(table.c.id.in_([record.id for record in records]))
    so_far = ledger.of_calls(connection, its)
    there = {one.key for moved_so_far in so_far.values() for one in moved_so_far}
    moved = [
        one
        for record, transfers in decided
        for one in call_moved(record, (transfer for transfer in transfers if transfer.key not in there))
    ]
    new = [one.transfer for one in moved]
    all_moved = {
        record.id: [*so_far.get(record.id, ()), *(one for one in new if one.call_id == record.id)]
        for record in records
    }
    reserved = reservations.end(connection, records, before, caprules.using(all_moved))
    for record in records:
        calls.rewrite(connection, record)
    rollups.judged_again(connection, zip(before, records, strict=True), moved)
    reservations.settle(connection, reserved, new)
    outbox.add(connection, "call.decided", ((record.id, now) for record in records))
