"""Adjustments: money of one call taken back, once a key; and what follows for calls that repeated it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, Engine, exists, select
from sqlalchemy.exc import IntegrityError

from ari_app.domain.basics.audit import Entry
from ari_app.domain.ledger.corrections import Net, correct, net
from ari_app.domain.ledger.transfers import Transfer
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
    """Gives the advertiser `credit` back and takes `clawback` from the publisher; False when it did before.

    What is left to take back is looked at while the call is locked, and a trigger of the database refuses more all the
    same. `entry` is the audit log's. Raises CannotCorrect, and KeyTaken when the key is there for something else.
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
    except IntegrityError as error:  # another call was adjusted with this key, at this moment
        raise taken from error
    return True


def _adjusted(its: Collection[Transfer], key: str) -> Counter[str]:
    """What an adjustment took back of a call, by part. Of several charges each is a key, the first without a number."""
    amounts = Counter[str]()
    for part in _PARTS:
        first = f"adjust:{key}:{part}"
        for transfer in its:
            if transfer.key.startswith(first) and _MORE.fullmatch(transfer.key.removeprefix(first)):
                amounts[part] += transfer.amount
    return amounts


def corrected(engine: Engine, since: int, until: int) -> dict[str, Net]:
    """What the calls that were corrected come to, of those that began from `since` until before `until` (ms)."""
    began = (calls.c.started_at >= since, calls.c.started_at < until)
    is_corrected = exists().where(transfers.c.call_id == calls.c.id, IS_CORRECTION)
    with reading(engine) as connection:
        moved = ledger.of_calls(connection, select(calls.c.id).where(*began, is_corrected))
    return {call_id: net(its) for call_id, its in moved.items()}


def locked(connection: Connection, call_id: str) -> list[Transfer]:
    """The call's transfers. Nobody else corrects it, or another of its caller's, until this transaction ends."""
    its = select(calls.c.ani).where(calls.c.id == call_id)
    recount.lock_caller(connection, call_id, connection.execute(its).scalar_one())
    return ledger.of_call_in(connection, call_id)


def book(connection: Connection, call_id: str, corrections: Sequence[Transfer], at: int) -> None:
    """Adds corrections of a call. When that takes it back, later calls that only repeated it are judged again.

    In the order of locks that `reservations` tells of.
    """
    moved = [*corrections, *_due_again(connection, call_id, corrections, at)]
    caprules.hold(connection)
    rollups.move(connection, moved)
    ledger.lock_accounts(connection, ledger.accounts(moved))
    caprules.correct(connection, moved)
    ledger.add(connection, moved)


def _due_again(
    connection: Connection, call_id: str, corrections: Sequence[Transfer], at: int
) -> list[Transfer]:
    """What charges and pays the caller's calls that were only repeats, where the corrections take the call back.

    Also one before it, which was not charged because this one was paid.
    """
    call = connection.execute(select(calls).where(calls.c.id == call_id)).one()
    its = [*ledger.of_call_in(connection, call_id), *corrections]
    if call.ani is None or not net(its).is_taken_back:
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
