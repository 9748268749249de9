"""A call that failed only as a repeat is judged again when the call that it repeated is reversed.

A call whose whole charge was reversed does not count as the earlier call of a repeat. If a later call of the same
caller failed for no other reason, it is charged and paid after all, by transfers that say why. Its record stays
as it was judged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ari_app.domain.calls.record import CallRecord, ClauseResult
from ari_app.domain.ledger.calls import due_if_qualified
from ari_app.domain.ledger.transfers import EXCHANGE, Transfer, advertiser_account, publisher_account

REPEAT_CLAUSE = "no_repeat_within"


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier call of the same caller that a repeat clause counts; `connected_at` in ms."""

    call_id: str
    connected_at: int
    is_reversed: bool


def was_only_a_repeat(record: CallRecord) -> bool:
    """Whether the call met all of its terms except that it repeats an earlier call.

    False for a call that would have earned a bonus: its record does not say how much that is.
    """
    parts = record.qualification.parts if record.qualification else []
    has_bonus = any(part.due and part.name.startswith("bonus ") for part in parts)
    return not has_bonus and {clause.name for clause in _failed(record)} == {REPEAT_CLAUSE}


def no_repeat_after_all(record: CallRecord, earlier: Iterable[tuple[int, Iterable[Earlier]]]) -> str | None:
    """Why a call that failed only as a repeat is no repeat any more; None: it still is one.

    `earlier` has the window (ms) of each repeat clause, and the calls that the clause counts. All calls that the
    verdict names must be reversed, and so must every other call within a window.
    """
    said = " ".join(clause.detail for clause in _failed(record))
    counted = [(call, window_ms) for window_ms, its in earlier for call in its]
    named = [call for call, _ in counted if call.call_id in said]
    within = [call for call, window_ms in counted if record.started_at - call.connected_at < window_ms]
    if not named or not all(call.is_reversed for call in (*named, *within)):
        return None
    last = max(named, key=lambda call: call.connected_at)
    return f"call {last.call_id} was taken back, so this call is no repeat of it"


def late_transfers(record: CallRecord, at: int, reason: str) -> list[Transfer]:
    """The charge and the payout of a call that qualifies after its verdict; a call has them once."""
    money = record.money
    if money is None:
        return []
    charged, paid = due_if_qualified(record)
    sides = (
        ("price", charged, advertiser_account(record.advertiser or ""), EXCHANGE),
        ("payout", paid, EXCHANGE, publisher_account(record.publisher or "")),
    )
    return [
        Transfer(
            key=f"call:{record.id}:{name}:late",
            kind="adjust",
            debit=debit,
            credit=credit,
            amount=amount,
            currency=money.currency,
            at=at,
            call_id=record.id,
            terms_version=record.terms_version,
            reason=reason,
        )
        for name, amount, debit, credit in sides
        if amount
    ]


def _failed(record: CallRecord) -> list[ClauseResult]:
    verdict = record.qualification
    return [clause for clause in verdict.clauses if not clause.passed] if verdict else []
