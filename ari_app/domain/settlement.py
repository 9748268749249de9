"""The end of a call: its durations, its verdict, and the money that it moves."""

from __future__ import annotations

from ari_app.domain.geo import Geography, Place
from ari_app.domain.ledger import Transfer, settle
from ari_app.domain.qualification import EarlierCall, Facts, judge
from ari_app.domain.record import CallRecord, Event, Money
from ari_app.domain.snapshot import Attribution


def pin(record: CallRecord, attribution: Attribution, currency: str) -> None:
    """Writes into a record whose call it is, and the terms that it is pinned to."""
    campaign = attribution.campaign
    record.campaign, record.advertiser = attribution.campaign_id, campaign.advertiser
    record.publisher, record.source = attribution.number.publisher, attribution.number.source
    record.terms_version = attribution.terms_version
    record.money = Money(currency, campaign.price, campaign.payout)
    detail = f"campaign {record.campaign}, publisher {record.publisher}, source {record.source or 'none'}"
    detail += f", terms version {record.terms_version}"
    record.events.append(Event(record.started_at, "attributed", detail))


def conclude(
    record: CallRecord,
    attribution: Attribution | None,
    place: Place,
    timezone: str,
    earlier: EarlierCall | None,
    geography: Geography,
) -> list[Transfer]:
    """Completes the record of a call that has ended, and gives what it moves.

    `attribution` is None where the number called is nobody's; `timezone` is the advertiser's. A call that
    was screened out was never judged.
    """
    assert record.ended_at is not None, "the call has not ended"
    _fill_in_durations(record, record.ended_at)
    if attribution is not None and record.disposition not in ("blocked", "closed"):
        _judge(record, attribution, place, timezone, earlier, geography)
    return settle(record, record.ended_at)


def _judge(
    record: CallRecord,
    attribution: Attribution,
    place: Place,
    timezone: str,
    earlier: EarlierCall | None,
    geography: Geography,
) -> None:
    facts = Facts(
        started_at=record.started_at,
        connected_ms=record.durations_ms.connected if record.connected_at else None,
        answers=record.answers,
        place=place,
        ani=record.ani,
        timezone=timezone,
        earlier=earlier,
    )
    record.qualification = judge(attribution.campaign.qualify, facts, geography)
    if record.qualification.qualified and record.money is not None:
        record.money.charged, record.money.paid = record.money.price, record.money.payout
    failed = [clause.name for clause in record.qualification.clauses if not clause.passed]
    verdict = "qualified" if not failed else f"not qualified: {', '.join(failed)}"
    record.events.append(Event(record.ended_at or record.started_at, "judged", verdict))


def _fill_in_durations(record: CallRecord, ended_at: int) -> None:
    durations = record.durations_ms
    durations.total = ended_at - record.started_at
    if record.answered_at is not None:
        durations.ivr = (record.offered_at or ended_at) - record.answered_at
    if record.offered_at is not None:
        durations.wait = (record.connected_at or ended_at) - record.offered_at
