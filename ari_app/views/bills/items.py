"""The transfers of a bill or a payout run, one line each: they lead from a sum to its calls."""

from __future__ import annotations

from ari_app.domain.basics.clock import iso
from ari_app.domain.basics.money import format_amount
from ari_app.domain.ledger.transfers import Transfer

COLUMNS = ("at", "account", "call", "campaign", "amount", "currency", "reason")


def item_row(transfer: Transfer, campaign: str | None) -> tuple[object, ...]:
    """A transfer, from the view of its party's account."""
    is_credit = transfer.credit.startswith(("advertiser:", "publisher:"))
    account, sign = (transfer.credit, 1) if is_credit else (transfer.debit, -1)
    amount = format_amount(sign * transfer.amount, transfer.currency)
    return iso(transfer.at), account, transfer.call_id, campaign, amount, transfer.currency, transfer.reason
