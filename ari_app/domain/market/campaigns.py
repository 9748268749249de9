"""Campaigns. The status of a campaign: draft, then live, paused and live again, and in the end ended, for good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag
from pydantic.dataclasses import dataclass

from ari_app.domain.basics.fields import (
    CallerPattern,
    Currency,
    DurationMs,
    Id,
    OneOf,
    PositiveMs,
    Prompt,
    Speech,
    StateCode,
    whole_between,
)
from ari_app.domain.basics.hours import Hours
from ari_app.domain.basics.states import ALL_PARTY_CONSENT
from ari_app.domain.market.parties import Caps
from ari_app.domain.market.shapes import MAPPING, PLAIN, STRICT, AttestationAsked, Told, plain_or_mapping
from ari_app.domain.market.terms import AmountOrRate, Bonus, Clause, DurationOf, Override, Staged


@dataclass(frozen=True, slots=True, config=STRICT)
class Wave:
    """Destinations that are rung together: `after` the start of the race, or once the wave before is exhausted."""

    destinations: tuple[Id, ...]
    after: DurationMs | None = None


@dataclass(frozen=True, slots=True, config=STRICT)
class Fallback:
    """What the caller hears when nobody takes the call, before the hang-up."""

    play: Prompt | None = None
    hangup: Literal[True] = True


@dataclass(frozen=True, slots=True, config=STRICT)
class Route:
    """How a campaign's calls are offered. `max_legs`: how many phones ring at once, 50 at most.

    `whisper` is played to an agent before the accept prompt; see `ari_app.domain.ivr.whisper`. `headers`: what
    destinations are told of a call in SIP headers; see `ari_app.domain.routing.invites`.
    """

    waves: tuple[Wave, ...] = ()
    accept: Literal["press-1", "answer"] = "press-1"
    ring_timeout: PositiveMs = 30_000
    accept_prompt: Prompt | None = None
    whisper: Speech | None = None
    wait: Literal["ringback", "music"] = "ringback"
    max_legs: Annotated[int, whole_between(1, 50)] = 10
    max_duration: PositiveMs = 4 * 3_600_000
    reoffer_within: DurationMs = 10_000
    reoffer_times: Annotated[int, whole_between(0, 10)] = 2
    fallback: Fallback = Fallback()
    headers: OneOf[Told] = frozenset()


@dataclass(frozen=True, slots=True, config=STRICT)
class Consent:
    """What callers are told before they are recorded, and which ones: those in `states`, and those who may be anywhere.

    `everywhere: true`: every caller is told.
    """

    prompt: Prompt
    states: OneOf[StateCode] = ALL_PARTY_CONSENT
    everywhere: bool = False


@dataclass(frozen=True, slots=True, config=STRICT)
class Recording:
    """Conversations are recorded; see `ari_app.domain.calls.recording`. `keep`: how long the files are kept."""

    consent: Consent
    keep: PositiveMs = 90 * 86_400_000


@dataclass(frozen=True, slots=True, config=STRICT)
class Screen:
    """Which callers a campaign refuses: `block` lists E.164 numbers, or prefixes ending in `*`.

    `attestation`: a caller must have one of these levels; `none` is a call without attestation. Empty: not checked.
    """

    anonymous: Literal["allow", "refuse"] = "allow"
    redial_within: DurationMs = 2_000
    block: tuple[CallerPattern, ...] = ()
    attestation: OneOf[AttestationAsked] = frozenset()
    announce: Prompt | None = None


@dataclass(frozen=True, slots=True, config=STRICT)
class Applications:
    """How publishers join a campaign. `numbers_per_publisher`: how many numbers commands give to each at most."""

    auto_approve: bool = False
    numbers_per_publisher: Annotated[int, whole_between(1, 1_000)] = 5


@dataclass(frozen=True, slots=True, config=STRICT)
class Follow:
    """Agents may transfer their callers, and to whom; see `ari_app.domain.routing.transfers`.

    `destinations`: None: all of the campaign's advertiser. `numbers` lists E.164 numbers, or prefixes ending in `*`,
    which `trunk` dials.
    """

    destinations: OneOf[Id] | None = None
    numbers: tuple[CallerPattern, ...] = ()
    trunk: Id | None = None
    ring_timeout: PositiveMs = 30_000


TransferRule = Annotated[
    Annotated[Literal["refuse", "follow"], Tag(PLAIN)] | Annotated[Follow, Tag(MAPPING)],
    Discriminator(plain_or_mapping),
]
"""`follow` alone is Follow's defaults."""


@dataclass(frozen=True, slots=True, config=STRICT)
class Campaign:
    """An advertiser's standing order for calls. Price and payout are in the minor unit, or rates.

    `currency` is that of all its money; None: the marketplace's.

    `qualify` decides whether a call is payable. `price_when` and `payout_when` are further clauses for one side only.
    `bonus` adds to the amounts; `overrides` says, by publisher, what is paid instead. Only a draft may lack waves.
    Without `recording` nothing is recorded. For `status` see `ari_app.domain.market.campaigns`. An `invited` campaign
    takes applications only from the publishers in `invited`. `duration_of`: which part of a conversation that an agent
    transferred counts, `whole` or `first`, that with the agent.
    """

    advertiser: Id
    price: AmountOrRate
    payout: AmountOrRate
    currency: Currency | None = None
    route: Route = Route()
    status: Literal["draft", "live", "paused", "ended"] = "live"
    flow: Id | None = None
    hours: Hours | None = None
    screen: Screen = Screen()
    recording: Recording | None = None
    qualify: tuple[Clause, ...] = ()
    price_when: tuple[Clause, ...] = ()
    payout_when: tuple[Clause, ...] = ()
    bonus: tuple[Bonus, ...] = ()
    overrides: Mapping[Id, Override] = Field(default_factory=dict)
    staged: Staged | None = None
    caps: Caps = ()
    visibility: Literal["public", "invited"] = "public"
    invited: OneOf[Id] = frozenset()
    applications: Applications = Applications()
    transfer: TransferRule = "refuse"
    duration_of: DurationOf = "whole"

    @property
    def follow(self) -> Follow | None:
        """To whom agents may transfer callers; None: to nobody."""
        if isinstance(self.transfer, Follow):
            return self.transfer
        return Follow() if self.transfer == "follow" else None


NEXT: Mapping[str, tuple[str, ...]] = {
    "draft": ("live",),
    "live": ("paused", "ended"),
    "paused": ("live", "ended"),
    "ended": (),
}
"""For each status, the statuses that may follow it. A new campaign may begin in any."""


def refusals(before: Mapping[str, Campaign], after: Mapping[str, Campaign]) -> Iterator[str]:
    """A line for each campaign whose status may not change as asked."""
    for name, campaign in after.items():
        old = before.get(name)
        if old is not None and campaign.status not in (old.status, *NEXT[old.status]):
            yield f"campaign {name} cannot go from {old.status} to {campaign.status}; {_instead(old.status)}"


def _instead(status: str) -> str:
    steps = NEXT[status]
    return f"expected {' or '.join(steps)}" if steps else "it is over: begin a new campaign under another id"
