"""The end of a call: its durations, its verdict, and the money that it moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ari_app.domain.calls.geo import Geography, Place
from ari_app.domain.calls.record import (
    CallRecord,
    Disposition,
    Money,
    Part,
    ShareOfPrice,
    TimelineEvent,
    Verdict,
    may_pass_until,
    talkers_of,
)
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.ledger.calls import due, settle
from ari_app.domain.ledger.transfers import Transfer
from ari_app.domain.market.campaigns import Campaign
from ari_app.domain.market.terms import Bonus, Rate
from ari_app.domain.routing.screening import blocked_by
from ari_app.domain.routing.snapshot import Attribution
from ari_app.domain.terms.pricing import amount, of_price
from ari_app.domain.terms.qualification import Facts, Repeats, judge_campaign

SCREENED_OUT: frozenset[Disposition] = frozenset(("blocked", "closed", "capped"))


def pin(record: CallRecord, attribution: Attribution, currency: str) -> None:
    """Writes into a record whose call it is, and the terms that it is pinned to."""
    campaign = attribution.campaign
    record.campaign, record.advertiser = attribution.campaign_id, campaign.advertiser
    record.publisher, record.source = attribution.number.publisher, attribution.number.source
    record.terms_version = attribution.terms_version
    price = amount(campaign.price, 0)  # known when the call is over, where it depends on its length
    payout = amount(payout_rate(campaign, attribution.number.publisher), 0, price)
    record.money = Money(currency, price, payout, reserved=most_charged(campaign))
    detail = f"campaign {record.campaign}, publisher {record.publisher}, source {record.source or 'none'}"
    detail += f", terms version {record.terms_version}"
    record.events.append(TimelineEvent(record.started_at, EventName.ATTRIBUTED, detail))


def conclude(
    record: CallRecord,
    attribution: Attribution | None,
    place: Place,
    timezone: str,
    earlier: Repeats,
    geography: Geography,
) -> list[Transfer]:
    """Completes the record of a call that has ended, and returns its transfers.

    `attribution` is None where the number called is nobody's; `timezone` is the advertiser's. A call that
    was screened out is not judged.
    """
    assert record.ended_at is not None, "the call has not ended"
    _fill_in_durations(record, record.ended_at)
    if attribution is not None and record.disposition not in SCREENED_OUT:
        facts = facts_of(record, attribution.campaign, place, timezone, earlier)
        assess(record, attribution.campaign, facts, geography)
        _note_counted(record, attribution.campaign)
        _note_billed(record, attribution.campaign)
        record.events.append(TimelineEvent(record.ended_at, EventName.JUDGED, in_words(record)))
    return settle(record, record.ended_at)


def awaits_verdict(record: CallRecord) -> bool:
    """Whether a call that is over has an owner, was not screened out, and was never judged."""
    is_somebodys = record.campaign is not None and record.disposition not in SCREENED_OUT
    return is_somebodys and record.ended_at is not None and record.qualification is None


def facts_of(
    record: CallRecord,
    campaign: Campaign,
    place: Place,
    timezone: str,
    earlier: Repeats,
    judged_at: int | None = None,
) -> Facts:
    """The facts of a call that has ended, for its clauses. It is judged at its end, or at the time given (ms)."""
    ended_at = record.ended_at or record.started_at
    return Facts(
        ended_at=ended_at,
        judged_at=ended_at if judged_at is None else judged_at,
        converted_at=record.conversion.at if record.conversion else None,
        told_at=record.conversion.told_at if record.conversion else None,
        started_at=record.started_at,
        connected_ms=record.durations_ms.of(campaign.duration_of) if record.connected_at else None,
        duration_of=campaign.duration_of if record.durations_ms.first is not None else None,
        answers=record.answers,
        place=place,
        ani=record.ani,
        timezone=timezone,
        earlier=earlier,
        total_ms=record.durations_ms.total,
        wait_ms=record.durations_ms.wait,
        held_ms=sum(line.held_ms for line in talkers_of(record).values()),
        source=record.source,
        blocked_by=blocked_by(campaign.screen, record.ani),
    )


def assess(record: CallRecord, campaign: Campaign, facts: Facts, geography: Geography) -> None:
    """Writes the verdict and the money under the campaign's terms into the record."""
    publisher = record.publisher or ""
    verdict = judge_campaign(campaign, publisher, facts, geography)
    record.qualification = verdict
    if record.money is None:
        return
    payable = replace(verdict, qualified=verdict.qualified or verdict.waits_until is not None)
    earned = [bonus for bonus in campaign.bonus if payable.is_due(f"bonus {bonus.name}")]
    talked_ms, rate = billed_ms(campaign, facts.connected_ms or 0), payout_rate(campaign, publisher)
    price = amount(campaign.price, talked_ms) + sum(bonus.price for bonus in earned)
    share = amount(rate, talked_ms, price)
    for part, bonus in _late(verdict, campaign):
        part.price, part.payout = bonus.price, bonus.payout
        if isinstance(rate, Rate) and rate.share is not None:
            part.share = ShareOfPrice(rate.share, rate.minimum, rate.maximum)
            part.payout += of_price(part.share, price + bonus.price) - share
    payout = share + sum(bonus.payout for bonus in earned)
    record.money = Money(record.money.currency, price, payout, reserved=record.money.reserved)
    record.money.charged, record.money.paid = due(record)


def _late(verdict: Verdict, campaign: Campaign) -> Iterator[tuple[Part, Bonus]]:
    """The bonuses that await a conversion, each with its part of the verdict."""
    for bonus in campaign.bonus:
        for part in verdict.parts:
            if part.name == f"bonus {bonus.name}" and may_pass_until(part.clauses) is not None:
                yield part, bonus


def payout_rate(campaign: Campaign, publisher: str) -> int | Rate:
    """What the publisher earns by a call."""
    override = campaign.overrides.get(publisher)
    own = override.payout if override else None
    return campaign.payout if own is None else own


def billed_ms(campaign: Campaign, talked_ms: int) -> int:
    """How much of a conversation is paid by the minute (ms): not more than was reserved for.

    A hang-up at `max_duration` takes a moment, which would start an increment that was not reserved.
    """
    return min(talked_ms, campaign.route.max_duration)


def most_charged(campaign: Campaign) -> int:
    """The most that a call of the campaign can cost its advertiser, if it lasts as long as it may."""
    return amount(campaign.price, campaign.route.max_duration) + sum(bonus.price for bonus in campaign.bonus)


def most_paid(campaign: Campaign, publisher: str) -> int:
    """The most that a call of the campaign can earn its publisher."""
    rate, longest_ms = payout_rate(campaign, publisher), campaign.route.max_duration
    return amount(rate, longest_ms, most_charged(campaign)) + sum(bonus.payout for bonus in campaign.bonus)


def _note_counted(record: CallRecord, campaign: Campaign) -> None:
    """Adds a line to the timeline where the agent transferred the caller: which part of the conversation counts."""
    if record.durations_ms.first is None:
        return
    part = {"whole": "the whole conversation", "first": "the part with the agent"}[campaign.duration_of]
    counted, whole = record.durations_ms.of(campaign.duration_of), record.durations_ms.connected
    detail = f"{part}, {counted / 1000:.10g} s of {whole / 1000:.10g} s (duration_of: {campaign.duration_of})"
    record.events.append(TimelineEvent(record.ended_at or record.started_at, EventName.COUNTED, detail))


def _note_billed(record: CallRecord, campaign: Campaign) -> None:
    """Adds a line to the timeline where a rate does not count the whole conversation."""
    talked_ms = record.durations_ms.of(campaign.duration_of)
    billed = billed_ms(campaign, talked_ms)
    rates = (campaign.price, payout_rate(campaign, record.publisher or ""))
    if billed < talked_ms and any(isinstance(rate, Rate) and rate.per_minute is not None for rate in rates):
        detail = f"{billed / 1000:.10g} s of {talked_ms / 1000:.10g} s, which is the campaign's max_duration"
        record.events.append(TimelineEvent(record.ended_at or record.started_at, EventName.BILLED, detail))


def in_words(record: CallRecord) -> str:
    """The verdict as the timeline has it."""
    verdict = record.qualification
    assert verdict is not None
    failed = [clause.name for clause in verdict.clauses if not clause.passed]
    if failed:
        waits = may_pass_until(verdict.clauses) is not None
        return f"{'waits for' if waits else 'not qualified'}: {', '.join(failed)}"
    parts = [f"{part.name} {'due' if part.due else 'not due'}" for part in verdict.parts]
    return ", ".join(["qualified", *parts])


def _fill_in_durations(record: CallRecord, ended_at: int) -> None:
    durations = record.durations_ms
    durations.total = ended_at - record.started_at
    if record.answered_at is not None:
        durations.ivr = (record.offered_at or ended_at) - record.answered_at
    if record.offered_at is not None:
        durations.wait = (record.connected_at or ended_at) - record.offered_at
