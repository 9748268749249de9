"""Accounts: balances, statements, bookings, and the result of a verification."""

from __future__ import annotations

from collections.abc import Sequence

from ari_app.domain.basics.clock import iso
from ari_app.domain.basics.money import format_amount
from ari_app.domain.ledger.balances import Balance, StatementLine
from ari_app.domain.ledger.corrections import Net
from ari_app.domain.ledger.verification import LedgerFinding
from ari_app.views.words import second

BALANCE_COLUMNS = {name: name for name in ("account", "posted", "held", "reserved", "available", "currency")}


def _balance_cells(balance: Balance, currency: str) -> tuple[str, str, str]:
    posted, held, available = (
        format_amount(amount, currency) for amount in (balance.posted, balance.held, balance.available)
    )
    return posted, held, available


def balance_json(account: str, currency: str, balance: Balance, reserved: int) -> dict[str, str]:
    """An account's balance in one currency; `reserved` is the amount that calls under way may cost."""
    amounts = {
        "posted": balance.posted,
        "held": balance.held,
        "reserved": reserved,
        "available": balance.available - reserved,
    }
    said = {name: format_amount(amount, currency) for name, amount in amounts.items()}
    return {"account": account, "currency": currency, **said}


def _signed(account: str, line: StatementLine) -> str:
    transfer = line.transfer
    sign = 1 if transfer.credit == account else -1
    return format_amount(sign * transfer.amount, transfer.currency)


STATEMENT_COLUMNS = (
    "at (UTC)",
    "kind",
    "other account",
    "amount",
    "posted",
    "held",
    "currency",
    "call",
    "reason",
)


def line_row(account: str, line: StatementLine) -> tuple[object, ...]:
    """A line of an account's statement."""
    transfer = line.transfer
    other = transfer.debit if transfer.credit == account else transfer.credit
    posted, held, _ = _balance_cells(line.after, transfer.currency)
    at = second(transfer.at)
    return (
        at,
        transfer.kind,
        other,
        _signed(account, line),
        posted,
        held,
        transfer.currency,
        transfer.call_id,
        transfer.reason,
    )


def line_json(account: str, line: StatementLine) -> dict[str, object]:
    """The same as JSON."""
    transfer = line.transfer
    posted, held, available = _balance_cells(line.after, transfer.currency)
    return {
        "key": transfer.key,
        "at": iso(transfer.at),
        "kind": transfer.kind,
        "debit": transfer.debit,
        "credit": transfer.credit,
        "amount": format_amount(transfer.amount, transfer.currency),
        "effect": _signed(account, line),
        "currency": transfer.currency,
        "call_id": transfer.call_id,
        "terms_version": transfer.terms_version,
        "resolves": transfer.resolves,
        "reason": transfer.reason,
        "after": {"posted": posted, "held": held, "available": available},
    }


def payment_json(advertiser: str, amount: str, currency: str, key: str, is_new: bool) -> dict[str, object]:
    """A deposit or a refund; `is_new`: it was booked by this request, not by an earlier one."""
    return {"advertiser": advertiser, "amount": amount, "currency": currency, "key": key, "is_new": is_new}


def proof_json(transfers: int, findings: Sequence[LedgerFinding]) -> dict[str, object]:
    """The result of a verification of the ledger, and how many transfers it checked."""
    listed = [{"rule": f.rule, "about": f.about, "detail": f.detail} for f in findings]
    return {"balanced": not findings, "transfers": transfers, "findings": listed}


def adjustment_json(call_id: str, key: str, is_new: bool, after: Net, currency: str) -> dict[str, object]:
    """An adjustment of a call's money, and the call's net amounts after it."""
    comes_to = {
        "charged": format_amount(after.price, currency),
        "paid": format_amount(after.payout, currency),
        "currency": currency,
    }
    return {"call_id": call_id, "key": key, "is_new": is_new, "comes_to": comes_to}
