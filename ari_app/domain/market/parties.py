"""Advertisers and publishers, and the caps that they and others have."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Tag
from pydantic.dataclasses import dataclass

from ari_app.domain.basics.fields import (
    IN_OWN_CURRENCY,
    Amount,
    AmountByCurrency,
    Currency,
    PositiveMs,
    Text,
    TimeZone,
    whole_between,
)
from ari_app.domain.market.shapes import MAPPING, PLAIN, STRICT, plain_or_mapping

DISPUTE_WINDOW_MS = 7 * 86_400_000


@dataclass(frozen=True, slots=True, config=STRICT)
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


@dataclass(frozen=True, slots=True, config=STRICT)
class Billing:
    """How an advertiser pays: `prepaid` from a deposit, or `postpaid` up to `credit_limit`.

    A call is offered only when its price is covered, in its currency. A bare limit is in the marketplace's
    currency; a mapping has one for each. No billing at all: that is not looked at.
    """

    model: Literal["prepaid", "postpaid"]
    credit_limit: (
        Annotated[
            Annotated[Amount, Tag(PLAIN)] | Annotated[AmountByCurrency, Tag(MAPPING)],
            Discriminator(plain_or_mapping),
        ]
        | None
    ) = None


@dataclass(frozen=True, slots=True, config=STRICT)
class Advertiser:
    """A buyer of calls. `dispute_window`: how long a call's charge may be disputed."""

    name: Text
    timezone: TimeZone = "UTC"
    dispute_window: PositiveMs = DISPUTE_WINDOW_MS
    billing: Billing | None = None
    caps: Caps = ()


@dataclass(frozen=True, slots=True, config=STRICT)
class Publisher:
    """A producer of calls. `timezone` is that of its caps and its statements."""

    name: Text
    timezone: TimeZone = "UTC"
    caps: Caps = ()
