"""Recorded calls judged again, under other terms: what would have been payable, and for how much."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ari_app.domain.geo import Geography, Place, locate
from ari_app.domain.marketplace import Marketplace
from ari_app.domain.qualification import EarlierCall
from ari_app.domain.record import CallRecord
from ari_app.domain.repeats import Kind, Memory, kinds_of, longest_window
from ari_app.domain.settlement import assess, facts_of


@dataclass(frozen=True, slots=True)
class Rejudged:
    """A call as it was judged, and as it would be."""

    before: CallRecord
    after: CallRecord

    @property
    def is_changed(self) -> bool:
        """Whether it would be payable where it was not, or the other way round, or for another amount."""
        return verdict_of(self.before) != verdict_of(self.after)


@dataclass(slots=True)
class Sum:
    """What calls come to: how many are payable, and what they charge and pay, in the minor unit."""

    qualified: int = 0
    charged: int = 0
    paid: int = 0

    def add(self, record: CallRecord) -> None:
        """Counts one call."""
        qualified, charged, paid = verdict_of(record)
        self.qualified += qualified
        self.charged += charged
        self.paid += paid


def verdict_of(record: CallRecord) -> tuple[bool, int, int]:
    """Whether a call is payable, and what it charges and pays."""
    qualified = record.qualification is not None and record.qualification.qualified
    return qualified, record.money.charged if record.money else 0, record.money.paid if record.money else 0


def replay(
    calls: Iterable[CallRecord], terms: Marketplace, geography: Geography, since: int, now: int
) -> Iterator[Rejudged]:
    """Judges calls again by the campaigns of `terms`, in the order in which they began.

    `calls` may begin before `since` (ms), so that repeat callers are known; those are not judged. A call whose
    campaign `terms` does not have, and one that was screened out, stays as it was. What was converted by `now` is.
    """
    campaigns = terms.campaigns
    memory = Memory(kinds_of(campaigns.values()), longest_window(campaigns.values()))
    for record in calls:
        campaign = campaigns.get(record.campaign or "")
        if record.started_at < since:
            memory.recall(record)
            continue
        after = record
        if campaign is not None and record.qualification is not None:
            after = replace(record, money=record.money and replace(record.money))
            timezone = terms.advertisers[campaign.advertiser].timezone
            place = place_of(record, geography)
            facts = facts_of(after, campaign, place, timezone, _earlier(memory, record), now)
            assess(after, campaign, facts, geography)
        memory.recall(after)
        yield Rejudged(record, after)


def sums(rejudged: Iterable[Rejudged]) -> Mapping[str, tuple[Sum, Sum]]:
    """By campaign: what its calls came to, and what they would."""
    found: dict[str, tuple[Sum, Sum]] = {}
    for call in rejudged:
        before, after = found.setdefault(call.before.campaign or "", (Sum(), Sum()))
        before.add(call.before)
        after.add(call.after)
    return found


def place_of(record: CallRecord, geography: Geography) -> Place:
    """Where the caller was taken to be, with the point that a ZIP code has."""
    place = record.place
    if place.from_ == "zip":
        return locate(geography, place.zip, record.ani, record.did)
    return Place(place.state, place.zip, place.timezone, place.from_)


def _earlier(memory: Memory, record: CallRecord) -> dict[Kind, EarlierCall]:
    return {
        **memory.last("any", record),
        **memory.last("connected", record),
        **memory.last("qualified", record),
    }
