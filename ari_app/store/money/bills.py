"""Bills: issued once for a period, numbered without gaps, never changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple

from sqlalchemy import Connection, Engine, RowMapping, and_, case, exists, func, insert, or_, select
from sqlalchemy.sql.elements import ColumnElement

from ari_app.domain.basics.audit import Entry
from ari_app.domain.ledger.bills import (
    Bill,
    BillError,
    BillKind,
    BillLine,
    BillPeriod,
    Issued,
    Movement,
    Party,
    account_of,
    bill_lines,
    to_issue,
)
from ari_app.domain.ledger.calls import BONUS
from ari_app.domain.ledger.transfers import Transfer
from ari_app.store.db import auditlog
from ari_app.store.db.engine import lock_table, reading, retried, writing
from ari_app.store.db.tables import bill_items, bills, calls, transfers
from ari_app.store.ledger import ledger


@retried
def issue(
    engine: Engine,
    party: Party,
    period: BillPeriod,
    at: int,
    force_open: bool = False,
    entry: Entry | None = None,
) -> Issued:
    """Issues the party's bill of the period at `at` (ms); the same period again is the same bill.

    The numbers of a kind have no gaps: the table is locked until the bill is committed, and
    the number is the primary key. `entry`: the audit log's line. Raises BillError: the period is not over, a later
    period was already billed, or there is nothing to bill.
    """
    with writing(engine) as connection:
        lock_table(connection, bills)
        issued, movements = _drafted(connection, party, period, at, force_open)
        if issued.is_new:
            _save(connection, issued.bill, movements)
            auditlog.note(connection, entry)
        return issued


def draft(engine: Engine, party: Party, period: BillPeriod, at: int, force_open: bool = False) -> Issued:
    """The bill that `issue` would issue now, or has issued before. Nothing is booked. Raises BillError."""
    with reading(engine) as connection:
        return _drafted(connection, party, period, at, force_open)[0]


def _drafted(
    connection: Connection, party: Party, period: BillPeriod, at: int, force_open: bool
) -> tuple[Issued, list[Movement]]:
    is_its = (bills.c.kind == party.kind, bills.c.party == party.id, bills.c.currency == party.currency)
    before = find(connection, *is_its)
    there = next((bill for bill in before if bill.period.name == period.name), None)
    if there is not None:
        return Issued(there, is_new=False), []
    if before and before[-1].period.name > period.name:
        raise BillError(f"{before[-1].period.name} is billed already: what is missing is on its next bill")
    billed = to_issue(period, at, force_open)
    movements = _movements(connection, party, billed)
    if not movements:
        raise BillError(f"nothing moved for {party.id} in {period.name}: there is nothing to bill")
    lines, payments = bill_lines(party.kind, movements, billed)
    number = _next_number(connection, party.kind)
    opening = before[-1].closing if before else 0
    bill = Bill(
        party.kind, number, party.id, party.name, party.currency, billed, at, opening, payments, tuple(lines)
    )
    return Issued(bill, is_new=True), movements


def get(engine: Engine, kind: BillKind, number: int) -> Bill | None:
    """The bill with this number."""
    with reading(engine) as connection:
        return next(iter(find(connection, bills.c.kind == kind, bills.c.number == number)), None)


def list_(engine: Engine, kind: BillKind, party: str | None = None) -> list[Bill]:
    """The bills of a kind by number; of one party, if it is given."""
    conditions = [bills.c.kind == kind] if party is None else [bills.c.kind == kind, bills.c.party == party]
    with reading(engine) as connection:
        return find(connection, *conditions)


def items(engine: Engine, bill: Bill) -> list[tuple[Transfer, str | None]]:
    """The transfers on the bill, each with its call's campaign."""
    its = select(bill_items.c.transfer_key).where(
        bill_items.c.kind == bill.kind, bill_items.c.number == bill.number
    )
    return ledger.with_campaigns(engine, its)


def unbilled(engine: Engine, party: Party, period: BillPeriod) -> list[tuple[Transfer, str | None]]:
    """The transfers that a bill of the period would have now, each with its call's campaign."""
    return ledger.with_campaigns(engine, select(transfers.c.key).where(*_to_bill(party, period)))


def find(connection: Connection, *conditions: ColumnElement[bool]) -> list[Bill]:
    """The bills that meet the conditions, by kind and number; a party's bills are in the order of their periods."""
    query = select(bills).where(*conditions).order_by(bills.c.kind, bills.c.number)
    return [_bill(row._mapping) for row in connection.execute(query)]


def _next_number(connection: Connection, kind: BillKind) -> int:
    last = connection.execute(select(func.max(bills.c.number)).where(bills.c.kind == kind)).scalar_one()
    return (last or 0) + 1


def _movements(connection: Connection, party: Party, period: BillPeriod) -> list[Movement]:
    """What moved on the party's account before the end of the period, and is on no bill yet."""
    account = account_of(party.kind, party.id)
    query = (
        select(
            transfers.c.key,
            transfers.c.at,
            case(
                (transfers.c.kind == "adjust", "adjustments"),
                (transfers.c.key.contains(BONUS), "bonuses"),
                else_="calls",
            ),
            calls.c.campaign,
            case((transfers.c.credit == account, transfers.c.amount), else_=-transfers.c.amount),
        )
        .outerjoin(calls, calls.c.id == transfers.c.call_id)
        .where(*_to_bill(party, period))
        .order_by(transfers.c.seq)
    )
    return [Movement(*row) for row in connection.execute(query)]


def _to_bill(party: Party, period: BillPeriod) -> tuple[ColumnElement[bool], ...]:
    account = account_of(party.kind, party.id)
    return (
        or_(transfers.c.debit == account, transfers.c.credit == account),
        and_(transfers.c.kind != "hold", transfers.c.kind != "void"),
        transfers.c.currency == party.currency,
        transfers.c.at < period.until_at,
        ~exists().where(bill_items.c.transfer_key == transfers.c.key),
    )


def _save(connection: Connection, bill: Bill, movements: Sequence[Movement]) -> None:
    row = {
        "kind": bill.kind,
        "number": bill.number,
        "party": bill.party,
        "name": bill.name,
        "currency": bill.currency,
        "period": bill.period.name,
        "timezone": bill.period.timezone,
        "from_at": bill.period.from_at,
        "until_at": bill.period.until_at,
        "issued_at": bill.issued_at,
        "opening": bill.opening,
        "payments": bill.payments,
        "lines_json": json.dumps([astuple(line) for line in bill.lines]),
    }
    connection.execute(insert(bills), row)
    items = [
        {"transfer_key": movement.transfer_key, "kind": bill.kind, "number": bill.number}
        for movement in movements
    ]
    connection.execute(insert(bill_items), items)


def _bill(row: RowMapping) -> Bill:
    return Bill(
        kind=row["kind"],
        number=row["number"],
        party=row["party"],
        name=row["name"],
        currency=row["currency"],
        period=BillPeriod(row["period"], row["timezone"], row["from_at"], row["until_at"]),
        issued_at=row["issued_at"],
        opening=row["opening"],
        payments=row["payments"],
        lines=tuple(BillLine(*line) for line in json.loads(row["lines_json"])),
    )
