"""Adjustments: reverse money of one call, once for each key; and what follows for calls that repeated it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, Engine, exists, select
from sqlalchemy.exc import IntegrityError

from ari_app.domain.basics.audit import Entry
from ari_app.domain.ledger.corrections import Net, correct, net
from ari_app.domain.ledger.transfers import Transfer
from ari_app.store.calls import changes
from ari_app.store.calls.callrows import records
from ari_app.store.db import auditlog
from ari_app.store.db.engine import reading, retried, writing
from ari_app.store.db.errors import KeyTaken
from ari_app.store.db.tables import calls, transfers
from ari_app.store.ledger import ledger, recount
from ari_app.store.ledger.callmoney import IS_CORRECTION
from ari_app.store.limits import caprules
from ari_app.store.reports import rollups

_PARTS = ("price", "payout")
_MORE = re.compile(r"(?::\d+)?", re.ASCII)


@retried
def adjust(
    engine: Engine,
    call_id: str,
    key: str,
    credit: int,
    clawback: int,
    at: int,
    reason: str,
    entry: Entry | None = None,
) -> bool:
    """Gives the advertiser `credit` back and takes `clawback` from the publisher; False: this was already done.

    How much can be reversed is checked while the call is locked; besides, a trigger of the database refuses more.
    `entry`: the audit log's line. Raises CannotCorrect, and KeyTaken when the key has another content.
    """
    wanted = {"price": credit, "payout": clawback}
    taken = KeyTaken(f"the ledger has another adjustment with the key {key!r}: choose another key")
    try:
        with writing(engine) as connection:
            its = locked(connection, call_id)
            there = {
                t.call_id for t in ledger.with_keys(connection, [f"adjust:{key}:{part}" for part in _PARTS])
            }
            if there:
                if there != {call_id} or _adjusted(its, key) != Counter(wanted):
                    raise taken
                return False
            book(connection, call_id, correct(its, f"adjust:{key}", credit, clawback, at, reason), at)
            auditlog.note(connection, entry)
    except IntegrityError as error:  # at the same moment, another call was adjusted with this key
        raise taken from error
    return True


def _adjusted(its: Collection[Transfer], key: str) -> Counter[str]:
    """What an adjustment reversed of a call, by part. Several charges have a key each, the first without a number."""
    amounts = Counter[str]()
    for part in _PARTS:
        first = f"adjust:{key}:{part}"
        for transfer in its:
            if transfer.key.startswith(first) and _MORE.fullmatch(transfer.key.removeprefix(first)):
                amounts[part] += transfer.amount
    return amounts


def corrected(engine: Engine, since: int, until: int) -> dict[str, Net]:
    """The net money of corrected calls that began from `since` until before `until` (ms)."""
    began = (calls.c.started_at >= since, calls.c.started_at < until)
    is_corrected = exists().where(transfers.c.call_id == calls.c.id, IS_CORRECTION)
    with reading(engine) as connection:
        moved = ledger.of_calls(connection, select(calls.c.id).where(*began, is_corrected))
    return {call_id: net(its) for call_id, its in moved.items()}


def locked(connection: Connection, call_id: str) -> list[Transfer]:
    """The call's transfers. All calls of its caller are locked until this transaction ends."""
    its = select(calls.c.ani).where(calls.c.id == call_id)
    recount.lock_caller(connection, call_id, connection.execute(its).scalar_one())
    return ledger.of_call_in(connection, call_id)


def book(connection: Connection, call_id: str, corrections: Sequence[Transfer], at: int) -> None:
    """Adds corrections of a call. If they reverse it, later calls that failed only as its repeats are judged again.

    In the order of locks that `reservations` describes.
    """
    moved = [*corrections, *_due_again(connection, call_id, corrections, at)]
    caprules.hold(connection)
    rollups.move(connection, moved)
    ledger.lock_accounts(connection, ledger.accounts(moved))
    caprules.correct(connection, moved)
    ledger.add(connection, moved)
    changes.note(connection, {one.call_id for one in moved if one.call_id is not None})


def _due_again(
    connection: Connection, call_id: str, corrections: Sequence[Transfer], at: int
) -> list[Transfer]:
    """The transfers for the caller's calls that failed only as repeats, if the corrections reverse the call.

    Also for an earlier call that was not charged because this one was paid.
    """
    call = connection.execute(select(calls).where(calls.c.id == call_id)).one()
    its = [*ledger.of_call_in(connection, call_id), *corrections]
    if call.ani is None or not net(its).is_reversed:
        return []
    others = select(calls).where(
        calls.c.ani == call.ani,
        calls.c.id != call_id,
        calls.c.connected_at.is_not(None),
        calls.c.qualified.is_(False),
    )
    pending = {call_id: corrections}
    for record in records(connection, connection.execute(others.order_by(calls.c.connected_at)).all()):
        pending[record.id] = recount.due_if_no_repeat(connection, record, at, pending)
    return [transfer for repeat, its in pending.items() if repeat != call_id for transfer in its]
