"""Checks that the ledger is in order, and that disputes, payouts, bills and reports agree with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import Connection, Engine, case, func, select

from ari_app.domain.ledger.bills import Bill, account_of
from ari_app.domain.ledger.verification import LedgerFinding, Proof, verify, verify_kept
from ari_app.store.calls import calls
from ari_app.store.db.engine import reading
from ari_app.store.db.tables import bill_items, payout_items, payouts, transfers
from ari_app.store.ledger import ledger
from ari_app.store.money import bills, disputes
from ari_app.store.reports import reportcheck


def prove(engine: Engine, now: int) -> Proof:
    """All that `callrace ledger verify` checks, at `now` (ms).

    Everything is read as of one moment: calls that are saved meanwhile are not included.
    """
    with reading(engine) as connection:
        transfers = list(ledger.all_in(connection))
        wrong = verify(transfers, calls.every_in(connection), now) + _beside(connection)
        return Proof(len(transfers), wrong + verify_kept(transfers, ledger.kept_balances_in(connection)))


def findings(engine: Engine) -> list[LedgerFinding]:
    """Everything outside the ledger that disagrees with it; an empty list: everything agrees."""
    with reading(engine) as connection:
        return _beside(connection)


def _beside(connection: Connection) -> list[LedgerFinding]:
    of_money = (*_disputes(connection), *_payouts(connection), *_bills(connection))
    return [*of_money, *reportcheck.findings(connection)]


def _disputes(connection: Connection) -> Iterator[LedgerFinding]:
    """An accepted dispute moved what it says, and one that is not accepted moved nothing."""
    query = select(transfers.c.key, transfers.c.amount).where(transfers.c.key.startswith("dispute:"))
    moved = Counter[str]()
    for key, amount in connection.execute(query):
        moved[":".join(key.split(":")[:3])] += amount  # several charges: with a number at the end
    for dispute in disputes.find(connection):
        last = dispute.events[-1]
        said = (dispute.credited, last.clawback or 0)
        key = disputes.key_of(dispute.id)
        booked = (moved[f"{key}:price"], moved[f"{key}:payout"])
        if said != booked:
            detail = f"it is {dispute.state} for {said[0]} and {said[1]}; the ledger moved {booked[0]}, {booked[1]}"
            yield LedgerFinding("a dispute moves what was accepted", f"dispute {dispute.id}", detail)


def _payouts(connection: Connection) -> Iterator[LedgerFinding]:
    """A payout is the sum of the earnings that it pays."""
    paid, item = transfers.alias("paid"), transfers.alias("item")
    earned = func.coalesce(
        func.sum(case((item.c.credit == paid.c.debit, item.c.amount), else_=-item.c.amount)), 0
    )
    query = (
        select(paid.c.key, paid.c.amount, earned)
        .outerjoin(payouts, payouts.c.transfer_key == paid.c.key)
        .outerjoin(payout_items, payout_items.c.payout_key == payouts.c.transfer_key)
        .outerjoin(item, item.c.key == payout_items.c.transfer_key)
        .where(paid.c.kind == "payout")
        .group_by(paid.c.key, paid.c.amount)
        .having(paid.c.amount != earned)
        .order_by(paid.c.key)
    )
    for key, amount, its in connection.execute(query):
        yield LedgerFinding(
            "a payout is the sum of its earnings", key, f"{amount} was paid, for earnings of {its}"
        )


def _bills(connection: Connection) -> Iterator[LedgerFinding]:
    """Each bill begins with the closing balance of the bill before and adds its items; no bill number is missing."""
    closing: dict[tuple[str, str, str], int] = {}
    count: dict[str, int] = {}
    for bill in bills.find(connection):
        about = f"{bill.kind} {bill.number}"
        count[bill.kind] = count.get(bill.kind, 0) + 1
        if bill.number != count[bill.kind]:
            yield LedgerFinding("bills are numbered without gaps", about, f"{count[bill.kind]} is missing")
        account = (bill.kind, bill.party, bill.currency)
        opening = closing.get(account, 0)
        if bill.opening != opening:
            detail = f"it opens at {bill.opening}, and the one before closed at {opening}"
            yield LedgerFinding("a bill begins where the one before ended", about, detail)
        closing[account] = bill.closing
        moved = _moved_by(connection, bill)
        if bill.closing - bill.opening != moved:
            detail = f"it says {bill.closing - bill.opening}, its transfers {moved}"
            yield LedgerFinding("a bill is the sum of its transfers", about, detail)


def _moved_by(connection: Connection, bill: Bill) -> int:
    """What the transfers on the bill add to its party's account."""
    account = account_of(bill.kind, bill.party)
    effect = case((transfers.c.credit == account, transfers.c.amount), else_=-transfers.c.amount)
    query = (
        select(func.coalesce(func.sum(effect), 0))
        .join(bill_items, bill_items.c.transfer_key == transfers.c.key)
        .where(bill_items.c.kind == bill.kind, bill_items.c.number == bill.number)
    )
    return int(connection.execute(query).scalar_one())
