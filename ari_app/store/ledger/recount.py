"""Repeat callers by the ledger: a call that was reversed does not count as an earlier call."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

from pydantic import TypeAdapter
from sqlalchemy import Connection, and_, or_, select
from sqlalchemy.sql.elements import ColumnElement

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.ledger.corrections import Net, charges_of, net, payouts_of
from ari_app.domain.ledger.recount import (
    REPEAT_CLAUSE,
    Earlier,
    late_transfers,
    no_repeat_after_all,
    was_only_a_repeat,
)
from ari_app.domain.ledger.transfers import Transfer
from ari_app.domain.market.terms import Clause, NoRepeat
from ari_app.domain.terms.repeats import whose
from ari_app.store.db.engine import unindexed
from ari_app.store.db.tables import calls, terms
from ari_app.store.ledger import ledger

Pending = Mapping[str, Sequence[Transfer]]


def lock_caller(connection: Connection, call_id: str, ani: str | None) -> None:
    """Locks all calls of the caller until this transaction ends, so that nobody else corrects one of them.

    In the order of their ids, so that two such transactions never wait for each other in a circle.
    """
    its = calls.c.id == call_id
    if ani is not None:
        its = or_(its, calls.c.ani == ani)
    connection.execute(select(calls.c.id).where(its).order_by(calls.c.id).with_for_update())


def lock_callers(connection: Connection, records: Iterable[CallRecord]) -> None:
    """Takes the locks that `due_if_no_repeat` needs for these calls, before locks that others need sooner."""
    anis = {record.ani for record in records if record.ani is not None and was_only_a_repeat(record)}
    if anis:
        its = select(calls.c.id).where(calls.c.ani.in_(anis)).order_by(calls.c.id)
        connection.execute(its.with_for_update())


def due_if_no_repeat(connection: Connection, record: CallRecord, at: int, pending: Pending) -> list[Transfer]:
    """The transfers that charge and pay a call that failed only as a repeat, if what it repeated was reversed; once.

    `pending`: by call, the transfers that this transaction has still to add. The switch remembers whom it connected,
    but not what was reversed since. So a call is looked at when it is saved, and again when another call of its
    caller is reversed.
    """
    if not was_only_a_repeat(record) or record.ani is None:
        return []
    lock_caller(connection, record.id, record.ani)
    its = [*ledger.of_call_in(connection, record.id), *pending.get(record.id, ())]
    rules = _rules(connection, record)
    if charges_of(its) or payouts_of(its) or any(rule.basis == "any" for rule in rules):
        return []  # on the basis `any` it stays a repeat: a reversal does not undo the call
    if any(_is_repeated_by_a_paid_one(connection, record, rule, pending) for rule in rules):
        return []  # the advertiser pays for the caller once in a window, and has already
    earlier = [(rule.window, _earlier(connection, record, rule, pending)) for rule in rules]
    reason = no_repeat_after_all(record, earlier)
    return late_transfers(record, at, reason) if reason is not None else []


def _earlier(connection: Connection, record: CallRecord, rule: NoRepeat, pending: Pending) -> list[Earlier]:
    """The caller's earlier calls that the rule counts, within its window."""
    is_earlier = and_(
        calls.c.connected_at > record.started_at - rule.window, calls.c.connected_at < record.connected_at
    )
    return [
        Earlier(call_id, connected_at, comes_to.is_reversed)
        for call_id, connected_at, is_payable, comes_to in _others(
            connection, record, rule, is_earlier, pending
        )
        if rule.basis == "connected" or is_payable
    ]


def _is_repeated_by_a_paid_one(
    connection: Connection, record: CallRecord, rule: NoRepeat, pending: Pending
) -> bool:
    """Whether a later call is paid that would be a repeat of this one if this one were payable."""
    is_later = and_(
        calls.c.connected_at > record.connected_at,
        calls.c.started_at < (record.connected_at or 0) + rule.window,
    )
    return rule.basis == "qualified" and any(
        is_payable and not comes_to.is_reversed
        for _, _, is_payable, comes_to in _others(connection, record, rule, is_later, pending)
    )


def _others(
    connection: Connection, record: CallRecord, rule: NoRepeat, when: ColumnElement[bool], pending: Pending
) -> Iterator[tuple[str, int, bool, Net]]:
    """The caller's other calls in the rule's scope: id, when connected (ms), whether payable, their net money."""
    of_whom = {"campaign": calls.c.campaign, "advertiser": calls.c.advertiser, "destination": calls.c.winner}
    is_other = and_(
        unindexed(of_whom[rule.scope]) == whose(record, rule.scope),
        calls.c.ani == record.ani,
        calls.c.id != record.id,
        when,
    )
    moved = ledger.of_calls(connection, select(calls.c.id).where(is_other))
    query = select(calls.c.id, calls.c.connected_at, calls.c.qualified).where(is_other)
    for call_id, connected_at, is_qualified in connection.execute(query):
        comes_to = net([*moved.get(call_id, ()), *pending.get(call_id, ())])
        yield call_id, connected_at, bool(is_qualified or comes_to.charged), comes_to


def _rules(connection: Connection, record: CallRecord) -> list[NoRepeat]:
    """The repeat clauses of the call's terms."""
    query = select(terms.c.terms_json).where(
        terms.c.campaign == record.campaign, terms.c.version == record.terms_version
    )
    text = connection.execute(query).scalar_one_or_none()
    clauses = json.loads(text)["qualify"] if text is not None else []
    read = [_clause().validate_python(clause, context={}) for clause in clauses if REPEAT_CLAUSE in clause]
    return [rule for clause in read if (rule := clause.no_repeat) is not None]


@cache
def _clause() -> TypeAdapter[Clause]:
    return TypeAdapter(Clause)
