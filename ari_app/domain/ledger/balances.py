"""What transfers come to: balances, and statements of one account."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ari_app.domain.ledger.transfers import Transfer

PartyKind = Literal["advertiser", "publisher"]


@dataclass(frozen=True, slots=True)
class Balance:
    """`posted` is what was moved; `held` is what open holds will add to it when they are posted."""

    posted: int = 0
    held: int = 0

    @property
    def available(self) -> int:
        """What may still be spent: without money held for others, and without money held for this account."""
        return self.posted + min(self.held, 0)


@dataclass(frozen=True, slots=True)
class Account:
    """An account in one currency: its balance, and what calls under way have reserved of it."""

    name: str
    currency: str
    balance: Balance
    reserved: int

    @property
    def available(self) -> int:
        """What may still be spent now."""
        return self.balance.available - self.reserved


Balances = dict[tuple[str, str], Balance]
"""By (account, currency)."""


@dataclass(frozen=True, slots=True)
class StatementLine:
    """A line of an account's statement: a transfer, and the balance after it."""

    transfer: Transfer
    after: Balance


def charged_and_paid(transfers: Iterable[Transfer]) -> tuple[int, int]:
    """What the transfers of one call charged the advertiser and paid the publisher, before corrections."""
    posts = [transfer for transfer in transfers if transfer.kind == "post"]
    charged = sum(post.amount for post in posts if post.resolves is not None)
    return charged, sum(post.amount for post in posts if post.resolves is None)


def effect(transfer: Transfer) -> Balance:
    """What the transfer adds to the balance of its credit account, and takes from its debit account."""
    if transfer.kind == "hold":
        return Balance(held=transfer.amount)
    if transfer.kind == "void":
        return Balance(held=-transfer.amount)
    return Balance(transfer.amount, -transfer.amount if ends_a_hold(transfer) else 0)


def balances(transfers: Iterable[Transfer]) -> Balances:
    """The balance of every account, in each currency that it was used with."""
    posted: Counter[tuple[str, str]] = Counter()
    held: Counter[tuple[str, str]] = Counter()
    for transfer in transfers:
        moved = effect(transfer)
        for account, sign in ((transfer.credit, 1), (transfer.debit, -1)):
            posted[account, transfer.currency] += sign * moved.posted
            held[account, transfer.currency] += sign * moved.held
    return {account: Balance(posted[account], held[account]) for account in posted}


def statement(account: str, transfers: Iterable[Transfer]) -> list[StatementLine]:
    """The account's transfers in order of time, each with the balance after it in its currency.

    Transfers of the same moment stay in the order given.
    """
    lines = []
    after: defaultdict[str, Balance] = defaultdict(Balance)
    for transfer in sorted(transfers, key=lambda transfer: transfer.at):
        if account not in (transfer.debit, transfer.credit):
            continue
        sign = 1 if account == transfer.credit else -1
        moved, before = effect(transfer), after[transfer.currency]
        after[transfer.currency] = Balance(
            before.posted + sign * moved.posted, before.held + sign * moved.held
        )
        lines.append(StatementLine(transfer, after[transfer.currency]))
    return lines


def ends_a_hold(transfer: Transfer) -> bool:
    return transfer.kind in ("post", "void") and transfer.resolves is not None


@dataclass(frozen=True, slots=True)
class KeptAccount:
    """The balance of a party that leaves the marketplace, in the minor unit of one currency; negative: it owes.

    `set_aside`: how much of it calls that are not settled yet may need.
    """

    what: PartyKind
    name: str
    currency: str
    balance: int
    set_aside: int
