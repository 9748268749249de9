"""Transfers: whom an agent's phone may have its caller go on with, by the campaign's `transfer` (RFC 3515, RFC 5589).

A phone names somebody by the user of an address: a destination's id or its phone's, or a telephone number as people
dial it. Of the address's host Asterisk tells nothing, so nobody is ever rung at an address of a phone's choice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ari_app.domain.calls.record import CallRecord, TransferOutcome, TransferRecord
from ari_app.domain.calls.telephone import e164
from ari_app.domain.market.campaigns import Campaign, Follow, Route
from ari_app.domain.market.destinations import Destination, Dial
from ari_app.domain.market.trunks import matches, why_not
from ari_app.domain.routing.legs import outcome_by
from ari_app.domain.routing.snapshot import Snapshot

MOST_TRANSFERS = 10
"""How often in one call somebody is rung for a transfer. Further ones are refused."""
LONGEST_ASKED = 64  # characters of what a phone asked for


@dataclass(frozen=True, slots=True)
class Following:
    """A campaign's rules for the transfers of its agents, and the market that they are about."""

    follow: Follow
    advertiser: str
    snapshot: Snapshot
    route: Route


def following(campaign: Campaign, snapshot: Snapshot) -> Following | None:
    """Those of a campaign; None: it follows none."""
    rules = campaign.follow
    return None if rules is None else Following(rules, campaign.advertiser, snapshot, campaign.route)


@dataclass(frozen=True, slots=True)
class Reached:
    """Who is to be rung, and how. `destination`: the id, if it is one of the market's."""

    dial: Dial
    destination: str | None = None

    @property
    def name(self) -> str:
        """The destination's id, or the number."""
        return self.destination or self.dial.phone or ""


def shown(asked: str) -> str:
    """What a phone asked for, as text that can be kept and shown."""
    return "".join(filter(str.isprintable, asked))[:LONGEST_ASKED]


def reach(asked: str, follow: Follow, advertiser: str, snapshot: Snapshot) -> Reached | str:
    """Who is meant by what a phone asked for; or why nobody is rung."""
    market, number = snapshot.marketplace, e164(asked)
    for name, destination in _destinations(follow, advertiser, snapshot):
        dial = destination.dial
        if name == asked or dial.extension == asked or (number is not None and dial.phone == number):
            closed = snapshot.pauses.get(name) or snapshot.barred.get(name)
            return f"{name}: {closed}" if closed else Reached(dial, name)
    if number is None or follow.trunk is None or not any(matches(e, number) for e in follow.numbers):
        return (
            f"{shown(asked) or 'nobody'} is not among the destinations and numbers of the campaign's transfer"
        )
    if number in market.numbers:
        return f"{number} is a tracking number: the call would come in again"
    barred = why_not(follow.trunk, market.trunks.get(follow.trunk), number)
    barred = barred or snapshot.spent.get(follow.trunk)
    return barred or Reached(Dial(phone=number, trunk=follow.trunk))


def _destinations(follow: Follow, advertiser: str, snapshot: Snapshot) -> Iterator[tuple[str, Destination]]:
    """Those that may be reached: of a long list only those named are looked at."""
    known = snapshot.marketplace.destinations
    for name in known if follow.destinations is None else sorted(follow.destinations):
        destination = known.get(name)
        if destination is not None and destination.advertiser == advertiser:
            yield name, destination


def outcome_of(transfer: TransferRecord, cause: int | None) -> TransferOutcome:
    """Of one whose channel ended before it was answered, with this Q.850 cause; None: unseen."""
    if transfer.why is not None or cause is None:
        return "failed"
    found = outcome_by(cause)
    return found if found in ("busy", "no_answer", "declined") else "failed"


def pending(record: CallRecord) -> TransferRecord | None:
    """The transfer for which somebody is rung now."""
    last = record.transfers[-1] if record.transfers else None
    return last if last is not None and last.outcome is None else None


def is_with_transferee(record: CallRecord) -> bool:
    """Whether the caller talks to whom the agent transferred them to."""
    last = record.transfers[-1] if record.transfers else None
    return last is not None and last.outcome == "connected" and last.ended_at is None
