"""A call's record as JSON: a contract with its readers (docs/record.md)."""

from __future__ import annotations

from typing import Any

from ari_app.domain.basics.clock import iso
from ari_app.domain.basics.money import format_amount
from ari_app.domain.calls.record import (
    CallRecord,
    ClauseResult,
    LegRecord,
    LineRecord,
    Money,
    Part,
    Tracks,
    TransferRecord,
    track_files,
)
from ari_app.domain.calls.rtp import RtpStatistics


def record_json(record: CallRecord) -> dict[str, Any]:
    """The record as JSON (as in `callrace calls show ID --json`)."""
    verdict, money = record.qualification, record.money
    return {
        "id": record.id,
        "did": record.did,
        "ani": record.ani,
        "attestation": record.attestation,
        "diversion": record.diversion,
        "history_info": record.history_info,
        "campaign": record.campaign,
        "advertiser": record.advertiser,
        "publisher": record.publisher,
        "source": record.source,
        "terms_version": record.terms_version,
        "disposition": record.disposition,
        "started_at": iso(record.started_at),
        "answered_at": iso(record.answered_at),
        "offered_at": iso(record.offered_at),
        "connected_at": iso(record.connected_at),
        "ended_at": iso(record.ended_at),
        "end_source": record.end_source,
        "answers": record.answers,
        "place": {
            "state": record.place.state,
            "zip": record.place.zip,
            "timezone": record.place.timezone,
            "from": record.place.from_,
        },
        "legs": [_leg_json(leg) for leg in record.legs],
        "winner": record.winner,
        "transfers": [_transfer_json(transfer) for transfer in record.transfers],
        "excluded": [{"destination": e.destination, "reason": e.reason} for e in record.excluded],
        "durations_ms": {
            "total": record.durations_ms.total,
            "ivr": record.durations_ms.ivr,
            "wait": record.durations_ms.wait,
            "connected": record.durations_ms.connected,
            "first": record.durations_ms.of("first"),
        },
        "qualification": verdict
        and {
            "qualified": verdict.qualified,
            "waits_until": iso(verdict.waits_until),
            "clauses": _clauses_json(verdict.clauses),
            "parts": [
                {"name": part.name, "due": part.due, "clauses": _clauses_json(part.clauses)}
                | _late_json(part, money)
                for part in verdict.parts
            ],
        },
        "money": money
        and {
            "currency": money.currency,
            **{
                key: format_amount(getattr(money, key), money.currency)
                for key in ("price", "payout", "charged", "paid")
            },
            "reserved": None if money.reserved is None else format_amount(money.reserved, money.currency),
        },
        "conversion": record.conversion
        and {
            "at": iso(record.conversion.at),
            "told_at": iso(record.conversion.told_at),
            "ref": record.conversion.ref,
        },
        "rtp": record.rtp and _rtp_json(record.rtp),
        "line": record.line and _line_json(record.line),
        "recording": record.recording and _recording_json(record.id, record.recording),
        "events": [{"at": iso(e.at), "what": e.what, "detail": e.detail} for e in record.events],
    }


def _late_json(part: Part, money: Money | None) -> dict[str, str]:
    """The price and payout that a bonus decided after the call adds."""
    if money is None or not (part.price or part.payout):
        return {}
    return {key: format_amount(getattr(part, key), money.currency) for key in ("price", "payout")}


def _clauses_json(clauses: list[ClauseResult]) -> list[dict[str, Any]]:
    return [{"name": c.name, "passed": c.passed, "detail": c.detail} for c in clauses]


def _recording_json(call_id: str, tracks: Tracks) -> dict[str, Any]:
    return {
        **track_files(call_id),
        "started_at": iso(tracks.started_at),
        "keep_until": iso(tracks.keep_until),
        "deleted_at": iso(tracks.deleted_at),
    }


def _leg_json(leg: LegRecord) -> dict[str, Any]:
    return {
        "destination": leg.destination,
        "wave": leg.wave,
        "outcome": leg.outcome,
        "offered_at": iso(leg.offered_at),
        "ringing_at": iso(leg.ringing_at),
        "answered_at": iso(leg.answered_at),
        "accepted_at": iso(leg.accepted_at),
        "ended_at": iso(leg.ended_at),
        "lost_by_ms": leg.lost_by_ms,
        "hangup_cause": leg.hangup_cause,
        "failure": leg.failure,
        "forwarded_to": leg.forwarded_to,
        "rtp": leg.rtp and _rtp_json(leg.rtp),
        "line": leg.line and _line_json(leg.line),
    }


def _line_json(line: LineRecord) -> dict[str, Any]:
    return {
        "last_packet_at": iso(line.last_packet_at),
        "held_ms": line.held_ms,
        "died_at": iso(line.died_at),
    }


def _transfer_json(transfer: TransferRecord) -> dict[str, Any]:
    return {
        "asked": transfer.asked,
        "to": transfer.to,
        "trunk": transfer.trunk,
        "outcome": transfer.outcome,
        "why": transfer.why,
        "asked_at": iso(transfer.asked_at),
        "ringing_at": iso(transfer.ringing_at),
        "answered_at": iso(transfer.answered_at),
        "ended_at": iso(transfer.ended_at),
        "hangup_cause": transfer.hangup_cause,
        "rtp": transfer.rtp and _rtp_json(transfer.rtp),
    }


def _rtp_json(rtp: RtpStatistics) -> dict[str, Any]:
    return {
        "received": rtp.received,
        "received_lost": rtp.received_lost,
        "sent": rtp.sent,
        "sent_lost": rtp.sent_lost,
        "jitter_ms": rtp.jitter_ms,
        "round_trip_ms": rtp.round_trip_ms,
        "mos": rtp.mos,
    }
