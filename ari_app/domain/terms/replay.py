"""Recorded calls judged again, under other terms: what would have been payable, and for how much.

All amounts are net of corrections: where a share of a call was reversed, the same share would be reversed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

from ari_app.domain.calls.geo import Geography, Place, area_code_of, locate, overlaid
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.ledger.corrections import Net
from ari_app.domain.market.geography import GeographyOverrides
from ari_app.domain.market.marketplace import Marketplace
from ari_app.domain.terms.qualification import EarlierCall
from ari_app.domain.terms.repeats import Memory, RepeatKind, kinds_of, longest_window
from ari_app.domain.terms.settlement import assess, facts_of


class Outcome(NamedTuple):
    """Whether a call is payable, and what it charges and pays in the end."""

    qualified: bool
    charged: int
    paid: int


@dataclass(frozen=True, slots=True)
class Rejudged:
    """A call as it was judged, and as it would be. `net` is what it came to with its corrections, if it has any."""

    before: CallRecord
    after: CallRecord
    net: Net | None = None

    @property
    def was(self) -> Outcome:
        """The outcome as it was."""
        judged = verdict_of(self.before)
        if self.net is None:
            return judged
        return Outcome(judged.qualified or self.net.charged > 0, self.net.price, self.net.payout)

    @property
    def would_be(self) -> Outcome:
        """The outcome as it would be."""
        judged, net = verdict_of(self.after), self.net or Net()
        charged = _kept(judged.charged, net.credited, net.charged)
        return Outcome(judged.qualified, charged, _kept(judged.paid, net.clawed_back, net.paid))

    @property
    def is_changed(self) -> bool:
        """Whether it would be payable where it was not, or the other way round, or for another amount."""
        return self.was != self.would_be


def _kept(amount: int, back: int, moved: int) -> int:
    """What is left of an amount when the same share of it is reversed as was reversed of what was moved."""
    return amount - amount * back // moved if moved else amount


@dataclass(slots=True)
class Sum:
    """The sum of calls: how many are payable, and what they charge and pay, in the minor unit.

    `corrected_*`: the part that came by corrections; negative where it was reversed.
    """

    qualified: int = 0
    charged: int = 0
    paid: int = 0
    corrected_charged: int = 0
    corrected_paid: int = 0

    def add(self, record: CallRecord, outcome: Outcome) -> None:
        """Counts one call with its final amounts."""
        judged = verdict_of(record)
        self.qualified += outcome.qualified
        self.charged += outcome.charged
        self.paid += outcome.paid
        self.corrected_charged += outcome.charged - judged.charged
        self.corrected_paid += outcome.paid - judged.paid


def verdict_of(record: CallRecord) -> Outcome:
    """Whether a call is payable, and what it charges and pays, by its verdict alone."""
    qualified = record.qualification is not None and record.qualification.qualified
    return Outcome(
        qualified, record.money.charged if record.money else 0, record.money.paid if record.money else 0
    )


def replay(
    calls: Iterable[CallRecord],
    terms: Marketplace,
    geography: Geography,
    since: int,
    now: int,
    corrected: Mapping[str, Net] = MappingProxyType({}),
) -> Iterator[Rejudged]:
    """Judges calls again by the campaigns of `terms`, in the order in which they began.

    `corrected`: the calls whose money was corrected, by id. A call that was reversed counts as no earlier call.

    `calls` may include calls from before `since` (ms), so that repeat callers are known; those are not judged. A call
    stays as it was if `terms` does not have its campaign, or if it was screened out. Conversions count until `now`.
    """
    campaigns, geography = terms.campaigns, overlaid(geography, terms.geography)
    memory = Memory(kinds_of(campaigns.values()), longest_window(campaigns.values()))
    for record in calls:
        campaign = campaigns.get(record.campaign or "")
        if record.started_at < since:
            _recall(memory, record, corrected.get(record.id))
            continue
        after = record
        if campaign is not None and record.qualification is not None:
            after = replace(record, money=record.money and replace(record.money))
            timezone = terms.advertisers[campaign.advertiser].timezone
            place = place_of(record, geography, terms.geography)
            facts = facts_of(after, campaign, place, timezone, _earlier(memory, record), now)
            assess(after, campaign, facts, geography)
        _recall(memory, after, corrected.get(record.id))
        yield Rejudged(record, after, corrected.get(record.id))


def _recall(memory: Memory, record: CallRecord, net: Net | None) -> None:
    """Remembers a call. Of a call that was reversed, only its arrival is remembered."""
    memory.move_to(record.started_at)
    if net is not None and net.is_reversed:
        memory.remember("any", record, record.started_at)
    else:
        memory.recall(record)


def sums(rejudged: Iterable[Rejudged]) -> Mapping[str, tuple[Sum, Sum]]:
    """By campaign: the sum of its calls as they were, and as they would be."""
    found: dict[str, tuple[Sum, Sum]] = {}
    for call in rejudged:
        before, after = found.setdefault(call.before.campaign or "", (Sum(), Sum()))
        before.add(call.before, call.was)
        after.add(call.after, call.would_be)
    return found


def place_of(record: CallRecord, geography: Geography, overrides: GeographyOverrides) -> Place:
    """The caller's place as recorded, with the point of its ZIP code; or the place by the terms' own area codes."""
    place = record.place
    if place.from_ == "zip" or area_code_of(record.ani) in overrides.area_codes:
        return locate(geography, place.zip, record.ani, record.did)
    return Place(place.state, place.zip, place.timezone, place.from_)


def _earlier(memory: Memory, record: CallRecord) -> dict[RepeatKind, EarlierCall]:
    return {
        **memory.last("any", record),
        **memory.last("connected", record),
        **memory.last("qualified", record),
    }
