"""Repeat callers as the ledger knows them: a call that was taken back does not count as an earlier one."""

from __future__ import annotations

import json

from sqlalchemy import Connection, and_, or_, select

from ari_app.domain.corrections import charge_of, net, payout_of
from ari_app.domain.fields import parse_duration
from ari_app.domain.record import CallRecord
from ari_app.domain.recount import (
    REPEAT_CLAUSE,
    Earlier,
    late_transfers,
    no_repeat_after_all,
    was_only_a_repeat,
)
from ari_app.store import ledger
from ari_app.store.tables import calls, terms


def lock_caller(connection: Connection, call_id: str, campaign: str | None, ani: str | None) -> None:
    """Lets nobody else correct the call, or one of its caller's to its campaign, until this transaction ends.

    In the order of their ids, so that two who do so never wait for each other in a circle.
    """
    its = calls.c.id == call_id
    if ani is not None:
        its = or_(its, and_(calls.c.campaign == campaign, calls.c.ani == ani))
    connection.execute(select(calls.c.id).where(its).order_by(calls.c.id).with_for_update())


def charge_if_no_repeat(connection: Connection, record: CallRecord, at: int) -> None:
    """Charges and pays a call that was only a repeat, once, when what it repeated is taken back.

    The switch remembers whom it connected, and not what was taken back since; so a call is looked at when
    it is saved, and again when an earlier one is taken back.
    """
    if not was_only_a_repeat(record) or record.ani is None:
        return
    lock_caller(connection, record.id, record.campaign, record.ani)
    its = ledger.of_call_in(connection, record.id)
    window_ms = _window_ms(connection, record)
    if window_ms is None or charge_of(its) is not None or payout_of(its) is not None:
        return
    reason = no_repeat_after_all(record, window_ms, _earlier(connection, record, window_ms))
    if reason is not None:
        ledger.add(connection, late_transfers(record, at, reason))


def _earlier(connection: Connection, record: CallRecord, window_ms: int) -> list[Earlier]:
    """The caller's connected calls to the campaign before this one, as far back as the terms look."""
    is_earlier = and_(
        calls.c.campaign == record.campaign,
        calls.c.ani == record.ani,
        calls.c.connected_at > record.started_at - window_ms,
        calls.c.connected_at < record.connected_at,
        calls.c.id != record.id,
    )
    moved = ledger.of_calls(connection, select(calls.c.id).where(is_earlier))
    query = select(calls.c.id, calls.c.connected_at).where(is_earlier)
    return [
        Earlier(call_id, connected_at, net(moved.get(call_id, ())).is_taken_back)
        for call_id, connected_at in connection.execute(query)
    ]


def _window_ms(connection: Connection, record: CallRecord) -> int | None:
    """How long the call's terms look back for connected calls to the campaign; None where they say otherwise."""
    query = select(terms.c.terms_json).where(
        terms.c.campaign == record.campaign, terms.c.version == record.terms_version
    )
    text = connection.execute(query).scalar_one_or_none()
    clauses = json.loads(text)["qualify"] if text is not None else []
    rules = [clause[REPEAT_CLAUSE] for clause in clauses if REPEAT_CLAUSE in clause]
    if not all(isinstance(rule, str) for rule in rules):
        return None
    return max(map(parse_duration, rules), default=None)
