"""Terms: which calls are paid, and how much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag
from pydantic.dataclasses import dataclass

from ari_app.domain.basics.fields import Amount, Id, Moment, Name, OneOf, PositiveMs, Share, Text
from ari_app.domain.basics.hours import Hours
from ari_app.domain.market.destinations import Coverage
from ari_app.domain.market.shapes import MAPPING, PLAIN, STRICT, plain_or_mapping

Basis = Literal["any", "connected", "qualified"]
Scope = Literal["campaign", "advertiser", "destination"]
DurationOf = Literal["whole", "first"]


@dataclass(frozen=True, slots=True, config=STRICT)
class NoRepeat:
    """Which earlier calls of the same caller make a call a repeat: by basis, and by whom they reached."""

    window: PositiveMs
    basis: Basis = "connected"
    scope: Scope = "campaign"


@dataclass(frozen=True, slots=True, config=STRICT)
class Clause:
    """One condition: exactly one field is set. Used by `qualify` and by flow branches."""

    connected_at_least: PositiveMs | None = None
    total_at_least: PositiveMs | None = None
    rang_at_least: PositiveMs | None = None
    held_at_most: PositiveMs | None = None
    answer_in: Mapping[Name, OneOf[Text]] | None = None
    caller_in: Coverage | None = None
    source_in: OneOf[Text] | None = None
    not_blocked: Literal[True] | None = None
    no_repeat_within: (
        Annotated[
            Annotated[PositiveMs, Tag(PLAIN)] | Annotated[NoRepeat, Tag(MAPPING)],
            Discriminator(plain_or_mapping),
        ]
        | None
    ) = None
    within_hours: Hours | None = None
    converted_within: PositiveMs | None = None

    @property
    def no_repeat(self) -> NoRepeat | None:
        """The repeat rule in its full form, however it is written."""
        rule = self.no_repeat_within
        return NoRepeat(rule) if isinstance(rule, int) else rule


@dataclass(frozen=True, slots=True, config=STRICT)
class Rate:
    """An amount that depends on the call: an amount per minute, in started increments, or a share of the price."""

    per_minute: Amount | None = None
    increment: PositiveMs = 60_000
    share: Share | None = None
    minimum: Amount | None = None
    maximum: Amount | None = None


AmountOrRate = Annotated[
    Annotated[Amount, Tag(PLAIN)] | Annotated[Rate, Tag(MAPPING)], Discriminator(plain_or_mapping)
]
"""A fixed amount, or a mapping by which it is calculated."""


@dataclass(frozen=True, slots=True, config=STRICT)
class Bonus:
    """An extra for a call that also meets these clauses: the additional price and the additional payout."""

    name: Id
    when: tuple[Clause, ...]
    price: Amount = 0
    payout: Amount = 0


@dataclass(frozen=True, slots=True, config=STRICT)
class Override:
    """What a publisher earns instead of what the campaign says; None: as the campaign says."""

    payout: AmountOrRate | None = None
    payout_when: tuple[Clause, ...] | None = None


@dataclass(frozen=True, slots=True, config=STRICT)
class Staged:
    """The terms of calls that begin at `from` or later; a field that is None: as the campaign says."""

    from_: Moment = Field(alias="from")
    price: AmountOrRate | None = None
    payout: AmountOrRate | None = None
    qualify: tuple[Clause, ...] | None = None
    price_when: tuple[Clause, ...] | None = None
    payout_when: tuple[Clause, ...] | None = None
    bonus: tuple[Bonus, ...] | None = None
    overrides: Mapping[Id, Override] | None = None
    duration_of: DurationOf | None = None


TERMS = ("price", "payout", "qualify", "price_when", "payout_when", "bonus", "overrides", "duration_of")
"""The fields of a campaign that decide whether a call is paid, and how much: what can be staged."""
