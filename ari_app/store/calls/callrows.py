"""A call's record as rows of `calls`, `legs` and `recordings`, and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, select

from ari_app.domain.calls.record import (
    CallRecord,
    ClauseResult,
    Conversion,
    Durations,
    Exclusion,
    LegRecord,
    LineRecord,
    Money,
    Part,
    PlaceRecord,
    ShareOfPrice,
    TimelineEvent,
    Tracks,
    TransferRecord,
    Verdict,
)
from ari_app.domain.calls.rtp import RtpStatistics
from ari_app.store.db.tables import legs, recordings

_encode = json.JSONEncoder(separators=(",", ":")).encode


# Records to rows


def call_row(record: CallRecord) -> dict[str, Any]:
    """The record, without its legs and its recording, as a row of `calls`."""
    place, durations = record.place, record.durations_ms
    verdict, money, conversion = record.qualification, record.money, record.conversion
    return {
        "id": record.id,
        "did": record.did,
        "ani": record.ani,
        "attestation": record.attestation,
        "started_at": record.started_at,
        "campaign": record.campaign,
        "advertiser": record.advertiser,
        "publisher": record.publisher,
        "source": record.source,
        "terms_version": record.terms_version,
        "disposition": record.disposition,
        "answered_at": record.answered_at,
        "offered_at": record.offered_at,
        "connected_at": record.connected_at,
        "ended_at": record.ended_at,
        "end_source": record.end_source,
        "winner": record.winner,
        "place_state": place.state,
        "place_zip": place.zip,
        "place_timezone": place.timezone,
        "place_from": place.from_,
        "total_ms": durations.total,
        "ivr_ms": durations.ivr,
        "wait_ms": durations.wait,
        "connected_ms": durations.connected,
        "qualified": verdict.qualified if verdict else None,
        "waits_until": record.waits_until,
        "converted_at": conversion.at if conversion else None,
        "conversion_told_at": conversion.told_at if conversion else None,
        "conversion_ref": conversion.ref if conversion else None,
        "currency": money.currency if money else None,
        "price": money.price if money else None,
        "payout": money.payout if money else None,
        "charged": money.charged if money else None,
        "paid": money.paid if money else None,
        "reserved": money.reserved if money else None,
        "answers_json": _encode(record.answers),
        "clauses_json": _encode(_clause_values(verdict.clauses)) if verdict else None,
        "parts_json": _encode(list(map(_part_values, verdict.parts))) if verdict else None,
        "excluded_json": _encode([[e.destination, e.reason] for e in record.excluded]),
        "rtp_json": _values(record.rtp),
        "line_json": _values(record.line),
        "diversion_json": _encode(record.diversion) if record.diversion else None,
        "history_info_json": _encode(record.history_info) if record.history_info else None,
        "transfers_json": _encode([astuple(t) for t in record.transfers]) if record.transfers else None,
        "first_ms": durations.first,
        "events_json": _encode([[e.at, e.what, e.detail] for e in record.events]),
    }


def _clause_values(clauses: Sequence[ClauseResult]) -> list[list[Any]]:
    return [
        [clause.name, clause.passed, clause.detail]
        + ([clause.waits_until] if clause.waits_until is not None else [])
        for clause in clauses
    ]


def _part_values(part: Part) -> list[Any]:
    share = part.share and [part.share.share, part.share.minimum, part.share.maximum]
    late = [part.price, part.payout, *([share] if share else [])] if part.price or part.payout else []
    return [part.name, part.due, _clause_values(part.clauses), *late]


def leg_row(call_id: str, n: int, leg: LegRecord) -> dict[str, Any]:
    """The n-th leg of a call, as a row of `legs`."""
    return {
        "call_id": call_id,
        "n": n,
        "destination": leg.destination,
        "wave": leg.wave,
        "offered_at": leg.offered_at,
        "outcome": leg.outcome,
        "ringing_at": leg.ringing_at,
        "answered_at": leg.answered_at,
        "accepted_at": leg.accepted_at,
        "ended_at": leg.ended_at,
        "lost_by_ms": leg.lost_by_ms,
        "hangup_cause": leg.hangup_cause,
        "failure": leg.failure,
        "forwarded_to": leg.forwarded_to,
        "rtp_json": _values(leg.rtp),
        "line_json": _values(leg.line),
    }


def _values(of: RtpStatistics | LineRecord | None) -> str | None:
    return _encode(astuple(of)) if of else None


def tracks_row(tracks: Tracks) -> dict[str, Any]:
    """What is known of a call's recording, as a row of `recordings` without the call."""
    return {
        "started_at": tracks.started_at,
        "keep_until": tracks.keep_until,
        "deleted_at": tracks.deleted_at,
    }


# Rows to records


def records(connection: Connection, rows: Sequence[Row[Any]]) -> list[CallRecord]:
    """The records of the rows, in their order; all their legs are read in one query, and all recordings."""
    legs_of: dict[str, list[LegRecord]] = {row.id: [] for row in rows}
    query = select(legs).where(legs.c.call_id.in_(legs_of)).order_by(legs.c.call_id, legs.c.n)
    for row in connection.execute(query).mappings():
        others = ("call_id", "n", "rtp_json", "line_json")
        fields = {name: value for name, value in row.items() if name not in others}
        legs_of[row["call_id"]].append(LegRecord(**fields, rtp=_rtp(row), line=_line(row)))
    kept = connection.execute(select(recordings).where(recordings.c.call_id.in_(legs_of)))
    tracks_of = {row.call_id: Tracks(row.started_at, row.keep_until, row.deleted_at) for row in kept}
    return [_record(row._mapping, legs_of[row.id], tracks_of.get(row.id)) for row in rows]


def _record(row: RowMapping, its_legs: list[LegRecord], tracks: Tracks | None) -> CallRecord:
    return CallRecord(
        id=row["id"],
        did=row["did"],
        ani=row["ani"],
        attestation=row["attestation"],
        started_at=row["started_at"],
        campaign=row["campaign"],
        advertiser=row["advertiser"],
        publisher=row["publisher"],
        source=row["source"],
        terms_version=row["terms_version"],
        disposition=row["disposition"],
        answered_at=row["answered_at"],
        offered_at=row["offered_at"],
        connected_at=row["connected_at"],
        ended_at=row["ended_at"],
        end_source=row["end_source"],
        answers=json.loads(row["answers_json"]),
        place=PlaceRecord(row["place_state"], row["place_zip"], row["place_timezone"], row["place_from"]),
        legs=its_legs,
        winner=row["winner"],
        excluded=[Exclusion(*exclusion) for exclusion in json.loads(row["excluded_json"])],
        durations_ms=Durations(
            row["total_ms"], row["ivr_ms"], row["wait_ms"], row["connected_ms"], row["first_ms"]
        ),
        qualification=_verdict(row),
        money=_money(row),
        conversion=_conversion(row),
        recording=tracks,
        rtp=_rtp(row),
        line=_line(row),
        events=[TimelineEvent(*event) for event in json.loads(row["events_json"])],
        diversion=json.loads(row["diversion_json"] or "[]"),
        history_info=json.loads(row["history_info_json"] or "[]"),
        transfers=[_transfer(*values) for values in json.loads(row["transfers_json"] or "[]")],
    )


def _transfer(*values: Any) -> TransferRecord:
    *told, rtp = values
    record = TransferRecord(*told)
    record.rtp = RtpStatistics(*rtp) if rtp else None
    return record


def _rtp(row: RowMapping) -> RtpStatistics | None:
    return RtpStatistics(*json.loads(row["rtp_json"])) if row["rtp_json"] else None


def _line(row: RowMapping) -> LineRecord | None:
    return LineRecord(*json.loads(row["line_json"])) if row["line_json"] else None


def _verdict(row: RowMapping) -> Verdict | None:
    if row["qualified"] is None:
        return None
    clauses = [ClauseResult(*clause) for clause in json.loads(row["clauses_json"])]
    parts = [_part(*values) for values in json.loads(row["parts_json"] or "[]")]
    return Verdict(row["qualified"], clauses, parts)


def _part(
    name: str, due: bool, clauses: list[list[Any]], price: int = 0, payout: int = 0, share: Any = None
) -> Part:
    own = [ClauseResult(*clause) for clause in clauses]
    return Part(name, due, own, price, payout, share and ShareOfPrice(*share))


def _conversion(row: RowMapping) -> Conversion | None:
    if row["converted_at"] is None:
        return None
    return Conversion(row["converted_at"], row["conversion_told_at"], row["conversion_ref"])


def _money(row: RowMapping) -> Money | None:
    if row["currency"] is None:
        return None
    return Money(row["currency"], row["price"], row["payout"], row["charged"], row["paid"], row["reserved"])
