"""The ledger: money moves by transfers that are only ever added. Balances are derived.

A transfer takes `amount` from the account `debit` and gives it to `credit`. Accounts are
`advertiser:ID`, `publisher:ID`, `exchange` (us) and `world` (where deposits come from and payouts go).

A call's price moves in two phases. At the award, the most that the call can cost is held. At its end, the unused part
is released, and the rest of the hold is resolved once: posted (the call qualified) or voided (it did not).
The payout follows a post. A call that awaits a conversion keeps the rest held until one comes, or its time is over.
Nothing is edited afterwards: a correction is one more transfer, an `adjust`, with a reason, which reverses another
transfer or a part of it. What a publisher has earned leaves by a `payout`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TransferKind = Literal["hold", "post", "void", "deposit", "adjust", "payout"]
EXCHANGE = "exchange"
WORLD = "world"
ADVERTISER = "advertiser:"


def advertiser_account(advertiser: str) -> str:
    """The account of an advertiser: what is left of its deposits, negative when it owes."""
    return f"{ADVERTISER}{advertiser}"


def publisher_account(publisher: str) -> str:
    """The account of a publisher: what it has earned."""
    return f"publisher:{publisher}"


@dataclass(frozen=True, slots=True)
class Transfer:
    """One movement. `key` is unique in the ledger, so that no movement happens twice.

    `amount` is positive, in the minor unit; `at` in ms. `resolves` is the key of the hold that a
    post or void resolves, or of the transfer that an adjust reverses, in whole or in part.
    """

    key: str
    kind: TransferKind
    debit: str
    credit: str
    amount: int
    currency: str
    at: int
    call_id: str | None = None
    terms_version: int | None = None
    resolves: str | None = None
    reason: str = ""


def deposit(key: str, advertiser: str, amount: int, currency: str, at: int, reason: str = "") -> Transfer:
    """Money that an advertiser paid in. `key` names the payment, so that it counts once."""
    account = advertiser_account(advertiser)
    return Transfer(f"deposit:{key}", "deposit", WORLD, account, amount, currency, at, reason=reason)


def payout(run: str, publisher: str, amount: int, currency: str, at: int) -> Transfer:
    """Earnings that a payout run pays to a publisher. `run` is its key, so that it pays once."""
    account = publisher_account(publisher)
    return Transfer(
        f"payout:{run}:{publisher}",
        "payout",
        account,
        WORLD,
        amount,
        currency,
        at,
        reason=f"payout run {run}",
    )


def reversal(wrong: Transfer, at: int, reason: str) -> Transfer:
    """The transfer that reverses all of `wrong`, and says why. Raises as `partial_reversal`."""
    return partial_reversal(wrong, f"{wrong.key}:reversal", wrong.amount, at, reason)


def partial_reversal(wrong: Transfer, key: str, amount: int, at: int, reason: str) -> Transfer:
    """The transfer that reverses `amount` of `wrong`, and says why.

    Together, the reversals of one transfer are never more than it moved: a trigger of the database ensures that.
    Raises ValueError for a hold or a void, which moved nothing, and when no reason is given.
    """
    if wrong.kind in ("hold", "void"):
        raise ValueError(f"{wrong.key} is a {wrong.kind}: it moved nothing that could be taken back")
    if not reason.strip():
        raise ValueError(f"taking {wrong.key} back needs a reason")
    return Transfer(
        key=key,
        kind="adjust",
        debit=wrong.credit,
        credit=wrong.debit,
        amount=amount,
        currency=wrong.currency,
        at=at,
        call_id=wrong.call_id,
        terms_version=wrong.terms_version,
        resolves=wrong.key,
        reason=reason,
    )
