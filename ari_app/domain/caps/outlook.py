"""How many calls caps and funds will let through: told when a marketplace is applied, before a call is turned away.

A call reserves the most that it can cost. So a limit below that amount never lets a call through, and a limit of a few
times that amount lets only a few calls through at once, however little they cost in the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ari_app.domain.basics.durations import format_duration
from ari_app.domain.basics.money import format_amount
from ari_app.domain.caps.counters import Owner, currency_of, describe, limit, owner
from ari_app.domain.ledger.transfers import advertiser_account
from ari_app.domain.market.campaigns import Campaign, Route
from ari_app.domain.market.marketplace import Marketplace
from ari_app.domain.market.staging import campaign_at
from ari_app.domain.market.terms import Rate
from ari_app.domain.routing.snapshot import Attribution
from ari_app.domain.terms.settlement import most_charged, most_paid


@dataclass(frozen=True, slots=True)
class Shortage:
    """A limit that lets few calls of a campaign through, or none. `admits`: how many at once; None: it depends.

    `limit` is what is short: a cap, funds, or a missing `max_duration`.
    """

    campaign: str
    limit: Literal["cap", "funds", "max_duration"]
    admits: int | None
    words: str


Available = Mapping[tuple[str, str], int]
"""What each account could spend now, by account and currency, in the minor unit; its credit is not included."""


def outlook(marketplace: Marketplace, available: Available, at: int) -> list[Shortage]:
    """For every live campaign, the limits that let no call through, or fewer at once than its agents could take.

    By the terms in force at a moment (ms).
    """
    publishers: dict[str, set[str]] = {}
    for number in marketplace.numbers.values():
        publishers.setdefault(number.campaign, set()).add(number.publisher)
    return [
        shortage
        for name, campaign in marketplace.campaigns.items()
        if campaign.status == "live"
        for shortage in _of(
            marketplace, name, campaign_at(campaign, at), sorted(publishers.get(name, ())), available
        )
    ]


def outlook_for(marketplace: Marketplace, found: Attribution, available: Available) -> list[Shortage]:
    """The same for calls to one number, under its terms."""
    return list(_of(marketplace, found.campaign_id, found.campaign, [found.number.publisher], available))


def _of(
    marketplace: Marketplace, name: str, campaign: Campaign, publishers: list[str], available: Available
) -> Iterator[Shortage]:
    currency, most = marketplace.currency_of(campaign), most_charged(campaign)
    if _is_by_minute(campaign) and campaign.route.max_duration == Route().max_duration:
        yield Shortage(
            name,
            "max_duration",
            None,
            f"campaign {name} is priced by the minute without a max_duration of its own: each call may last "
            f"{format_duration(campaign.route.max_duration)}, and reserves {_money(most, currency)}",
        )
    rung = sorted({one for wave in campaign.route.waves for one in wave.destinations})
    agents = sum(marketplace.destinations[one].capacity for one in rung)
    whose = [
        owner(marketplace, "campaign", name),
        owner(marketplace, "advertiser", campaign.advertiser),
        *(owner(marketplace, "destination", one) for one in rung),
    ]
    for one in whose:
        busy = marketplace.destinations[one.id].capacity if one.kind == "destination" else agents
        yield from _caps(name, one, most, currency, busy)
    for publisher in publishers:
        its_most = most_paid(campaign, publisher)
        yield from _caps(name, owner(marketplace, "publisher", publisher), its_most, currency, agents)
    yield from _funds(marketplace, name, campaign, most, agents, available)


def _caps(name: str, whose: Owner, most: int, currency: str, agents: int) -> Iterator[Shortage]:
    for cap in whose.caps:
        if cap.max_amount is None or currency_of(whose, cap) != currency or not most:
            continue
        admits = limit(cap) // most
        if admits < max(agents, 1):
            cap_words = f"the cap of {whose.kind} {whose.id}, {describe(whose, cap)},"
            yield Shortage(name, "cap", admits, _words(name, cap_words, admits, most, currency))


def _funds(
    marketplace: Marketplace, name: str, campaign: Campaign, most: int, agents: int, available: Available
) -> Iterator[Shortage]:
    billing = marketplace.advertisers[campaign.advertiser].billing
    if billing is None or not most:
        return
    currency = marketplace.currency_of(campaign)
    there = available.get((advertiser_account(campaign.advertiser), currency), 0)
    there += marketplace.credit_of(campaign.advertiser, currency)
    admits = max(there, 0) // most
    if admits < max(agents, 1):
        what = "account" if billing.model == "prepaid" else "credit"
        has = f"the {what} of advertiser {campaign.advertiser}, {_money(max(there, 0), currency)} now,"
        yield Shortage(name, "funds", admits, _words(name, has, admits, most, currency))


def _words(name: str, what: str, admits: int, most: int, currency: str) -> str:
    calls = f"{admits} call{'' if admits == 1 else 's'} at once" if admits else "no call"
    return f"campaign {name}: {what} has room for {calls}: each reserves {_money(most, currency)}"


def _is_by_minute(campaign: Campaign) -> bool:
    return isinstance(campaign.price, Rate) and campaign.price.per_minute is not None


def _money(minor: int, currency: str) -> str:
    return f"{format_amount(minor, currency)} {currency}"
