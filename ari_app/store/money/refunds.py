"""Refunds of deposits, each in one transaction: the advertiser gets money back that is left, once for each key."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, func, select

from ari_app.domain.basics.audit import Entry
from ari_app.domain.basics.money import format_amount
from ari_app.domain.ledger.balances import Balance
from ari_app.domain.ledger.refunds import CannotRefund, key_of, refund
from ari_app.domain.ledger.transfers import Transfer, advertiser_account
from ari_app.store.db import auditlog
from ari_app.store.db.engine import retried, writing
from ari_app.store.db.errors import KeyTaken
from ari_app.store.db.tables import account_balances, transfers
from ari_app.store.ledger import ledger


@retried
def give_back(
    engine: Engine,
    advertiser: str,
    key: str,
    amount: int,
    currency: str,
    at: int,
    reason: str,
    entry: Entry | None = None,
) -> bool:
    """Gives `amount` of the advertiser's deposits back, the newest first; False: this was already done.

    `entry`: the audit log's line. Raises CannotRefund when less is available, and KeyTaken when the key belongs to
    another refund.
    """
    account = advertiser_account(advertiser)
    with writing(engine) as connection:
        available = _locked(connection, account, currency)
        deposits = _deposits(connection, account, currency)
        if ledger.with_keys(connection, [key_of(key)]):
            keys = [key_of(key, n + 1) for n in range(len(deposits))]
            its = [one for one in ledger.with_keys(connection, keys) if one.debit == account]
            if sum(one.amount for one in its) != amount:
                raise KeyTaken(f"the ledger has another refund with the key {key!r}: choose another key")
            return False
        if amount > available:
            wanted, has = (format_amount(minor, currency) for minor in (amount, max(available, 0)))
            raise CannotRefund(f"{wanted} is more than the {has} {currency} that {advertiser} has available")
        ledger.add(connection, list(refund(deposits, key, amount, at, reason)))
        auditlog.note(connection, entry)
    return True


def _locked(connection: Connection, account: str, currency: str) -> int:
    """What the account has available. The balance is locked until this transaction ends."""
    row = connection.execute(
        select(account_balances)
        .where(account_balances.c.account == account, account_balances.c.currency == currency)
        .with_for_update()
    ).one_or_none()
    return Balance(row.posted, row.held).available - row.reserved if row else 0


def _deposits(connection: Connection, account: str, currency: str) -> list[tuple[Transfer, int]]:
    """The account's deposits, the newest first, each with what is left of it."""
    back = transfers.alias("back")
    taken = (
        select(func.coalesce(func.sum(back.c.amount), 0))
        .where(back.c.resolves == transfers.c.key, back.c.kind == "adjust")
        .scalar_subquery()
    )
    query = (
        select(*ledger.COLUMNS, taken)
        .where(
            transfers.c.kind == "deposit",
            transfers.c.credit == account,
            transfers.c.currency == currency,
        )
        .order_by(transfers.c.seq.desc())
    )
    return [(Transfer(*row[:-1]), row.amount - int(row[-1])) for row in connection.execute(query)]
