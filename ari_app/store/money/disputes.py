"""Disputes: opened, and accepted with their transfers or rejected, each step in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Engine, Row, insert, select
from sqlalchemy.sql.elements import ColumnElement

from ari_app.domain.basics.audit import Entry
from ari_app.domain.basics.money import format_amount
from ari_app.domain.ledger.corrections import charges_of, clawback_for, correct, net
from ari_app.domain.ledger.disputes import (
    Dispute,
    DisputeError,
    DisputeEvent,
    DisputeState,
    DisputeStep,
    InDispute,
    NoDispute,
    require,
    require_in_window,
)
from ari_app.domain.ledger.transfers import Transfer
from ari_app.store.calls import changes
from ari_app.store.db import auditlog
from ari_app.store.db.engine import reading, retried, writing
from ari_app.store.db.tables import calls, dispute_events, disputes
from ari_app.store.money.corrections import book, locked

_PARTIES = (calls.c.advertiser, calls.c.publisher, calls.c.currency)
_EVENT = tuple(dispute_events.c[name] for name in ("what", "at", "by", "reason", "amount", "clawback"))


@retried
def open_(
    engine: Engine, call_id: str, amount: int | None, window_ms: int, at: int, by: str, reason: str
) -> Dispute:
    """Opens a dispute about `amount` of the call's charge, or about all that is left of it.

    Raises DisputeError: the window is over, less than `amount` is left of the charge, or it is already in dispute.
    """
    with writing(engine) as connection:
        its = locked(connection, call_id)
        left, charges = net(its).price, charges_of(its)
        call = connection.execute(select(calls).where(calls.c.id == call_id)).one()
        before = find(connection, disputes.c.call_id == call_id)
        if before and before[-1].state == "open":
            raise InDispute(before[-1].id)
        if not charges or left == 0:
            raise DisputeError("the advertiser was charged nothing for this call, or has all of it back")
        require_in_window(charges[-1].at, window_ms, at)
        claimed = left if amount is None else amount
        if claimed > left:
            wanted, rest = (format_amount(minor, call.currency) for minor in (claimed, left))
            raise DisputeError(f"{wanted} is more than the {rest} {call.currency} left of the charge")
        row = {"call_id": call_id, "n": len(before) + 1}
        dispute_id = connection.execute(insert(disputes).returning(disputes.c.id), row).scalar_one()
        _add(connection, dispute_id, 1, DisputeEvent("opened", at, by, reason, claimed))
        changes.note(connection, [call_id])
        return _get(connection, dispute_id)


@retried
def accept(
    engine: Engine, dispute_id: int, amount: int | None, clawback: int | None, at: int, by: str, reason: str
) -> Dispute:
    """Credits `amount`, or all that is claimed, to the advertiser, and takes `clawback` from the publisher.

    Without `clawback`, it is in proportion (`domain.ledger.corrections.clawback_for`). The event and the
    transfers are one transaction. Raises DisputeError, CannotCorrect.
    """
    with writing(engine) as connection:
        dispute, its = _undecided(connection, dispute_id, "accepted")
        credit = dispute.claimed if amount is None else amount
        if credit > dispute.claimed:
            claimed = format_amount(dispute.claimed, dispute.currency)
            raise DisputeError(f"only {claimed} {dispute.currency} is claimed in dispute {dispute_id}")
        taken = clawback_for(net(its), credit) if clawback is None else clawback
        why = f"dispute {dispute_id} accepted: {reason or dispute.events[0].reason}"
        made = correct(its, key_of(dispute_id), credit, taken, at, why)
        book(connection, dispute.call_id, made, at)
        event = DisputeEvent("accepted", at, by, reason, credit, taken)
        _add(connection, dispute_id, len(dispute.events) + 1, event)
        changes.note(connection, [dispute.call_id])
        return _get(connection, dispute_id)


@retried
def reject(engine: Engine, dispute_id: int, at: int, by: str, reason: str) -> Dispute:
    """Ends the dispute without moving money. Raises DisputeError."""
    with writing(engine) as connection:
        dispute, _ = _undecided(connection, dispute_id, "rejected")
        _add(connection, dispute_id, len(dispute.events) + 1, DisputeEvent("rejected", at, by, reason))
        changes.note(connection, [dispute.call_id])
        return _get(connection, dispute_id)


def get(engine: Engine, dispute_id: int) -> Dispute:
    """The dispute. Raises DisputeError when there is none."""
    with reading(engine) as connection:
        return _get(connection, dispute_id)


def list_(
    engine: Engine, *, state: DisputeState | None = None, advertiser: str | None = None
) -> list[Dispute]:
    """All disputes in the order they were opened, of those that match everything given."""
    conditions = [] if advertiser is None else [calls.c.advertiser == advertiser]
    with reading(engine) as connection:
        found = find(connection, *conditions)
    return [dispute for dispute in found if state in (None, dispute.state)]


def of_call(engine: Engine, call_id: str) -> list[Dispute]:
    """One call's disputes, in the order they were opened."""
    with reading(engine) as connection:
        return find(connection, disputes.c.call_id == call_id)


def key_of(dispute_id: int) -> str:
    """The beginning of the keys of an accepted dispute's transfers."""
    return f"dispute:{dispute_id}"


def _undecided(connection: Connection, dispute_id: int, what: DisputeStep) -> tuple[Dispute, list[Transfer]]:
    """The dispute and its call's transfers, locked. Raises DisputeError unless `what` can happen to it."""
    its = locked(connection, _get(connection, dispute_id).call_id)
    dispute = _get(connection, dispute_id)  # again: it may be decided since we waited
    require(dispute, what)
    return dispute, its


def _get(connection: Connection, dispute_id: int) -> Dispute:
    found = find(connection, disputes.c.id == dispute_id)
    if not found:
        raise NoDispute(dispute_id)
    return found[0]


def find(connection: Connection, *conditions: ColumnElement[bool]) -> list[Dispute]:
    """The disputes that meet the conditions, in the order in which they were opened."""
    query = (
        select(disputes.c.id, disputes.c.call_id, *_PARTIES, *_EVENT)
        .join(calls, calls.c.id == disputes.c.call_id)
        .join(dispute_events, dispute_events.c.dispute_id == disputes.c.id)
        .where(*conditions)
        .order_by(disputes.c.id, dispute_events.c.n)
    )
    rows = connection.execute(query)
    return [_dispute(its) for _, its in groupby(rows, key=lambda row: row[0])]


def _dispute(rows: Iterable[Row[Any]]) -> Dispute:
    """The dispute of these rows: each row has the dispute's own fields and one of its events."""
    its = list(rows)
    events = tuple(DisputeEvent(r.what, r.at, r.by, r.reason, r.amount, r.clawback) for r in its)
    first = its[0]
    return Dispute(first.id, first.call_id, first.advertiser, first.publisher, first.currency, events)


def _add(connection: Connection, dispute_id: int, n: int, event: DisputeEvent) -> None:
    row = {
        "dispute_id": dispute_id,
        "n": n,
        "what": event.what,
        "at": event.at,
        "by": event.by,
        "reason": event.reason,
        "amount": event.amount,
        "clawback": event.clawback,
    }
    connection.execute(insert(dispute_events), row)
    facts = {name: row[name] for name in ("reason", "amount", "clawback")}
    auditlog.note(connection, Entry(event.at, event.by, _USE_CASES[event.what], str(dispute_id), facts))


_USE_CASES: Mapping[DisputeStep, str] = {
    "opened": "disputes.open",
    "accepted": "disputes.accept",
    "rejected": "disputes.reject",
}
