"""Checks that the ledger is in order: every transfer's form, every hold's end, every call's money."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.ledger.balances import Balance, Balances, balances, charged_and_paid, effect, ends_a_hold
from ari_app.domain.ledger.calls import (
    CONVERSION_GRACE_MS,
    HOLD_EXPIRES_MS,
    awarded_at,
    due,
    due_if_qualified,
    is_rest,
    rest_key,
)
from ari_app.domain.ledger.transfers import (
    EXCHANGE,
    WORLD,
    Transfer,
    advertiser_account,
    publisher_account,
)

Cure = Literal["daily", "rebuild"]
"""The day's chores, done; the reports, counted again from the calls."""


@dataclass(frozen=True, slots=True)
class LedgerFinding:
    """Something the ledger should not say. `about` is the key of a transfer, or a call's id.

    `cure`: what puts it right, where something of ours does.
    """

    rule: str
    about: str
    detail: str
    cure: Cure | None = None


class Proof(NamedTuple):
    """How many transfers were looked at, and everything that is wrong: nothing, when the ledger is in order."""

    transfers: int
    findings: list[LedgerFinding]


def verify(transfers: Sequence[Transfer], calls: Iterable[CallRecord], now: int) -> list[LedgerFinding]:
    """Everything that is wrong with the ledger and with the calls in it. An empty list: both are in order.

    `calls` are all calls of the ledger's time; their legs tell whether they were awarded.
    """
    by_key = {transfer.key: transfer for transfer in transfers}
    by_id = {call.id: call for call in calls}
    of_call: defaultdict[str, list[Transfer]] = defaultdict(list)
    for transfer in transfers:
        if transfer.call_id is not None:
            of_call[transfer.call_id].append(transfer)
    findings = _check_keys(transfers)
    for transfer in transfers:
        findings += _check_form(transfer)
        findings += _check_resolved(transfer, by_key)
        findings += _check_call(transfer, by_id)
    findings += _check_holds(transfers, by_id, now)
    findings += _check_reversed(transfers, by_key)
    findings += _check_payouts(transfers)
    for call in by_id.values():
        findings += _check_settled(call, of_call[call.id])
    return findings


def verify_kept(transfers: Iterable[Transfer], kept: Balances) -> list[LedgerFinding]:
    """Where a balance that is kept at hand is not what the transfers add up to."""
    summed = balances(transfers)
    return [
        LedgerFinding(
            "kept balances are the transfers' sums",
            f"{account} {currency}",
            f"kept {kept.get((account, currency), Balance())}, the sum is {summed.get((account, currency), Balance())}",
        )
        for account, currency in sorted({*summed, *kept})
        if kept.get((account, currency), Balance()) != summed.get((account, currency), Balance())
    ]


def _check_keys(transfers: Iterable[Transfer]) -> list[LedgerFinding]:
    counts = Counter(transfer.key for transfer in transfers)
    return [
        LedgerFinding("keys are unique", key, f"{count} transfers have this key")
        for key, count in counts.items()
        if count > 1
    ]


def _check_form(transfer: Transfer) -> list[LedgerFinding]:
    findings = []
    if transfer.amount <= 0:
        findings.append(
            LedgerFinding("amounts are positive", transfer.key, f"the amount is {transfer.amount}")
        )
    if transfer.debit == transfer.credit:
        findings.append(
            LedgerFinding("accounts differ", transfer.key, f"{transfer.debit} is both debit and credit")
        )
    if transfer.kind == "adjust" and not transfer.reason.strip():
        findings.append(LedgerFinding("an adjustment has a reason", transfer.key, "no reason is given"))
    if transfer.kind == "void" and transfer.resolves is None:
        findings.append(LedgerFinding("a void ends a hold", transfer.key, "it names no hold"))
    if transfer.kind == "payout" and transfer.credit != WORLD:
        findings.append(
            LedgerFinding("a payout leaves the exchange", transfer.key, f"it went to {transfer.credit}")
        )
    return findings


def _check_resolved(transfer: Transfer, by_key: Mapping[str, Transfer]) -> list[LedgerFinding]:
    """What a transfer resolves or reverses exists, with the same accounts; all of a hold is resolved or released."""
    if transfer.resolves is None:
        return []
    rule = "what is resolved or reversed exists and agrees"
    other = by_key.get(transfer.resolves)
    if other is None:
        return [LedgerFinding(rule, transfer.key, f"there is no transfer {transfer.resolves}")]
    reverses = transfer.kind == "adjust"
    if reverses is (other.kind in ("hold", "void")):
        wanted = "a movement" if reverses else "a hold"
        return [LedgerFinding(rule, transfer.key, f"{other.key} is a {other.kind}, not {wanted}")]
    accounts = (other.credit, other.debit) if reverses else (other.debit, other.credit)
    rest = by_key.get(rest_key(other.key))
    of_hold = transfer.amount if is_rest(transfer) else other.amount - (rest.amount if rest else 0)
    amount = transfer.amount if reverses else of_hold  # a part of what was moved may be reversed
    if (transfer.amount, transfer.currency, transfer.debit, transfer.credit) != (
        amount,
        other.currency,
        *accounts,
    ):
        detail = f"{_money(transfer)} does not match {_money(other)} of {other.key}"
        return [LedgerFinding(rule, transfer.key, detail)]
    return []


def _money(transfer: Transfer) -> str:
    return f"{transfer.amount} {transfer.currency} from {transfer.debit} to {transfer.credit}"


def _check_call(transfer: Transfer, by_id: Mapping[str, CallRecord]) -> list[LedgerFinding]:
    """The call that a transfer names is there, and has the same terms and accounts."""
    if transfer.call_id is None:
        return []
    call = by_id.get(transfer.call_id)
    if call is None:
        return [
            LedgerFinding("a transfer's call exists", transfer.key, f"there is no call {transfer.call_id}")
        ]
    findings = []
    if transfer.terms_version != call.terms_version:
        detail = f"terms version {transfer.terms_version}, but the call's is {call.terms_version}"
        findings.append(LedgerFinding("terms agree", transfer.key, detail))
    parties = {
        EXCHANGE,
        advertiser_account(call.advertiser or ""),
        publisher_account(call.publisher or ""),
    }
    for account in {transfer.debit, transfer.credit} - parties:
        findings.append(LedgerFinding("accounts agree", transfer.key, f"{account} is no party to the call"))
    return findings


def _check_holds(
    transfers: Iterable[Transfer], by_id: Mapping[str, CallRecord], now: int
) -> list[LedgerFinding]:
    """Every hold is resolved once, or is younger than its expiry, which comes after any conversion's deadline."""
    ends = Counter(t.resolves for t in transfers if ends_a_hold(t) and not is_rest(t))
    findings = []
    for hold in (transfer for transfer in transfers if transfer.kind == "hold"):
        count = ends[hold.key]
        if count > 1:
            findings.append(LedgerFinding("a hold ends once", hold.key, f"{count} transfers resolve it"))
        elif count == 0 and now >= _expiry(hold, by_id.get(hold.call_id or "")):
            call = by_id.get(hold.call_id or "")
            detail = f"open for {(now - hold.at) // 3_600_000} hours"
            cure: Cure | None = None
            if call is not None and call.waits_until is not None:
                detail, cure = f"{detail}: no conversion is waited for any more", "daily"
            findings.append(LedgerFinding("holds are resolved in time", hold.key, detail, cure))
    return findings


def _expiry(hold: Transfer, call: CallRecord | None) -> int:
    waits_until = call.waits_until if call else None
    return HOLD_EXPIRES_MS + (hold.at if waits_until is None else waits_until + CONVERSION_GRACE_MS)


def _check_reversed(transfers: Iterable[Transfer], by_key: Mapping[str, Transfer]) -> list[LedgerFinding]:
    """The reversals of a transfer are together at most what it moved."""
    taken: Counter[str] = Counter()
    for transfer in transfers:
        if transfer.kind == "adjust" and transfer.resolves is not None and transfer.resolves in by_key:
            taken[transfer.resolves] += transfer.amount
    return [
        LedgerFinding("no more is taken back than was moved", key, f"{amount} of {by_key[key].amount}")
        for key, amount in taken.items()
        if amount > by_key[key].amount
    ]


def _check_payouts(transfers: Iterable[Transfer]) -> list[LedgerFinding]:
    """No payout is more than its publisher had at that moment."""
    findings = []
    posted: Counter[tuple[str, str]] = Counter()
    for transfer in transfers:
        moved = effect(transfer).posted
        posted[transfer.debit, transfer.currency] -= moved
        posted[transfer.credit, transfer.currency] += moved
        left = posted[transfer.debit, transfer.currency]
        if transfer.kind == "payout" and left < 0:
            detail = f"{transfer.debit} had {left + transfer.amount}, and was paid {transfer.amount}"
            findings.append(LedgerFinding("a payout pays what was earned", transfer.key, detail))
    return findings


def _check_settled(call: CallRecord, transfers: Sequence[Transfer]) -> list[LedgerFinding]:
    """The call's verdict, what its record says was charged and paid, and its transfers agree."""
    findings = []
    moved = charged_and_paid(transfers)
    said = (call.money.charged, call.money.paid) if call.money else (0, 0)
    if moved != said:
        detail = f"the record says charged {said[0]}, paid {said[1]}; the ledger {moved[0]}, {moved[1]}"
        findings.append(LedgerFinding("the record and the ledger agree", call.id, detail))
    owed = due(call)
    if moved != owed:
        qualified = call.qualification is not None and call.qualification.qualified
        verdict = "qualified" if qualified else "not qualified"
        detail = f"{verdict}, so {owed[0]} and {owed[1]} are due; the ledger moved {moved[0]}, {moved[1]}"
        findings.append(LedgerFinding("a call moves what its verdict says", call.id, detail))
    most = call.money.reserved if call.money else None
    if most is not None and moved[0] > most:
        detail = f"{moved[0]} was charged, and {most} reserved"
        findings.append(LedgerFinding("no call costs more than was reserved for it", call.id, detail))
    findings += _check_late(call, transfers)
    is_held = any(transfer.kind == "hold" for transfer in transfers)
    if is_held and awarded_at(call) is None:
        findings.append(LedgerFinding("only an awarded call holds money", call.id, "it was never awarded"))
    return findings


def _check_late(call: CallRecord, transfers: Iterable[Transfer]) -> list[LedgerFinding]:
    """What is charged or paid after the verdict is what the terms say, for a call that moved nothing by its verdict."""
    qualified = call.qualification is not None and call.qualification.qualified
    price, payout_due = due_if_qualified(call)
    findings = []
    for transfer in transfers:
        if transfer.kind == "adjust" and transfer.resolves is None:
            wanted = price if transfer.credit == EXCHANGE else payout_due
            if qualified or transfer.amount != wanted:
                detail = f"{transfer.amount} was moved by {transfer.key}; the terms say {wanted}, once"
                findings.append(
                    LedgerFinding("a call judged again moves what its terms say", call.id, detail)
                )
    return findings
