"""Disputes."""

from __future__ import annotations

from ari_app.domain.basics.clock import iso
from ari_app.domain.basics.money import format_amount
from ari_app.domain.ledger.disputes import Dispute


def dispute_json(dispute: Dispute) -> dict[str, object]:
    """The dispute as its readers see it."""
    return {
        "id": dispute.id,
        "call_id": dispute.call_id,
        "state": dispute.state,
        "advertiser": dispute.advertiser,
        "publisher": dispute.publisher,
        "currency": dispute.currency,
        "claimed": format_amount(dispute.claimed, dispute.currency),
        "credited": format_amount(dispute.credited, dispute.currency),
        "events": [
            {
                "at": iso(event.at),
                "what": event.what,
                "by": event.by,
                "reason": event.reason,
                "amount": optional_amount(event.amount, dispute.currency),
                "clawback": optional_amount(event.clawback, dispute.currency),
            }
            for event in dispute.events
        ],
    }


def optional_amount(minor: int | None, currency: str) -> str | None:
    """The amount in decimals; None stays None."""
    return None if minor is None else format_amount(minor, currency)
