"""Converted calls, and calls that await a conversion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ari_app.domain.basics.clock import iso
from ari_app.domain.basics.money import format_amount
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.ledger.transfers import Transfer
from ari_app.views.calls import net_amounts, net_cells
from ari_app.views.words import second

COLUMNS = (
    "call",
    "campaign",
    "waits until (UTC)",
    "converted at (UTC)",
    "ref",
    "price",
    "charged",
    "paid",
    "corrected",
)


def row(record: CallRecord, transfers: Sequence[Transfer]) -> tuple[object, ...]:
    """A converted call, or one that awaits a conversion, in a list."""
    money, conversion = record.money, record.conversion
    price = format_amount(money.price, money.currency) if money else None
    times = (record.waits_until, conversion.at if conversion else None)
    moments = [None if at is None else second(at) for at in times]
    return (
        record.id,
        record.campaign,
        *moments,
        conversion.ref if conversion else None,
        price,
        *net_cells(record, transfers),
    )


def conversion_json(record: CallRecord, transfers: Sequence[Transfer]) -> dict[str, Any]:
    """The same as JSON."""
    money, conversion = record.money, record.conversion
    net = net_amounts(money.currency, transfers) if money else (None, None)
    return {
        "call": record.id,
        "campaign": record.campaign,
        "waits_until": iso(record.waits_until),
        "converted_at": iso(conversion.at) if conversion else None,
        "told_at": iso(conversion.told_at) if conversion else None,
        "ref": conversion.ref if conversion else None,
        "currency": money.currency if money else None,
        **{
            name: format_amount(getattr(money, name), money.currency) if money else None
            for name in ("price", "payout", "charged", "paid")
        },
        "net_charged": net[0],
        "net_paid": net[1],
    }
