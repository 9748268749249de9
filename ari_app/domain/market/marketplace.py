"""The marketplace: advertisers, publishers, destinations, flows, campaigns, creatives, numbers.

Plain frozen records, validated by pydantic when they are made from a document
(`ari_app.domain.document.reading`). Amounts are integers in a currency's minor unit, durations
are milliseconds, phone numbers are E.164. Every mapping is keyed by the id its owner chose.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag
from pydantic.dataclasses import dataclass

from ari_app.domain.basics.fields import (
    E164,
    IN_OWN_CURRENCY,
    Amount,
    AmountByCurrency,
    AreaCode,
    CallerPattern,
    Currency,
    DurationMs,
    FileName,
    FineRate,
    Id,
    Markup,
    Miles,
    Moment,
    Name,
    OneOf,
    PositiveMs,
    Prompt,
    Sha256,
    Share,
    SipUri,
    Size,
    Speech,
    StateCode,
    Text,
    TimeZone,
    WebAddress,
    ZipCode,
    whole_between,
)
from ari_app.domain.basics.hours import Hours
from ari_app.domain.basics.states import ALL_PARTY_CONSENT

Attestation = Literal["A", "B", "C"]
"""STIR/SHAKEN (ATIS-1000074): the caller's carrier knows the caller and the number, the caller, or neither."""

AttestationAsked = Literal["A", "B", "C", "none"]
"""A level that rules ask for; `none` is a call without any."""

_STRICT = ConfigDict(extra="forbid", populate_by_name=True)

DISPUTE_WINDOW_MS = 7 * 86_400_000

# What may be written as a bare value, or as a mapping that says more. (A tag never stands in a complaint.)
_PLAIN, _MAPPING = "[plain]", "[mapping]"


def _plain_or_mapping(value: object) -> str:
    return _PLAIN if isinstance(value, str | int | float | None) else _MAPPING


@dataclass(frozen=True, slots=True, config=_STRICT)
class Cap:
    """A limit on an owner's calls: `max` of them or `max_amount` in each period, or so many `concurrent`.

    `basis` says which calls `max` counts; an amount counts the price charged, a publisher's the payout earned;
    concurrent are those that are offered to agents or talk to one. A period begins at the hour, midnight, Monday or
    the 1st in the owner's time zone, and a call counts in the one that it was offered in. A cap that begins in the
    middle of one counts its calls so far; what is taken back of a call is room again. An amount counts the calls in its
    `currency` alone: None is the campaign's, where a campaign has the cap, else the marketplace's.
    """

    max: Annotated[int, whole_between(1, 1_000_000_000)] | None = None
    max_amount: Amount | None = None
    concurrent: Annotated[int, whole_between(1, 1_000_000)] | None = None
    per: Literal["hour", "day", "week", "month", "total"] | None = None
    basis: Literal["attempts", "connected", "qualified"] = "qualified"
    currency: Currency | None = None


Caps = tuple[Annotated[Cap, *IN_OWN_CURRENCY], ...]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Billing:
    """How an advertiser pays: `prepaid` from a deposit, or `postpaid` up to `credit_limit`.

    A call is offered only when its price is covered, in its currency. A bare limit is in the marketplace's
    currency; a mapping has one for each. No billing at all: that is not looked at.
    """

    model: Literal["prepaid", "postpaid"]
    credit_limit: (
        Annotated[
            Annotated[Amount, Tag(_PLAIN)] | Annotated[AmountByCurrency, Tag(_MAPPING)],
            Discriminator(_plain_or_mapping),
        ]
        | None
    ) = None


@dataclass(frozen=True, slots=True, config=_STRICT)
class Advertiser:
    """A buyer of calls. `dispute_window`: how long a call's charge may be disputed."""

    name: Text
    timezone: TimeZone = "UTC"
    dispute_window: PositiveMs = DISPUTE_WINDOW_MS
    billing: Billing | None = None
    caps: Caps = ()


@dataclass(frozen=True, slots=True, config=_STRICT)
class Publisher:
    """A producer of calls. `timezone` is that of its caps and its statements."""

    name: Text
    timezone: TimeZone = "UTC"
    caps: Caps = ()


@dataclass(frozen=True, slots=True, config=_STRICT)
class Dial:
    """How to reach a destination: exactly one of a SIP URI, a registered phone, a PSTN number."""

    uri: SipUri | None = None
    extension: Id | None = None
    phone: E164 | None = None
    trunk: Id | None = None


@dataclass(frozen=True, slots=True, config=_STRICT)
class Coverage:
    """Where callers may be: any of the given states, ZIPs, area codes, or a radius around a ZIP.

    `anywhere: true` covers every caller, also one whose place is unknown.
    """

    states: OneOf[StateCode] = frozenset()
    zips: OneOf[ZipCode] = frozenset()
    area_codes: OneOf[AreaCode] = frozenset()
    zip: ZipCode | None = None
    radius_miles: Miles | None = None
    anywhere: bool = False


@dataclass(frozen=True, slots=True, config=_STRICT)
class AutoPause:
    """A destination that leaves so many calls unanswered within an hour, or a day, is paused; 0: never."""

    per_hour: Annotated[int, whole_between(0, 1_000)] = 3
    per_day: Annotated[int, whole_between(0, 1_000)] = 5


@dataclass(frozen=True, slots=True, config=_STRICT)
class Destination:
    """An agent's phone or a buyer's location that can take a call.

    `attestation`: the STIR/SHAKEN levels of callers that it takes; empty: all.
    """

    advertiser: Id
    dial: Dial
    covers: Coverage
    hours: Hours | None = None
    capacity: Annotated[int, whole_between(1, 1_000)] = 1
    priority: Annotated[int, whole_between(1, 1_000)] = 1
    weight: Annotated[int, whole_between(1, 1_000)] = 1
    auto_pause: AutoPause = AutoPause()
    attestation: OneOf[AttestationAsked] = frozenset()
    caps: Caps = ()


Basis = Literal["any", "connected", "qualified"]
Scope = Literal["campaign", "advertiser", "destination"]


@dataclass(frozen=True, slots=True, config=_STRICT)
class NoRepeat:
    """Which earlier call of the same caller makes a repeat: of what kind, and to whom."""

    window: PositiveMs
    basis: Basis = "connected"
    scope: Scope = "campaign"


@dataclass(frozen=True, slots=True, config=_STRICT)
class Clause:
    """One condition, named by the one field that is set. Used by `qualify` and by flow branches."""

    connected_at_least: PositiveMs | None = None
    total_at_least: PositiveMs | None = None
    rang_at_least: PositiveMs | None = None
    answer_in: Mapping[Name, OneOf[Text]] | None = None
    caller_in: Coverage | None = None
    source_in: OneOf[Text] | None = None
    not_blocked: Literal[True] | None = None
    no_repeat_within: (
        Annotated[
            Annotated[PositiveMs, Tag(_PLAIN)] | Annotated[NoRepeat, Tag(_MAPPING)],
            Discriminator(_plain_or_mapping),
        ]
        | None
    ) = None
    within_hours: Hours | None = None
    converted_within: PositiveMs | None = None

    @property
    def no_repeat(self) -> NoRepeat | None:
        """The repeat rule in full, however it is written."""
        rule = self.no_repeat_within
        return NoRepeat(rule) if isinstance(rule, int) else rule


@dataclass(frozen=True, slots=True, config=_STRICT)
class Rate:
    """An amount that depends on the call: so much a minute, in started increments, or a share of the price."""

    per_minute: Amount | None = None
    increment: PositiveMs = 60_000
    share: Share | None = None
    minimum: Amount | None = None
    maximum: Amount | None = None


AmountOrRate = Annotated[
    Annotated[Amount, Tag(_PLAIN)] | Annotated[Rate, Tag(_MAPPING)], Discriminator(_plain_or_mapping)
]
"""A fixed amount, or a mapping that says how to come to one."""


@dataclass(frozen=True, slots=True, config=_STRICT)
class Bonus:
    """More for a call whose clauses hold besides: what the advertiser pays, what the publisher earns."""

    name: Id
    when: tuple[Clause, ...]
    price: Amount = 0
    payout: Amount = 0


@dataclass(frozen=True, slots=True, config=_STRICT)
class Override:
    """What a publisher earns in place of what the campaign says; None: as the campaign says."""

    payout: AmountOrRate | None = None
    payout_when: tuple[Clause, ...] | None = None


@dataclass(frozen=True, slots=True, config=_STRICT)
class Wave:
    """Destinations rung together, `after` the race's start, or once the wave before is exhausted."""

    destinations: tuple[Id, ...]
    after: DurationMs | None = None


@dataclass(frozen=True, slots=True, config=_STRICT)
class Fallback:
    """What the caller hears when nobody takes the call, before the hang-up."""

    play: Prompt | None = None
    hangup: Literal[True] = True


@dataclass(frozen=True, slots=True, config=_STRICT)
class Route:
    """How a campaign's calls are offered. `max_legs`: phones rung at once, 50 at most.

    `whisper` is said to an agent before the accept prompt; see `ari_app.domain.ivr.whisper`.
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


@dataclass(frozen=True, slots=True, config=_STRICT)
class Consent:
    """What callers are told before they are recorded, and where: in `states`, and where they may be anywhere.

    `everywhere: true` tells every caller.
    """

    prompt: Prompt
    states: OneOf[StateCode] = ALL_PARTY_CONSENT
    everywhere: bool = False


@dataclass(frozen=True, slots=True, config=_STRICT)
class Recording:
    """Conversations are recorded; see `ari_app.domain.calls.recording`. `keep`: how long the files are kept."""

    consent: Consent
    keep: PositiveMs = 90 * 86_400_000


@dataclass(frozen=True, slots=True, config=_STRICT)
class Screen:
    """Whom a campaign does not take: `block` lists E.164 numbers or prefixes ending in `*`.

    `attestation`: the levels that a caller must have one of, `none` for no attestation; empty: not looked at.
    """

    anonymous: Literal["allow", "refuse"] = "allow"
    redial_within: DurationMs = 2_000
    block: tuple[CallerPattern, ...] = ()
    attestation: OneOf[AttestationAsked] = frozenset()
    announce: Prompt | None = None


@dataclass(frozen=True, slots=True, config=_STRICT)
class RateLimit:
    """At most `max` calls within any time of this length."""

    max: Annotated[int, whole_between(1, 10_000)]
    within: PositiveMs


@dataclass(frozen=True, slots=True, config=_STRICT)
class Screening:
    """Whom no campaign takes: turned away unanswered, so that abuse costs neither a line nor an announcement.

    `per_ani` limits the calls of one caller, `per_did` those to one tracking number, across campaigns.
    """

    anonymous: Literal["allow", "refuse"] = "allow"
    block: tuple[CallerPattern, ...] = ()
    attestation: OneOf[AttestationAsked] = frozenset()
    per_ani: RateLimit | None = None
    per_did: RateLimit | None = None


@dataclass(frozen=True, slots=True, config=_STRICT)
class Spend:
    """At most `max_amount` spent in each period, which begins in UTC."""

    max_amount: Amount
    per: Literal["hour", "day", "week", "month"]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Trunk:
    """Limits of a trunk: a PJSIP endpoint that calls come in by, or destinations are dialled by.

    `concurrent`: calls in and legs out at once, ringing or talking; None: as many as come. `allow`: the numbers,
    or prefixes ending in `*`, that it may dial; see `ari_app.domain.market.trunks` for what that means, and None.
    `cost_per_minute`: what a leg out costs from its answer on, in the marketplace's currency; `spend`: how much of
    that there may be.
    """

    concurrent: Annotated[int, whole_between(1, 100_000)] | None = None
    allow: tuple[CallerPattern, ...] | None = None
    cost_per_minute: FineRate | None = None
    spend: Spend | None = None


@dataclass(frozen=True, slots=True, config=_STRICT)
class Choice:
    """What a menu's digit does: sets answers, then goes to the node `next`."""

    next: Id
    set: Mapping[Name, Text] | None = None


@dataclass(frozen=True, slots=True, config=_STRICT)
class Menu:
    """A prompt that a single digit answers."""

    prompt: Prompt


@dataclass(frozen=True, slots=True, config=_STRICT)
class Collect:
    """A prompt that `digits` digits (or `min_digits` to `digits`, ended by `#`) answer."""

    prompt: Prompt
    digits: Annotated[int, whole_between(1, 32)]
    as_: Name = Field(alias="as")
    min_digits: Annotated[int, whole_between(1, 32)] | None = None
    check: Literal["us-zip", "any"] = "any"


@dataclass(frozen=True, slots=True, config=_STRICT)
class Branch:
    """Goes to `next` when the clause holds."""

    when: Clause
    next: Id


@dataclass(frozen=True, slots=True, config=_STRICT)
class Timers:
    """A caller's time: to the first digit, between digits, and for the whole input."""

    first_digit: PositiveMs = 5_000
    inter_digit: PositiveMs = 3_000
    overall: PositiveMs = 20_000


@dataclass(frozen=True, slots=True, config=_STRICT)
class Node:
    """One step of a flow. Exactly one of menu, collect, branch, play, offer, or a bare hangup."""

    menu: Menu | None = None
    choices: Mapping[str, Choice] | None = None
    collect: Collect | None = None
    branch: tuple[Branch, ...] | None = None
    otherwise: Id | None = None
    play: Prompt | None = None
    offer: Literal[True] | None = None
    hangup: Literal[True] | None = None
    next: Id | None = None
    tries: Annotated[int, whole_between(1, 10)] = 3
    on_no_input: Id | None = None
    on_invalid: Id | None = None
    invalid_prompt: Prompt | None = None
    barge_in: bool = True
    timers: Timers = Timers()


@dataclass(frozen=True, slots=True, config=_STRICT)
class Flow:
    """An IVR flow: nodes by name, and where to begin. After `longest` it ends, wherever the caller is."""

    start: Id
    nodes: Mapping[Id, Node]
    longest: PositiveMs = 600_000


@dataclass(frozen=True, slots=True, config=_STRICT)
class Staged:
    """Terms that are current for calls that begin at `from` or later; None: as the campaign says."""

    from_: Moment = Field(alias="from")
    price: AmountOrRate | None = None
    payout: AmountOrRate | None = None
    qualify: tuple[Clause, ...] | None = None
    price_when: tuple[Clause, ...] | None = None
    payout_when: tuple[Clause, ...] | None = None
    bonus: tuple[Bonus, ...] | None = None
    overrides: Mapping[Id, Override] | None = None


@dataclass(frozen=True, slots=True, config=_STRICT)
class Applications:
    """How publishers come to a campaign. `numbers_per_publisher`: as many as commands give to each, at most."""

    auto_approve: bool = False
    numbers_per_publisher: Annotated[int, whole_between(1, 1_000)] = 5


@dataclass(frozen=True, slots=True, config=_STRICT)
class Campaign:
    """An advertiser's standing order for calls. Price and payout are in the minor unit, or rates.

    `currency` is that of all its money; None: the marketplace's.

    `qualify` decides whether a call is payable. `price_when` and `payout_when` add to it for one side alone;
    `bonus` adds to the amounts, `overrides` says by publisher what is paid instead. Only a draft may lack waves.
    Without `recording` nothing is recorded. Of `status` see `ari_app.domain.market.campaigns`. An `invited` campaign
    takes applications only from the publishers in `invited`.
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


TERMS = ("price", "payout", "qualify", "price_when", "payout_when", "bonus", "overrides")
"""The fields of a campaign that decide whether a call is paid, and how much: what can be staged."""


@dataclass(frozen=True, slots=True, config=_STRICT)
class Number:
    """Whose a tracking number is: the campaign, the publisher, the source (placement)."""

    campaign: Id
    publisher: Id
    source: Text | None = None


@dataclass(frozen=True, slots=True, config=_STRICT)
class Creative:
    """An ad of a campaign, for publishers; see `ari_app.domain.market.creatives`.

    `image` is a file as the operator names it, `sha256` what it held when it was applied. `text` is a text
    ad, a banner's alternative text, or a landing page's link text. Only what is approved is exported.
    """

    campaign: Id
    kind: Literal["banner", "text", "html", "landing"]
    image: FileName | None = None
    sha256: Sha256 | None = None
    size: Size | None = None
    text: Text | None = None
    html: Markup | None = None
    address: WebAddress | None = None
    status: Literal["draft", "approved", "rejected"] = "draft"
    reason: Text | None = None


@dataclass(frozen=True, slots=True, config=_STRICT)
class NumbersPolicy:
    """`quarantine`: how long a number rests before it is assigned again. `low_stock`: fewer free is a warning."""

    quarantine: DurationMs = 30 * 86_400_000
    low_stock: Annotated[int, whole_between(0, 100_000)] = 5


@dataclass(frozen=True, slots=True, config=_STRICT)
class Marketplace:
    """Everything one document declares. `currency` is that of all money that does not say another."""

    currency: Currency
    advertisers: Mapping[Id, Advertiser]
    publishers: Mapping[Id, Publisher]
    destinations: Mapping[Id, Destination]
    campaigns: Mapping[Id, Annotated[Campaign, *IN_OWN_CURRENCY]]
    numbers: Mapping[E164, Number]
    flows: Mapping[Id, Flow] = Field(default_factory=dict)
    creatives: Mapping[Id, Creative] = Field(default_factory=dict)
    numbers_policy: NumbersPolicy = NumbersPolicy()
    screen: Screening = Screening()
    trunks: Mapping[Id, Trunk] = Field(default_factory=dict)

    def currency_of(self, campaign: Campaign) -> str:
        """The currency of a campaign's money."""
        return campaign.currency or self.currency

    def credit_of(self, advertiser: str, currency: str) -> int:
        """How far the advertiser's account in a currency may go below zero, in its minor unit."""
        billing = self.advertisers[advertiser].billing
        limit = billing.credit_limit if billing else None
        if isinstance(limit, Mapping):
            return limit.get(currency, 0)
        return (limit or 0) if currency == self.currency else 0
