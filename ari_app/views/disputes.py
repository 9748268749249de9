"""Disputes: in a list, one with its history, and as JSON."""

from __future__ import annotations

from ari_app.domain.basics.clock import iso
from ari_app.domain.basics.money import format_amount
from ari_app.domain.ledger.disputes import Dispute, DisputeEvent
from ari_app.views.words import optional_amount, second


def dispute_json(dispute: Dispute) -> dict[str, object]:
    """The dispute as JSON."""
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


COLUMNS = ("id", "opened (UTC)", "call", "advertiser", "publisher", "claimed", "credited", "state", "reason")


def row(dispute: Dispute) -> tuple[object, ...]:
    """A dispute in a list."""
    return (
        dispute.id,
        second(dispute.events[0].at),
        dispute.call_id,
        dispute.advertiser,
        dispute.publisher,
        format_amount(dispute.claimed, dispute.currency),
        format_amount(dispute.credited, dispute.currency),
        dispute.state,
        dispute.events[0].reason,
    )


EVENT_COLUMNS = ("at (UTC)", "what", "by", "amount", "clawback", "reason")


def event_row(event: DisputeEvent, currency: str) -> tuple[object, ...]:
    """One event in a dispute's history."""
    return (
        second(event.at),
        event.what,
        event.by,
        optional_amount(event.amount, currency),
        optional_amount(event.clawback, currency),
        event.reason,
    )
