"""The ledger's transfers, in the order in which they were added. The tables refuse any change of a transfer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Connection, Engine, Select, and_, case, func, insert, or_, select, tuple_, union_all
from sqlalchemy.exc import IntegrityError

from ari_app.domain.basics.audit import Entry
from ari_app.domain.ledger import balances as domain
from ari_app.domain.ledger.balances import Balance, Balances, StatementLine
from ari_app.domain.ledger.transfers import Transfer
from ari_app.store.db import auditlog, outbox
from ari_app.store.db.engine import reading, retried, writing
from ari_app.store.db.errors import KeyTaken
from ari_app.store.db.tables import account_balances, calls, transfers

_PAGE = 1000  # transfers read together
_FIELDS = tuple(field.name for field in fields(Transfer))
COLUMNS = tuple(transfers.c[name] for name in _FIELDS)
_IN_ORDER: Select[Any] = select(*COLUMNS).order_by(transfers.c.seq)


@retried
def post(engine: Engine, transfer: Transfer, entry: Entry | None = None) -> bool:
    """Adds one transfer, such as a deposit, and its line of the audit log; False when the ledger already has it.

    Raises KeyTaken when another transfer has its key.
    """
    try:
        with writing(engine) as connection:
            add(connection, [transfer])
            auditlog.note(connection, entry)
        return True
    except IntegrityError:
        there = find(engine, transfer.key)
        if there is None:
            raise
    if replace(there, at=transfer.at, reason=transfer.reason) != transfer:
        raise KeyTaken(f"the ledger has another transfer with the key {transfer.key!r}: choose another key")
    return False


def find(engine: Engine, key: str) -> Transfer | None:
    """The transfer with this key."""
    with reading(engine) as connection:
        row = connection.execute(select(*COLUMNS).where(transfers.c.key == key)).one_or_none()
        return Transfer(*row) if row else None


def all_transfers(engine: Engine) -> Iterator[Transfer]:
    """Every transfer, in the order they were added."""
    with reading(engine) as connection:
        yield from all_in(connection)


def all_in(connection: Connection) -> Iterator[Transfer]:
    """The same, as this transaction sees them."""
    for row in connection.execute(_IN_ORDER.execution_options(yield_per=_PAGE)):
        yield Transfer(*row)


def of_call(engine: Engine, call_id: str) -> list[Transfer]:
    """One call's transfers, in the order they were added."""
    with reading(engine) as connection:
        return of_call_in(connection, call_id)


def of_call_in(connection: Connection, call_id: str) -> list[Transfer]:
    """One call's transfers as this transaction sees them, in the order they were added."""
    return [Transfer(*row) for row in connection.execute(_IN_ORDER.where(transfers.c.call_id == call_id))]


def of_calls(connection: Connection, call_ids: Select[Any]) -> dict[str, list[Transfer]]:
    """The transfers of the calls whose ids the query finds, by call; calls without transfers are left out."""
    found: defaultdict[str, list[Transfer]] = defaultdict(list)
    for row in connection.execute(_IN_ORDER.where(transfers.c.call_id.in_(call_ids))):
        found[row.call_id].append(Transfer(*row))
    return found


def of_many(engine: Engine, call_ids: Collection[str]) -> dict[str, list[Transfer]]:
    """The transfers of the calls, by call; calls without transfers are left out."""
    with reading(engine) as connection:
        return of_calls(connection, select(calls.c.id).where(calls.c.id.in_(call_ids)))


def pages_between(connection: Connection, since: int, until: int) -> Iterator[list[Transfer]]:
    """The transfers of calls from `since` until before `until` (ms), a page at a time."""
    within = (transfers.c.call_id.is_not(None), transfers.c.at >= since, transfers.c.at < until)
    rows = connection.execute(_IN_ORDER.where(*within).execution_options(yield_per=_PAGE))
    for page in rows.partitions():
        yield [Transfer(*row) for row in page]


def with_campaigns(engine: Engine, keys: Select[Any]) -> list[tuple[Transfer, str | None]]:
    """The transfers whose keys the query finds, in order of time, each with its call's campaign."""
    query = _IN_ORDER.add_columns(calls.c.campaign).outerjoin(calls, calls.c.id == transfers.c.call_id)
    with reading(engine) as connection:
        rows = connection.execute(query.where(transfers.c.key.in_(keys)))
        found = [(Transfer(*row[:-1]), row.campaign) for row in rows]
    return sorted(found, key=lambda item: item[0].at)


def with_keys(connection: Connection, keys: Collection[str]) -> list[Transfer]:
    """The transfers of these keys, in the order they were added."""
    return [Transfer(*row) for row in connection.execute(_IN_ORDER.where(transfers.c.key.in_(keys)))]


def accounts(added: Iterable[Transfer]) -> set[tuple[str, str]]:
    """The accounts that transfers move, each in a currency."""
    return {(account, one.currency) for one in added for account in (one.debit, one.credit)}


def lock_accounts(connection: Connection, which: Collection[tuple[str, str]]) -> None:
    """Locks these balances until this transaction ends, so that nobody else changes them.

    In the same order as the trigger on transfers: by account backwards (see `reservations`).
    """
    if which and connection.dialect.name == "postgresql":
        key = tuple_(account_balances.c.account, account_balances.c.currency)
        # With another collation than C, the database's order differs from ours. So it sorts, here as in the trigger.
        order = account_balances.c.account.desc(), account_balances.c.currency
        rows = select(account_balances.c.account).where(key.in_(which)).order_by(*order)
        connection.execute(rows.with_for_update())


def add(connection: Connection, added: Collection[Transfer]) -> None:
    """Adds transfers in this transaction. Raises SQLAlchemy's IntegrityError if a key is taken."""
    add_of_calls(connection, added)
    outbox.add(connection, "money.moved", ((transfer.key, transfer.at) for transfer in added))


def add_of_calls(connection: Connection, added: Collection[Transfer]) -> None:
    """The same for transfers of calls: the outbox gets the calls, not each of their transfers."""
    if added:
        connection.execute(insert(transfers), [transfer_row(transfer) for transfer in added])


def statement(engine: Engine, account: str) -> list[StatementLine]:
    """The account's transfers in order of time, each with the balance after it."""
    is_mine = or_(transfers.c.debit == account, transfers.c.credit == account)
    with reading(engine) as connection:
        return domain.statement(
            account, (Transfer(*row) for row in connection.execute(_IN_ORDER.where(is_mine)))
        )


def balances(engine: Engine) -> Balances:
    """Every account's balance by (account, currency): `domain.ledger.balances`, added up by the database."""
    amount, kind = transfers.c.amount, transfers.c.kind
    posted = case((kind.in_(("hold", "void")), 0), else_=amount)
    held = case(
        (kind == "hold", amount),
        (and_(kind.in_(("post", "void")), transfers.c.resolves.is_not(None)), -amount),
        else_=0,
    )
    sides = union_all(
        select(
            transfers.c.credit.label("account"),
            transfers.c.currency,
            posted.label("posted"),
            held.label("held"),
        ),
        select(transfers.c.debit, transfers.c.currency, -posted, -held),
    ).subquery()
    key = (sides.c.account, sides.c.currency)
    query = select(*key, func.sum(sides.c.posted), func.sum(sides.c.held)).group_by(*key).order_by(*key)
    with reading(engine) as connection:
        return {
            (account, currency): Balance(int(posted_sum), int(held_sum))
            for account, currency, posted_sum, held_sum in connection.execute(query)
        }


def kept_balances(engine: Engine) -> Balances:
    """Every account's balance from the row that the database keeps up to date; equal to `balances`."""
    with reading(engine) as connection:
        return kept_balances_in(connection)


def kept_balances_in(connection: Connection) -> Balances:
    """The same, as this transaction sees them."""
    columns = (account_balances.c[name] for name in ("account", "currency", "posted", "held"))
    return {
        (account, currency): Balance(posted, held)
        for account, currency, posted, held in connection.execute(select(*columns))
    }


def available(engine: Engine) -> dict[tuple[str, str], int]:
    """What each account could spend now, by account and currency: without what is held or reserved by calls."""
    columns = (account_balances.c[name] for name in ("account", "currency", "posted", "held", "reserved"))
    with reading(engine) as connection:
        return {
            (account, currency): Balance(posted, held).available - reserved
            for account, currency, posted, held, reserved in connection.execute(select(*columns))
        }


def transfer_row(transfer: Transfer) -> dict[str, Any]:
    """The row of a transfer."""
    return {name: getattr(transfer, name) for name in _FIELDS}
