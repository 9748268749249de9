"""Repeat callers as the ledger knows them: a call that was taken back does not count as an earlier one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from pydantic import TypeAdapter
from sqlalchemy import Connection, and_, or_, select

from ari_app.domain.corrections import charges_of, net, payouts_of
from ari_app.domain.ledger import Transfer
from ari_app.domain.marketplace import Clause, NoRepeat
from ari_app.domain.record import CallRecord
from ari_app.domain.recount import (
    REPEAT_CLAUSE,
    Earlier,
    late_transfers,
    no_repeat_after_all,
    was_only_a_repeat,
)
from ari_app.domain.repeats import whose
from ari_app.store import ledger
from ari_app.store.engine import unindexed
from ari_app.store.tables import calls, terms

_CLAUSE = TypeAdapter(Clause)

Pending = Mapping[str, Sequence[Transfer]]


def lock_caller(connection: Connection, call_id: str, ani: str | None) -> None:
    """Lets nobody else correct the call, or another of its caller's, until this transaction ends.

    In the order of their ids, so that two who do so never wait for each other in a circle.
    """
    its = calls.c.id == call_id
    if ani is not None:
        its = or_(its, calls.c.ani == ani)
    connection.execute(select(calls.c.id).where(its).order_by(calls.c.id).with_for_update())


def lock_callers(connection: Connection, records: Iterable[CallRecord]) -> None:
    """What `due_if_no_repeat` locks for these calls, to be locked before what others need sooner."""
    anis = {record.ani for record in records if record.ani is not None and was_only_a_repeat(record)}
    if anis:
        its = select(calls.c.id).where(calls.c.ani.in_(anis)).order_by(calls.c.id)
        connection.execute(its.with_for_update())


def due_if_no_repeat(connection: Connection, record: CallRecord, at: int, pending: Pending) -> list[Transfer]:
    """What charges and pays a call that was only a repeat, once, when what it repeated is taken back.

    `pending` has transfers by call that this transaction has yet to add, as it has these. The switch remembers
    whom it connected, and not what was taken back since; so a call is looked at when it is saved, and again
    when an earlier one is taken back.
    """
    if not was_only_a_repeat(record) or record.ani is None:
        return []
    lock_caller(connection, record.id, record.ani)
    its = [*ledger.of_call_in(connection, record.id), *pending.get(record.id, ())]
    rules = _rules(connection, record)
    if charges_of(its) or payouts_of(its) or any(rule.basis == "any" for rule in rules):
        return []  # of any call it is a repeat all the same: money that is taken back undoes no call
    earlier = [(rule.window, _earlier(connection, record, rule, pending)) for rule in rules]
    reason = no_repeat_after_all(record, earlier)
    return late_transfers(record, at, reason) if reason is not None else []


def _earlier(connection: Connection, record: CallRecord, rule: NoRepeat, pending: Pending) -> list[Earlier]:
    """The caller's calls before this one that the rule counts, as far back as it looks."""
    of_whom = {"campaign": calls.c.campaign, "advertiser": calls.c.advertiser, "destination": calls.c.winner}
    is_earlier = and_(
        unindexed(of_whom[rule.scope]) == whose(record, rule.scope),
        calls.c.ani == record.ani,
        calls.c.connected_at > record.started_at - rule.window,
        calls.c.connected_at < record.connected_at,
        calls.c.id != record.id,
    )
    moved = ledger.of_calls(connection, select(calls.c.id).where(is_earlier))
    query = select(calls.c.id, calls.c.connected_at, calls.c.qualified).where(is_earlier)
    found = []
    for call_id, connected_at, is_qualified in connection.execute(query):
        comes_to = net([*moved.get(call_id, ()), *pending.get(call_id, ())])
        if rule.basis == "connected" or is_qualified or comes_to.charged:
            found.append(Earlier(call_id, connected_at, comes_to.is_taken_back))
    return found


def _rules(connection: Connection, record: CallRecord) -> list[NoRepeat]:
    """The repeat clauses of the call's terms."""
    query = select(terms.c.terms_json).where(
        terms.c.campaign == record.campaign, terms.c.version == record.terms_version
    )
    text = connection.execute(query).scalar_one_or_none()
    clauses = json.loads(text)["qualify"] if text is not None else []
    read = [_CLAUSE.validate_python(clause, context={}) for clause in clauses if REPEAT_CLAUSE in clause]
    return [rule for clause in read if (rule := clause.no_repeat) is not None]
