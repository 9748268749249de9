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
    """A limit on an owner's calls: `max` calls or `max_amount` in each period, or so many `concurrent` calls.

    `basis` says which calls `max` counts. An amount counts the price charged; a publisher's counts the payout earned.
    Concurrent calls are those that are being offered to agents or are connected to one. A period begins at the full
    hour, at midnight, on Monday or on the 1st, in the owner's time zone. A call counts in the period in which it was
    offered. A cap that begins in the middle of a period counts the calls of that period so far. What is reversed of a
    call is free again. An amount counts only calls in its `currency`; None: the campaign's, if a campaign has
    the cap, else the marketplace's.
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

    A call is offered only when its price is covered, in its currency. A limit without a currency is in the
    marketplace's; a mapping has a limit for each currency. An advertiser without billing is not checked for funds.
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
