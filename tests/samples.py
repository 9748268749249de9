"""Calls to save: a qualified one with four legs, and what can be changed about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ari_app.access.actor import operator
from ari_app.domain.basics.clock import iso
from ari_app.domain.calls.record import (
    CallRecord,
    ClauseResult,
    Durations,
    Exclusion,
    LegRecord,
    LineRecord,
    Money,
    Part,
    PlaceRecord,
    TimelineEvent,
    TransferRecord,
    Verdict,
)
from ari_app.domain.calls.rtp import RtpStatistics
from ari_app.domain.ledger.balances import charged_and_paid
from ari_app.domain.ledger.calls import settle
from ari_app.store.calls.calls import Settlement

ADA = operator("ada")
"""Who acts, where it does not matter who."""

BEGAN = 1_763_900_000_000


def make_call(n: int = 1, **changes: Any) -> CallRecord:
    """A connected, qualified call that differs with `n`."""
    began = BEGAN + n * 1000
    connected = began + 20_000
    legs = [
        LegRecord(
            destination=f"agent-{leg}",
            wave=1,
            outcome="won" if leg == 1 else "lost",
            offered_at=began + 12_000,
            ringing_at=began + 12_100 + leg,
            answered_at=began + 15_000 + leg,
            accepted_at=connected - 50 + leg if leg <= 2 else None,
            ended_at=connected + leg,
            lost_by_ms=1 if leg == 2 else None,
            hangup_cause=16 if leg == 1 else 26,
            rtp=RtpStatistics(4750, 0, 4740, 3, 2, 31) if leg == 1 else None,
            line=LineRecord(connected + 94_900) if leg == 1 else None,
        )
        for leg in range(1, 5)
    ]
    record = CallRecord(
        id=f"{began:013x}{n:010x}",
        did="+18005550101",
        ani=f"+1212555{n:04d}",
        started_at=began,
        attestation="A",
        campaign="plumbing",
        advertiser="acme",
        publisher="homefix",
        source="sidebar",
        terms_version=1,
        disposition="connected",
        answered_at=began + 10,
        offered_at=began + 12_000,
        connected_at=connected,
        ended_at=connected + 95_000,
        end_source="caller",
        answers={"service": "repair", "zip": "10001"},
        place=PlaceRecord("NY", "10001", "America/New_York", "zip"),
        legs=legs,
        winner="agent-1",
        excluded=[Exclusion("agent-9", "does not cover NY")],
        durations_ms=Durations(115_000, 11_990, 8_000, 95_000),
        rtp=RtpStatistics(4740, 10, 4750, 0, 7),
        line=LineRecord(connected + 94_900),
        qualification=Verdict(
            True,
            [
                ClauseResult("connected", True, "an agent accepted and was connected"),
                ClauseResult("connected_at_least", True, "connected for 95 s, at least 90 s needed"),
                ClauseResult("answer_in", True, "service is repair, wanted: install, repair"),
            ],
        ),
        money=Money("USD", 4200, 3000, charged=4200, paid=3000),
        events=[TimelineEvent(began + 700 * i, "leg_answered", f"agent-{i} picked up") for i in range(24)],
    )
    return replace(record, **changes)


def transferred(n: int = 1) -> CallRecord:
    """A connected call whose agent transferred the caller at the second try."""
    call = make_call(n)
    at = (call.connected_at or 0) + 30_000
    return replace(
        call,
        durations_ms=replace(call.durations_ms, first=42_000),
        transfers=[
            TransferRecord("zed", at, outcome="refused", why="zed is not among them", ended_at=at),
            TransferRecord(
                "6465550123",
                at + 5_000,
                "+16465550123",
                "main",
                "connected",
                None,
                at + 6_000,
                at + 12_000,
                call.ended_at,
                16,
                RtpStatistics(2650, 0, 2640, 0, 2, 31),
            ),
        ],
    )


def unqualified(n: int = 1) -> CallRecord:
    """A connected call that was too short to be paid."""
    verdict = Verdict(False, [ClauseResult("connected_at_least", False, "connected for 3 s")])
    return make_call(n, qualification=verdict, money=Money("USD", 4200, 3000))


def waiting(n: int = 1, days: int = 7, **changes: Any) -> CallRecord:
    """A connected call that waits for a conversion, and met all else."""
    call = make_call(n, **changes)
    until = (call.ended_at or 0) + days * 86_400_000
    clauses = [
        ClauseResult("connected", True, "an agent accepted and was connected"),
        ClauseResult("converted_within", False, f"waits for a conversion until {iso(until)}", until),
    ]
    money = call.money or Money("USD", 4200, 3000)
    return replace(
        call,
        qualification=Verdict(False, clauses),
        money=replace(money, charged=0, paid=0),
    )


def with_late_bonus(n: int = 1, price: int = 500, payout: int = 300, **changes: Any) -> CallRecord:
    """A qualified call, with a bonus that waits for a conversion for a week."""
    call = make_call(n, **changes)
    until = (call.ended_at or 0) + 7 * 86_400_000
    clause = ClauseResult("converted_within", False, f"waits for a conversion until {iso(until)}", until)
    assert call.qualification is not None
    return replace(
        call,
        qualification=replace(call.qualification, parts=[Part("bonus sale", False, [clause], price, payout)]),
    )


def settlement(record: CallRecord) -> Settlement:
    """The record with the transfers that it makes."""
    transfers = settle(record, at=record.ended_at or record.started_at)
    if record.money:
        assert charged_and_paid(transfers) == (record.money.charged, record.money.paid)
    return Settlement(record, transfers)
