"""Caps and funds: what a call must have reserved before it is offered, and how much of that it uses at its end.

A counter is one cap in one period. A call reserves in every counter that may have to count it. When it is settled,
each of its reservations becomes use or is given back, as `use` says. A call is offered only if `used + reserved` has
room for it, so `used` never exceeds a limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from ari_app.domain.basics.money import format_amount
from ari_app.domain.basics.periods import Per, Period, period
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.ledger.corrections import Net
from ari_app.domain.ledger.transfers import advertiser_account
from ari_app.domain.market.campaigns import Campaign
from ari_app.domain.market.destinations import Destination
from ari_app.domain.market.marketplace import Marketplace
from ari_app.domain.market.parties import Advertiser, Cap, Publisher
from ari_app.domain.routing.snapshot import Attribution
from ari_app.domain.terms.settlement import most_charged, most_paid

BUDGET_MS = 250
"""How long a caller waits for a reservation at most; the caller hears ringback or music meanwhile.

Nobody notices a quarter of a second of it. Who is turned away for want of an answer is a call lost."""
EXPIRES_AFTER_MS = 15 * 60_000
"""How long after a call's longest possible end its reservations are given back, if it was never settled."""

OwnerKind = Literal["advertiser", "campaign", "destination", "publisher"]


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner of caps: its kind, its id, its time zone, and the currency of amounts that name none."""

    kind: OwnerKind
    id: str
    timezone: str
    currency: str
    caps: tuple[Cap, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """What a call would take of one counter. `words` is the message when the counter has no room."""

    key: str
    period: Period
    amount: int
    limit: int
    words: str


@dataclass(frozen=True, slots=True)
class Funds:
    """Money that must be available: `amount`, in an account that may go down to minus `credit_limit`."""

    account: str
    currency: str
    amount: int
    credit_limit: int
    words: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that a call must have reserved before it is offered.

    `claims` are those of its campaign, its publisher and its advertiser. `destinations` has every destination that
    would be rung, each with its own claims, mostly none. Times in ms.
    """

    call_id: str
    claims: tuple[Claim, ...]
    funds: Funds | None
    destinations: Mapping[str, tuple[Claim, ...]]
    at: int
    expires_at: int

    @property
    def is_nothing(self) -> bool:
        """The call may be offered without a reservation: no cap and no funds apply to it."""
        return not self.claims and self.funds is None and not any(self.destinations.values())


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a reservation.

    `capped`: in words, the cap because of which nobody may be offered the call. `left_out`: destinations that must
    not be rung, each with the reason. For all others it is reserved.
    """

    capped: str | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)


# Keys. Ids hold no colon.


def measure(cap: Cap, currency: str) -> str:
    """What the cap counts and in which period; an owner has one cap of each.

    `currency` is that of an amount that names none.
    """
    if cap.concurrent is not None:
        return "concurrent"
    if cap.max_amount is not None:
        return f"amount:{cap.per}:{cap.currency or currency}"
    return f"{cap.basis}:{cap.per}"


def funds_key(account: str, currency: str) -> str:
    """The key of a reservation of money."""
    return f"funds:{account}:{currency}"


def funds_of(key: str) -> tuple[str, str] | None:
    """The account and the currency of a reservation of money; None for one of a cap."""
    if not key.startswith("funds:"):
        return None
    account, _, currency = key.removeprefix("funds:").rpartition(":")
    return account, currency


# What a call wants


def wanted(
    call_id: str, marketplace: Marketplace, found: Attribution, destinations: Iterable[str], at: int
) -> Wanted:
    """What this call must have reserved to be offered to these destinations at `at` (ms)."""
    most, currency = most_charged(found.campaign), marketplace.currency_of(found.campaign)
    return Wanted(
        call_id=call_id,
        claims=call_claims(marketplace, found, at),
        funds=_funds(marketplace, found.campaign, most, currency),
        destinations={
            name: tuple(_claims(owner(marketplace, "destination", name), at, most, currency))
            for name in destinations
        },
        at=at,
        expires_at=at + found.campaign.route.max_duration + EXPIRES_AFTER_MS,
    )


def call_claims(marketplace: Marketplace, found: Attribution, at: int) -> tuple[Claim, ...]:
    """The claims of a call that do not depend on who takes it."""
    campaign, publisher = found.campaign, found.number.publisher
    most, currency = most_charged(campaign), marketplace.currency_of(campaign)
    ids: tuple[tuple[OwnerKind, str, int], ...] = (
        ("advertiser", campaign.advertiser, most),
        ("campaign", found.campaign_id, most),
        ("publisher", publisher, most_paid(campaign, publisher)),
    )
    return tuple(
        claim
        for kind, id_, amount in ids
        for claim in _claims(owner(marketplace, kind, id_), at, amount, currency)
    )


def _claims(whose: Owner, at: int, most: int, currency: str) -> Iterator[Claim]:
    """What a call of at most `most`, in `currency`, takes of the owner's counters.

    For a publisher the amount is what it earns; for every other owner, what the advertiser pays.
    """
    for cap in sorted(whose.caps, key=partial(key, whose)):
        amount = 1
        if cap.max_amount is not None:
            amount = most if currency_of(whose, cap) == currency else 0
        if amount:
            yield Claim(
                key=key(whose, cap),
                period=current(whose, cap, at),
                amount=amount,
                limit=limit(cap),
                words=f"{whose.kind} {whose.id} has no room left in its cap of {describe(whose, cap)}",
            )


def _funds(marketplace: Marketplace, campaign: Campaign, most: int, currency: str) -> Funds | None:
    billing = marketplace.advertisers[campaign.advertiser].billing
    if billing is None or not most:
        return None
    what = "funds" if billing.model == "prepaid" else "credit left"
    return Funds(
        account=advertiser_account(campaign.advertiser),
        currency=currency,
        amount=most,
        credit_limit=marketplace.credit_of(campaign.advertiser, currency),
        words=f"advertiser {campaign.advertiser} has no {what} for a call of "
        f"{format_amount(most, currency)} {currency}",
    )


# Owners and their counters


def owner(marketplace: Marketplace, kind: OwnerKind, id_: str) -> Owner:
    """The owner of caps with this id. Campaigns and destinations keep their advertiser's time."""
    currency = marketplace.currency
    match kind:
        case "publisher":
            publisher = marketplace.publishers[id_]
            return Owner(kind, id_, publisher.timezone, currency, publisher.caps)
        case "advertiser":
            advertiser = marketplace.advertisers[id_]
            return Owner(kind, id_, advertiser.timezone, currency, advertiser.caps)
        case "campaign":
            campaign = marketplace.campaigns[id_]
            timezone = marketplace.advertisers[campaign.advertiser].timezone
            return Owner(kind, id_, timezone, marketplace.currency_of(campaign), campaign.caps)
        case "destination":
            destination = marketplace.destinations[id_]
            timezone = marketplace.advertisers[destination.advertiser].timezone
            return Owner(kind, id_, timezone, currency, destination.caps)


def owners(marketplace: Marketplace) -> Iterator[Owner]:
    """Everyone who has caps."""
    parts: tuple[tuple[OwnerKind, Mapping[str, Advertiser | Campaign | Publisher | Destination]], ...] = (
        ("advertiser", marketplace.advertisers),
        ("campaign", marketplace.campaigns),
        ("publisher", marketplace.publishers),
        ("destination", marketplace.destinations),
    )
    for kind, part in parts:
        for name, found in part.items():
            if found.caps:
                yield owner(marketplace, kind, name)


def key(whose: Owner, cap: Cap) -> str:
    """The counter's name, such as `campaign:plumbing:qualified:day`. A cap whose limit changes keeps its counter."""
    return f"{whose.kind}:{whose.id}:{measure(cap, whose.currency)}"


def currency_of(whose: Owner, cap: Cap) -> str:
    """The currency of the cap's amount."""
    return cap.currency or whose.currency


def current(whose: Owner, cap: Cap, at: int) -> Period:
    """The cap's period at a moment, ms."""
    return period(cap.per or "total", at, whose.timezone)


def limit(cap: Cap) -> int:
    """The cap's limit: calls, or the minor unit."""
    found = cap.concurrent or cap.max or cap.max_amount
    assert found is not None, "`document.parse` refuses a cap without a limit"
    return found


def describe(whose: Owner, cap: Cap) -> str:
    """The cap for people: `10 qualified calls a day`, `500.00 USD a month`, `3 calls at once`."""
    often = {"hour": "an hour", "total": "in total"}.get(cap.per or "", f"a {cap.per}")
    if cap.concurrent is not None:
        return f"{cap.concurrent} call{'s' if cap.concurrent > 1 else ''} at once"
    if cap.max_amount is not None:
        currency = currency_of(whose, cap)
        return f"{format_amount(cap.max_amount, currency)} {currency} {often}"
    basis = "offered" if cap.basis == "attempts" else cap.basis
    return f"{cap.max} {basis} call{'s' if limit(cap) > 1 else ''} {often}"


# What a call gets, what it uses


def unchecked(wanted: Wanted) -> Answer:
    """The answer when the database did not answer in time: the call is offered only where no limit applies."""
    reason = f"caps could not be checked in {BUDGET_MS} ms"
    is_limited = bool(wanted.claims) or wanted.funds is not None
    return Answer(
        left_out={name: reason for name, claims in wanted.destinations.items() if claims or is_limited}
    )


def gone(key: str, used: int, reserved: int) -> int:
    """How much of a counter is surely taken. Reservations may still be given back, except those of a concurrent cap."""
    return used + reserved if key.endswith(":concurrent") else used


def full(claims: Iterable[Claim], taken: Mapping[tuple[str, int], int]) -> str | None:
    """The first counter that is known to have no room, in words. `taken`: use by key and start of the period."""
    for claim in claims:
        if taken.get((claim.key, claim.period.start), 0) + claim.amount > claim.limit:
            return claim.words
    return None


def is_open(key: str, record: CallRecord) -> bool:
    """Whether it is not known yet what the ended call uses of a counter, because the call awaits a conversion."""
    if funds_of(key) is not None or record.waits_until is None:
        return False
    kind, owner, measured = key.split(":")[:3]
    return measured in ("qualified", "amount") and (kind != "destination" or record.winner == owner)


def use(key: str, record: CallRecord) -> int:
    """How much the ended call uses of a counter in which it reserved; the rest is given back."""
    if funds_of(key) is not None:
        return 0  # the ledger's transfers say what is charged
    kind, owner, measured = key.split(":")[:3]
    is_destination = kind == "destination"
    if measured == "attempts":
        return int(any(not is_destination or leg.destination == owner for leg in record.legs))
    if measured == "concurrent" or (is_destination and record.winner != owner):
        return 0
    if measured == "connected":
        return int(record.connected_at is not None)
    if measured == "amount":
        return _moved(kind, key, record, record.money.charged, record.money.paid) if record.money else 0
    return int(record.qualification is not None and record.qualification.qualified)


def use_corrected(key: str, record: CallRecord, its: Net) -> int:
    """The same after corrections of the call: `its` money has what was reversed and what was charged late.

    A call that was reversed as a whole does not count as qualified any more; a call that is charged late does.
    """
    kind, owner, measured = key.split(":")[:3]
    if kind == "destination" and record.winner != owner:
        return use(key, record)
    if measured == "amount" and record.money is not None:
        return _moved(kind, key, record, its.price, its.payout)
    if measured == "qualified":
        return int((use(key, record) or its.charged) and not its.is_reversed)
    return use(key, record)


def _moved(kind: str, key: str, record: CallRecord, price: int, payout: int) -> int:
    """The amount that counts: for a publisher's cap what it earns, for every other cap what the advertiser pays."""
    if record.money is None or record.money.currency != key.rpartition(":")[2]:
        return 0
    return payout if kind == "publisher" else price


# Which counters there are


@dataclass(frozen=True, slots=True)
class Rule:
    """A cap in force that counts ended calls: its counter's key, its owner, and its periods."""

    key: str
    owner: str
    per: Per
    timezone: str

    def period_of(self, record: CallRecord) -> Period:
        """The period that a call counts in: the one it was offered in."""
        return period(self.per, record.offered_at or record.started_at, self.timezone)

    def start_for(self, record: CallRecord, reserved_in: int) -> int:
        """The beginning (ms) of the period in which a call counts that reserved in the period begun at `reserved_in`.

        It is the same period, unless the owner's time zone was changed since.
        """
        is_one = period(self.per, reserved_in, self.timezone).start == reserved_in
        return reserved_in if is_one else self.period_of(record).start


def rules(marketplace: Marketplace) -> Iterator[Rule]:
    """The rules of the marketplace. A concurrent cap has none, because it counts no ended calls."""
    for whose in owners(marketplace):
        for cap in whose.caps:
            if cap.concurrent is None:
                owner_name = f"{whose.kind}:{whose.id}"
                yield Rule(key(whose, cap), owner_name, cap.per or "total", whose.timezone)


def owners_of(record: CallRecord) -> set[str]:
    """The owners, as rules name them, in whose caps the call may count; all destinations that were rung."""
    ids = (("advertiser", record.advertiser), ("campaign", record.campaign), ("publisher", record.publisher))
    rung = {record.winner, *(leg.destination for leg in record.legs)} - {None}
    return {f"destination:{name}" for name in rung} | {
        f"{kind}:{id_}" for kind, id_ in ids if id_ is not None
    }
