"""Calls in a list, and a call as JSON: its record, its money after all corrections, its disputes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ari_app.domain.basics.clock import iso
from ari_app.domain.basics.money import format_amount
from ari_app.domain.calls.record import CallRecord, lines_of
from ari_app.domain.ledger.corrections import corrections_of, net
from ari_app.domain.ledger.disputes import Dispute
from ari_app.domain.ledger.transfers import Transfer
from ari_app.views.disputes import dispute_json
from ari_app.views.record import record_json
from ari_app.views.words import second, tenths

COLUMNS = (
    "id",
    "started (UTC)",
    "from",
    "to",
    "campaign",
    "disposition",
    "winner",
    "talked s",
    "MOS",
    "charged",
    "paid",
    "corrected",
)


def row(record: CallRecord, transfers: Sequence[Transfer]) -> tuple[object, ...]:
    """A call in a list. Its MOS is the lower one of the two parties'."""
    return (
        record.id,
        second(record.started_at),
        record.ani or "anonymous",
        record.did,
        record.campaign,
        record.disposition,
        record.winner,
        tenths(record.durations_ms.connected) if record.connected_at else None,
        min((rtp.mos for _, rtp in lines_of(record) if rtp.mos is not None), default=None),
        *net_cells(record, transfers),
    )


def net_amounts(currency: str, transfers: Sequence[Transfer]) -> tuple[str, str]:
    """The amounts charged and paid, after all corrections."""
    after = net(transfers)
    return format_amount(after.price, currency), format_amount(after.payout, currency)


def net_cells(record: CallRecord, transfers: Sequence[Transfer]) -> tuple[str | None, str | None, str | None]:
    """For a table: the net amounts charged and paid for a call, and by how much they were corrected."""
    if record.money is None:
        return (None, None, None)
    money, after = record.money, net(transfers)
    corrected = None
    if corrections_of(transfers):
        parts = (after.price - money.charged, after.payout - money.paid)
        corrected = "charged {}, paid {}".format(*(format_amount(part, money.currency) for part in parts))
    return (*net_amounts(money.currency, transfers), corrected)


def call_json(
    record: CallRecord, transfers: Sequence[Transfer], disputes: Sequence[Dispute] | None = None
) -> dict[str, Any]:
    """The call's record, with its net amounts (`money.net_charged`, `net_paid`), its corrections and its disputes.

    When `disputes` is None, as in a list of calls, that field is left out.
    """
    whole = record_json(record)
    if record.money is not None:
        price, payout = net_amounts(record.money.currency, transfers)
        whole["money"] |= {"net_charged": price, "net_paid": payout}
    whole["adjustments"] = [_correction_json(transfer) for transfer in corrections_of(transfers)]
    if disputes is not None:
        whole["disputes"] = list(map(dispute_json, disputes))
    return whole


def _correction_json(transfer: Transfer) -> dict[str, str]:
    return {
        "key": transfer.key,
        "at": iso(transfer.at),
        "debit": transfer.debit,
        "credit": transfer.credit,
        "amount": format_amount(transfer.amount, transfer.currency),
        "reason": transfer.reason,
    }
