"""The transfers of a call: what is held at the award, and how its end resolves the hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.ledger.transfers import EXCHANGE, Transfer, advertiser_account, publisher_account

_HOLD, _REST = ":price:hold", ":price:rest"

BONUS = ":bonus "
"""The part of a transfer's key that marks a bonus which was decided after the call."""

HOLD_EXPIRES_MS = 24 * 3_600_000

CONVERSION_GRACE_MS = 24 * 3_600_000
"""Grace: a conversion made in time may be reported this long after the deadline."""


def awarded_at(record: CallRecord) -> int | None:
    """When the call was first awarded to an agent, in ms; None when no acceptance won."""
    wins = [leg.accepted_at for leg in record.legs if leg.accepted_at is not None and leg.lost_by_ms is None]
    return min(wins, default=None)


def settle(record: CallRecord, at: int) -> list[Transfer]:
    """The transfers of one ended call, by its verdict and its terms' money; `at` is the verdict's time.

    A call that was never awarded moves nothing, and an amount of zero makes no transfer. The hold of a price that
    can still become due stays open.
    """
    money, held_at = record.money, awarded_at(record)
    if money is None or held_at is None:
        return []
    transfers: list[Transfer] = []
    for due_part in _parts(record):
        transfers += _price(record, due_part, money.currency, held_at, at)
        if due_part.payout and due_part.is_payout_due:
            transfers.append(_payout(record, due_part, money.currency, at))
    return transfers


@dataclass(frozen=True, slots=True)
class _DuePart:
    """A part of a call's money that is held, charged and paid on its own: the call's, or a late bonus's.

    `reserved` is what is held for it, never less than its price.
    """

    name: str | None
    reserved: int
    price: int
    payout: int
    is_price_due: bool
    price_waits: bool
    is_payout_due: bool


def _parts(record: CallRecord) -> list[_DuePart]:
    """The call's own money, and that of each bonus that was not decided at its end."""
    money, verdict = record.money, record.qualification
    if money is None:
        return []
    if verdict is None:
        reserved = max(money.price, money.reserved or 0)
        return [_DuePart(None, reserved, money.price, money.payout, False, False, False)]
    price_due, payout_due = verdict.is_due("price"), verdict.is_due("payout")
    reserved = max(money.price, (money.reserved or 0) - sum(part.price for part in verdict.late))
    its_own = _DuePart(
        None, reserved, money.price, money.payout, price_due, verdict.waits("price"), payout_due
    )
    late = (
        _DuePart(
            part.name,
            part.price,
            part.price,
            part.payout,
            price_due and part.due,
            verdict.waits("price", part.name),
            payout_due and part.due,
        )
        for part in verdict.late
    )
    return [its_own, *late]


def due(record: CallRecord) -> tuple[int, int]:
    """What the advertiser must be charged and the publisher must be paid, by the record's verdict."""
    parts = _parts(record)
    return (
        sum(part.price for part in parts if part.is_price_due),
        sum(part.payout for part in parts if part.is_payout_due),
    )


def due_if_qualified(record: CallRecord) -> tuple[int, int]:
    """What would be due if every clause of the verdict had passed. Parts with own clauses keep their result."""
    verdict = record.qualification
    return due(replace(record, qualification=verdict and replace(verdict, qualified=True)))


def _price(record: CallRecord, part: _DuePart, currency: str, held_at: int, at: int) -> Iterator[Transfer]:
    """The transfers of a part's price: the hold, the release of its unused part, and what resolves the rest.

    A part that awaits a conversion keeps its rest held."""
    if not part.reserved:
        return
    account = advertiser_account(record.advertiser or "")
    hold = Transfer(
        key=hold_key(record.id, part.name),
        kind="hold",
        debit=account,
        credit=EXCHANGE,
        amount=part.reserved,
        currency=currency,
        at=held_at,
        call_id=record.id,
        terms_version=record.terms_version,
        reason="awarded",
    )
    yield hold
    rest = replace(hold, kind="void", at=at, resolves=hold.key)
    if not part.price:
        yield replace(rest, key=resolve_key(record.id, part.name), reason="it came to nothing")
        return
    if part.reserved > part.price:
        not_used = part.reserved - part.price
        yield replace(rest, key=rest_key(hold.key), amount=not_used, reason="more than it came to")
    if not part.price_waits:
        yield replace(
            rest,
            key=resolve_key(record.id, part.name),
            kind="post" if part.is_price_due else "void",
            amount=part.price,
            reason="qualified" if part.is_price_due else "not qualified",
        )


def _payout(record: CallRecord, part: _DuePart, currency: str, at: int) -> Transfer:
    return Transfer(
        key=payout_key(record.id, part.name),
        kind="post",
        debit=EXCHANGE,
        credit=publisher_account(record.publisher or ""),
        amount=part.payout,
        currency=currency,
        at=at,
        call_id=record.id,
        terms_version=record.terms_version,
        reason="qualified",
    )


def hold_key(call_id: str, bonus: str | None = None) -> str:
    """The key of the hold of a call's price, or of a late bonus's."""
    return f"{_key(call_id, bonus)}{_HOLD}"


def rest_key(hold: str) -> str:
    """The key of the transfer that releases the unused part of the hold with this key."""
    return f"{hold.removesuffix(_HOLD)}{_REST}"


def is_rest(transfer: Transfer) -> bool:
    """Whether the transfer only releases a part of a hold, and does not resolve it."""
    return transfer.key.endswith(_REST)


def resolve_key(call_id: str, bonus: str | None = None) -> str:
    """The key of the transfer that resolves this hold. A post and a void share it, so only one of them can exist."""
    return f"{_key(call_id, bonus)}:price:resolve"


def payout_key(call_id: str, bonus: str | None = None) -> str:
    """The key of a call's payout, or of a late bonus's."""
    return f"{_key(call_id, bonus)}:payout"


def _key(call_id: str, bonus: str | None) -> str:
    return f"call:{call_id}" if bonus is None else f"call:{call_id}:{bonus}"
