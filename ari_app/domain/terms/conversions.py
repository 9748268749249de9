"""Conversions: the advertiser reports which calls became sales, and calls that await a conversion are decided.

A call that awaits a conversion was judged at its end; all but the conversion is decided. So its verdict is completed,
not made again: the open clauses pass if the conversion came within their time, else they fail.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Literal, NamedTuple

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from ari_app.domain.basics import csvimport
from ari_app.domain.basics.clock import from_iso, iso
from ari_app.domain.basics.fields import Text
from ari_app.domain.calls.record import (
    CallRecord,
    ClauseResult,
    Conversion,
    Part,
    ShareOfPrice,
    TimelineEvent,
    Verdict,
)
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.ledger.calls import CONVERSION_GRACE_MS, due, settle
from ari_app.domain.ledger.transfers import Transfer
from ari_app.domain.terms.pricing import of_price
from ari_app.domain.terms.settlement import in_words

COLUMNS = ("call", "at", "ref")
CLOCK_SKEW_MS = 5 * 60_000
"""How far the reporter's clock may be ahead of ours. A conversion further in the future is refused."""
_REF = TypeAdapter[str](Text)


@dataclass(frozen=True, slots=True)
class Told:
    """What the advertiser reports: a call's id, when the call became a sale (ms), the sale's own name or None."""

    call_id: str
    at: int
    ref: str | None


Became = Literal["decided", "noted", "known"]


class Converted(NamedTuple):
    """The effect of a conversion: it decided a call that awaited it, was only noted, or was known before."""

    record: CallRecord
    became: Became


def parse(text: str, file: str) -> list[Told]:
    """The conversions of a CSV text with the columns call, at and ref, in any order; `ref` may be empty.

    Raises DocumentError, with the line of each mistake; then none of it is used.
    """
    found: dict[str, Told] = {}
    csvimport.read(text, file, COLUMNS, partial(_take, found))
    return list(found.values())


def _take(found: dict[str, Told], values: dict[str, str]) -> Iterator[str]:
    """Adds the row's conversion; or says what is wrong with it."""
    call_id, ref = values["call"], values["ref"] or None
    if not call_id or not call_id.isprintable():
        yield f"call: expected a call's id, got {call_id!a}"
    if call_id in found:
        yield f"call: {call_id!a} is in this file twice"
    try:
        at = from_iso(values["at"])
        found[call_id] = Told(call_id, at, ref and _REF.validate_python(ref))
    except ValidationError as error:
        yield f"ref: {error.errors()[0]['ctx']['error']}, got {ref!a}"
    except ValueError:
        yield f"at: expected a time such as 2026-11-23T10:00-05:00, got {values['at']!a}"


def is_overdue(record: CallRecord, now: int) -> bool:
    """Whether the call's time for a conversion is over, with the grace for late reports, and none was reported."""
    until = record.waits_until
    return until is not None and now >= until + CONVERSION_GRACE_MS


def note(record: CallRecord, conversion: Conversion) -> None:
    """Notes in the record that the call was converted, whatever follows from it."""
    record.conversion = conversion
    ref = f" ({conversion.ref})" if conversion.ref else ""
    record.events.append(
        TimelineEvent(conversion.told_at, EventName.CONVERTED, f"at {iso(conversion.at)}{ref}")
    )


def decide(record: CallRecord, now: int) -> list[Transfer]:
    """Completes the verdict of a call that awaits a conversion, by its conversion or for lack of one.

    Returns all transfers of the call so far. They are those of `ledger.settle`, so what moved at its end is among them,
    under the same keys.
    """
    verdict = record.qualification
    assert verdict is not None, "a call that waits was judged"
    record.qualification = _decided(verdict, record.conversion)
    if record.money is not None:
        _share_together(record.money.price, record.qualification.late)
        record.money.charged, record.money.paid = due(record)
    record.events.append(TimelineEvent(now, EventName.JUDGED, in_words(record)))
    return settle(record, now)


def _share_together(price: int, bonuses: Iterable[Part]) -> None:
    """Late bonuses that are due together add as much to the payout as if they had been known at the end of the call.

    `price` is what they are added to. The first bonus adds what it would alone; each other adds the difference that it
    makes to the sum.
    """
    so_far = price
    for bonus in bonuses:
        if bonus.due and bonus.share is not None:
            alone = _added(bonus.share, price, bonus.price)
            bonus.payout += _added(bonus.share, so_far, bonus.price) - alone
            so_far += bonus.price


def _added(share: ShareOfPrice, price: int, more: int) -> int:
    return of_price(share, price + more) - of_price(share, price)


def _decided(verdict: Verdict, conversion: Conversion | None) -> Verdict:
    clauses = _clauses(verdict.clauses, conversion)
    parts = []
    for part in verdict.parts:
        own = _clauses(part.clauses, conversion)
        parts.append(replace(part, due=all(clause.passed for clause in own), clauses=own))
    return Verdict(all(clause.passed for clause in clauses), clauses, parts)


def _clauses(clauses: Iterable[ClauseResult], conversion: Conversion | None) -> list[ClauseResult]:
    return [clause if clause.waits_until is None else _clause(clause, conversion) for clause in clauses]


def _clause(clause: ClauseResult, conversion: Conversion | None) -> ClauseResult:
    assert clause.waits_until is not None
    until = f"the time until {iso(clause.waits_until)}"
    if conversion is None:
        return ClauseResult(clause.name, False, f"no conversion came in {until}")
    said = f"converted at {iso(conversion.at)}"
    if conversion.told_at >= clause.waits_until + CONVERSION_GRACE_MS:
        return ClauseResult(clause.name, False, f"{said}, which was told more than a day after {until}")
    is_in_time = conversion.at <= clause.waits_until
    return ClauseResult(clause.name, is_in_time, f"{said}, {'in' if is_in_time else 'later than'} {until}")
