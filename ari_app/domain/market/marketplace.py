"""The marketplace: everything that one document declares.

Plain frozen records, validated by pydantic when they are created from a document
(`ari_app.domain.document.reading`). Amounts are integers in a currency's minor unit, durations
are milliseconds, phone numbers are E.164. The keys of mappings are the ids that the operator chose.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from ari_app.domain.basics.fields import (
    E164,
    IN_OWN_CURRENCY,
    Amount,
    CallerPattern,
    Currency,
    DurationMs,
    FileName,
    FineRate,
    Id,
    Markup,
    OneOf,
    PositiveMs,
    Sha256,
    Size,
    Text,
    WebAddress,
    whole_between,
)
from ari_app.domain.basics.invitefields import AttestationPlace, DialPrefix, NumberPlace
from ari_app.domain.market.campaigns import Campaign
from ari_app.domain.market.destinations import Destination
from ari_app.domain.market.flows import Flow
from ari_app.domain.market.geography import GeographyOverrides
from ari_app.domain.market.parties import Advertiser, Publisher
from ari_app.domain.market.shapes import STRICT, AttestationAsked, ShownNumber


@dataclass(frozen=True, slots=True, config=STRICT)
class RateLimit:
    """At most `max` calls within any time of this length."""

    max: Annotated[int, whole_between(1, 10_000)]
    within: PositiveMs


@dataclass(frozen=True, slots=True, config=STRICT)
class Screening:
    """Which callers no campaign takes. They are rejected unanswered, so that abuse costs neither a line nor media.

    `per_ani` limits the calls of one caller, `per_did` those to one tracking number, across campaigns.
    """

    anonymous: Literal["allow", "refuse"] = "allow"
    block: tuple[CallerPattern, ...] = ()
    attestation: OneOf[AttestationAsked] = frozenset()
    per_ani: RateLimit | None = None
    per_did: RateLimit | None = None


@dataclass(frozen=True, slots=True, config=STRICT)
class Spend:
    """At most `max_amount` spent in each period, which begins in UTC."""

    max_amount: Amount
    per: Literal["hour", "day", "week", "month"]


@dataclass(frozen=True, slots=True, config=STRICT)
class Trunk:
    """Settings of a trunk: a PJSIP endpoint by which calls come in, or destinations are dialled.

    `concurrent`: how many calls in and legs out it may have at once, ringing or talking; None: no limit.
    `allow`: the numbers, or prefixes ending in `*`, that it may dial; None: see `ari_app.domain.market.trunks`.
    `cost_per_minute`: what a leg out costs from its answer on, in the marketplace's currency.
    `spend`: how much legs out may cost. `failover`: the carrier has another route. So a call that no switch can take
    is refused at once (503), and the dialplan does not serve it.

    `caller_id`: the number that its legs out show: `pass`, the caller's; `own`, the tracking number that was called;
    or this one. `identity`: the one of these that it vouches for, in P-Asserted-Identity (RFC 3325), with Privacy
    where none is shown; None: it sends neither.

    Of a call in, `number_in` says where the called number stands, `prefix` what is before it, `attestation_from` where
    the caller's attestation is: see `ari_app.domain.calls.carrier`.
    """

    concurrent: Annotated[int, whole_between(1, 100_000)] | None = None
    allow: tuple[CallerPattern, ...] | None = None
    cost_per_minute: FineRate | None = None
    spend: Spend | None = None
    failover: bool = False
    caller_id: ShownNumber = "pass"
    identity: ShownNumber | None = None
    number_in: NumberPlace = "request"
    prefix: DialPrefix | None = None
    attestation_from: AttestationPlace = "P-Attestation-Indicator"


_TRUNK = Trunk()


@dataclass(frozen=True, slots=True, config=STRICT)
class Number:
    """The owner of a tracking number: the campaign, the publisher, the source (placement)."""

    campaign: Id
    publisher: Id
    source: Text | None = None


@dataclass(frozen=True, slots=True, config=STRICT)
class Creative:
    """An ad of a campaign, for publishers; see `ari_app.domain.market.creatives`.

    `image` is a file as the operator names it; `sha256` is the hash of its content when it was applied. `text` is a
    text ad, a banner's alternative text, or a landing page's link text. Only approved creatives are exported.
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


@dataclass(frozen=True, slots=True, config=STRICT)
class NumbersPolicy:
    """`quarantine`: how long a number rests before it is assigned again. `low_stock`: fewer free ones are a warning."""

    quarantine: DurationMs = 30 * 86_400_000
    low_stock: Annotated[int, whole_between(0, 100_000)] = 5


@dataclass(frozen=True, slots=True, config=STRICT)
class Marketplace:
    """Everything that one document declares. `currency` is that of all amounts that name no other."""

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
    geography: GeographyOverrides = GeographyOverrides()

    def trunk(self, endpoint: str | None) -> Trunk:
        """What is said of a trunk; of one that nothing is said of, the defaults."""
        return self.trunks.get(endpoint or "", _TRUNK)

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
