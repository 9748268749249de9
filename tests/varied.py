"""Calls of every kind, drawn by a seed: what reports are tested on."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import get_args

from ari_app.domain.calls.record import (
    CallRecord,
    ClauseResult,
    Disposition,
    Durations,
    LegOutcome,
    LegRecord,
    Money,
    PlaceRecord,
    Verdict,
)
from tests.samples import BEGAN, make_call

SPREAD_MS = 3 * 86_400_000
SCREENED = ("blocked", "closed", "unknown_number")


def varied_calls(count: int, seed: int = 1) -> list[CallRecord]:
    """So many calls within three days, of a few campaigns, publishers, sources, states and agents."""
    random = Random(seed)
    return [_call(random, n) for n in range(count)]


def _call(random: Random, n: int) -> CallRecord:
    began = BEGAN + random.randrange(SPREAD_MS)
    disposition: Disposition = random.choice(("connected", *get_args(Disposition)))
    is_offered = disposition in ("connected", "no_answer", "abandoned_queue", "no_route")
    is_answered = disposition != "unknown_number" and random.random() < 0.9
    record = replace(
        make_call(n),
        id=f"{began:013x}{n:010x}",
        ani=random.choice((None, f"+1212555{n:04d}")),
        started_at=began,
        campaign=random.choice(("plumbing", "roofing")),
        advertiser="acme",
        publisher=random.choice(("homefix", "bluebird")),
        source=random.choice((None, "sidebar", "radio")),
        place=PlaceRecord(random.choice((None, "NY", "CA")), None, None, "ani"),
        disposition=disposition,
        answered_at=began + 10 if is_answered else None,
        offered_at=began + 12_000 if is_offered else None,
        connected_at=None,
        ended_at=began + 150_000,
        winner=None,
        legs=[],
        durations_ms=Durations(150_000, 11_990, 8_000 if is_offered else 0, 0),
        qualification=None,
        money=Money("USD", 4200, 3000),
    )
    if disposition == "unknown_number":
        return replace(
            record,
            campaign=None,
            advertiser=None,
            publisher=None,
            source=None,
            terms_version=None,
            money=None,
        )
    if is_offered and disposition != "no_route":
        record.legs = [_leg(random, began, agent) for agent in range(1, 4)]
    if disposition == "connected":
        _connect(random, record)
    elif disposition not in SCREENED:
        record.qualification = Verdict(False, [ClauseResult("connected", False, "no agent was connected")])
    return record


def _leg(random: Random, began: int, agent: int) -> LegRecord:
    outcome: LegOutcome = random.choice([name for name in get_args(LegOutcome) if name != "won"])
    leg = LegRecord(f"agent-{agent}", 1, began + 12_000, outcome, ended_at=began + 20_000)
    if outcome in ("lost", "declined"):
        leg.answered_at = began + 15_000
    if outcome == "lost" and random.random() < 0.5:
        leg.accepted_at, leg.lost_by_ms = began + 19_000 + agent, agent
    return leg


def _connect(random: Random, record: CallRecord) -> None:
    won = random.choice(record.legs)
    won.outcome, won.answered_at, won.lost_by_ms = "won", record.started_at + 15_000, None
    won.accepted_at = record.started_at + 19_000
    record.winner, record.connected_at = won.destination, record.started_at + 20_000
    talked_ms = random.randrange(60_000, 120_000)
    record.durations_ms.connected, record.ended_at = talked_ms, record.connected_at + talked_ms
    is_repeat = random.random() < 0.2
    clauses = [
        ClauseResult("connected_at_least", talked_ms >= 90_000, "as it was"),
        ClauseResult("no_repeat_within", record.ani is not None and not is_repeat, "as it was"),
    ]
    record.qualification = Verdict(all(clause.passed for clause in clauses), clauses)
    if record.qualification.qualified:
        record.money = Money("USD", 4200, 3000, charged=4200, paid=3000)
