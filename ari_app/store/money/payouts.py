"""Payout runs: publishers are paid what they earned, each earning once."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, Engine, case, exists, func, insert, literal, select

from ari_app.domain.basics.audit import Entry
from ari_app.domain.ledger import transfers as domain
from ari_app.domain.ledger.payouts import Earning, Paid, Payout, Run, due, total, waiting
from ari_app.domain.ledger.transfers import Transfer
from ari_app.store.db import auditlog
from ari_app.store.db.engine import lock_table, reading, retried, writing
from ari_app.store.db.errors import KeyTaken
from ari_app.store.db.tables import (
    calls,
    dispute_events,
    disputes,
    payout_items,
    payout_runs,
    payouts,
    transfers,
)
from ari_app.store.ledger import ledger


@retried
def run(engine: Engine, wanted: Run, entry: Entry | None = None) -> Paid:
    """Pays what is due, in one transaction; the same key again is the same run, and pays nothing more.

    A run that pays nobody is not saved: its key stays free. Raises KeyTaken when the key belongs to a run with other
    conditions. `entry`: the audit log's line.
    """
    with writing(engine) as connection:
        lock_table(connection, payout_runs)
        paid, its = _planned(connection, wanted)
        if paid.is_new and its:
            connection.execute(insert(payout_runs), _run_row(wanted))
            for publisher, earnings in reversed(its.items()):  # the order of locks, see `reservations`
                _pay(connection, wanted, publisher, earnings)
            auditlog.note(connection, entry)
        return paid


def plan(engine: Engine, wanted: Run) -> Paid:
    """What `run` would pay now, or has paid before. Nothing is booked. Raises KeyTaken."""
    with reading(engine) as connection:
        return _planned(connection, wanted)[0]


def _planned(connection: Connection, wanted: Run) -> tuple[Paid, dict[str, list[Earning]]]:
    before = _find(connection, wanted.key)
    if before is not None:
        if _asked(before.run) != _asked(wanted):
            raise KeyTaken(f"there was another payout run with the key {wanted.key!r}: choose another key")
        return before, {}
    earnings = _earnings(connection, wanted.currency)
    held_since = wanted.at - wanted.hold_ms
    its = dict(sorted(due(earnings, min(wanted.until_at, held_since), wanted.minimum).items()))
    payouts = [
        Payout(publisher, total(found), _calls(found), _transfer(wanted, publisher, found).key)
        for publisher, found in its.items()
    ]
    waits = waiting(earnings, wanted.until_at, held_since, wanted.minimum)
    return Paid(wanted, payouts, is_new=True, waits=waits), its


def find(engine: Engine, key: str) -> Paid | None:
    """The run with this key and what it paid."""
    with reading(engine) as connection:
        return _find(connection, key)


def every(engine: Engine) -> list[Paid]:
    """All runs, the oldest first."""
    with reading(engine) as connection:
        keys = connection.execute(select(payout_runs.c.key).order_by(payout_runs.c.at, payout_runs.c.key))
        return [paid for key in keys.scalars().all() if (paid := _find(connection, key))]


def items(engine: Engine, run: Run) -> list[tuple[Transfer, str | None]]:
    """The transfers that the run's payouts pay, each with its call's campaign."""
    of_run = payouts.c.transfer_key == payout_items.c.payout_key
    its = select(payout_items.c.transfer_key).join(payouts, of_run).where(payouts.c.run == run.key)
    return ledger.with_campaigns(engine, its)


def _find(connection: Connection, key: str) -> Paid | None:
    row = connection.execute(select(payout_runs).where(payout_runs.c.key == key)).one_or_none()
    if row is None:
        return None
    query = (
        select(payouts.c.publisher, transfers.c.amount, payouts.c.calls, transfers.c.key)
        .join(transfers, transfers.c.key == payouts.c.transfer_key)
        .where(payouts.c.run == key)
        .order_by(payouts.c.publisher)
    )
    return Paid(Run(*row), [Payout(*paid) for paid in connection.execute(query)])


def _earnings(connection: Connection, currency: str) -> list[Earning]:
    """What publishers earned or lost by calls and is in no payout yet; by one statement, as of one moment."""
    account = literal(domain.publisher_account("")) + calls.c.publisher
    paid_before = transfers.alias("paid_before")
    is_decided = exists().where(
        dispute_events.c.dispute_id == disputes.c.id, dispute_events.c.what != "opened"
    )
    query = (
        select(
            transfers.c.key,
            transfers.c.call_id,
            calls.c.publisher,
            case((transfers.c.credit == account, transfers.c.amount), else_=-transfers.c.amount),
            func.coalesce(calls.c.ended_at, calls.c.started_at),
            exists().where(disputes.c.call_id == calls.c.id, ~is_decided),
            exists()
            .where(payout_items.c.transfer_key == paid_before.c.key)
            .where(paid_before.c.call_id == transfers.c.call_id),
        )
        .join(calls, calls.c.id == transfers.c.call_id)
        .where(
            account.in_((transfers.c.credit, transfers.c.debit)),
            transfers.c.kind.in_(("post", "adjust")),
            transfers.c.currency == currency,
            ~exists().where(payout_items.c.transfer_key == transfers.c.key),
        )
        .order_by(transfers.c.seq)
    )
    return [Earning(*row) for row in connection.execute(query)]


def _pay(connection: Connection, wanted: Run, publisher: str, its: list[Earning]) -> None:
    paid = _transfer(wanted, publisher, its)
    ledger.add(connection, [paid])
    row = {"transfer_key": paid.key, "run": wanted.key, "publisher": publisher, "calls": _calls(its)}
    connection.execute(insert(payouts), row)
    items = [{"transfer_key": earning.transfer_key, "payout_key": paid.key} for earning in its]
    connection.execute(insert(payout_items), items)


def _transfer(wanted: Run, publisher: str, its: list[Earning]) -> Transfer:
    return domain.payout(wanted.key, publisher, total(its), wanted.currency, wanted.at)


def _calls(its: list[Earning]) -> int:
    return len({earning.call_id for earning in its})


def _run_row(run: Run) -> Mapping[str, object]:
    return {column.name: getattr(run, column.name) for column in payout_runs.columns}


def _asked(run: Run) -> tuple[object, ...]:
    """What must be equal in two runs with one key: everything but when they were started."""
    return run.currency, run.until_at, run.hold_ms, run.minimum
