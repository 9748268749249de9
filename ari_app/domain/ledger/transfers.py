"""The ledger: money moves by transfers that are only ever added. Balances are derived.

A transfer takes `amount` from the account `debit` and gives it to `credit`. Accounts are
`advertiser:ID`, `publisher:ID`, `exchange` (us) and `world` (where deposits come from and payouts go).

A call's price moves in two phases: the most that it can cost is held at the award; what it did not come to is
released at its end, and the rest of the hold is resolved once, posted (the call qualified) or voided (it did not).
The payout follows a post. A call that waits for a conversion keeps that rest until one comes, or its time is over.
Nothing is edited afterwards: a correction is one more transfer, an `adjust`, with a reason, which takes the whole or a
part of another transfer back. What a publisher has earned leaves by a `payout`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ari_app.domain.calls.record import CallRecord

Kind = Literal["hold", "post", "void", "deposit", "adjust", "payout"]

EXCHANGE = "exchange"
WORLD = "world"
ADVERTISER = "advertiser:"
_HOLD, _REST = ":price:hold", ":price:rest"
BONUS = ":bonus "
"""What a transfer's key has where it is of a bonus that was decided late."""
HOLD_EXPIRES_MS = 24 * 3_600_000
CONVERSION_GRACE_MS = 24 * 3_600_000
"""How much later than a call waits for its conversion one is still taken that came in time."""


def advertiser_account(advertiser: str) -> str:
    """The account of an advertiser: what is left of its deposits, negative when it owes."""
    return f"{ADVERTISER}{advertiser}"


def publisher_account(publisher: str) -> str:
    """The account of a publisher: what it has earned."""
    return f"publisher:{publisher}"


@dataclass(frozen=True, slots=True)
class Transfer:
    """One movement. `key` is unique in the ledger, so that no movement happens twice.

    `amount` is positive, in the minor unit; `at` in ms. `resolves` is the key of the hold that a
    post or void ends, or of the transfer that an adjust takes back, in whole or in part.
    """

    key: str
    kind: Kind
    debit: str
    credit: str
    amount: int
    currency: str
    at: int
    call_id: str | None = None
    terms_version: int | None = None
    resolves: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Balance:
    """`posted` is what was moved; `held` is what open holds will add to it if they are posted."""

    posted: int = 0
    held: int = 0

    @property
    def available(self) -> int:
        """What may still be spent: nothing held for others, nothing counted before it is posted."""
        return self.posted + min(self.held, 0)


Balances = dict[tuple[str, str], Balance]
"""By (account, currency)."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an account's statement: a transfer, and the balance after it."""

    transfer: Transfer
    after: Balance


@dataclass(frozen=True, slots=True)
class Finding:
    """Something the ledger should not say. `about` is the key of a transfer, or a call's id."""

    rule: str
    about: str
    detail: str


# Making transfers


def deposit(key: str, advertiser: str, amount: int, currency: str, at: int, reason: str = "") -> Transfer:
    """Money that an advertiser paid in. `key` names the payment, so that it counts once."""
    account = advertiser_account(advertiser)
    return Transfer(f"deposit:{key}", "deposit", WORLD, account, amount, currency, at, reason=reason)


def payout(run: str, publisher: str, amount: int, currency: str, at: int) -> Transfer:
    """Earnings that a payout run pays to a publisher. `run` is its key, so that it pays once."""
    account = publisher_account(publisher)
    return Transfer(
        f"payout:{run}:{publisher}",
        "payout",
        account,
        WORLD,
        amount,
        currency,
        at,
        reason=f"payout run {run}",
    )


def reversal(wrong: Transfer, at: int, reason: str) -> Transfer:
    """The transfer that takes the whole of `wrong` back, and says why. Raises as `take_back`."""
    return take_back(wrong, f"{wrong.key}:reversal", wrong.amount, at, reason)


def take_back(wrong: Transfer, key: str, amount: int, at: int, reason: str) -> Transfer:
    """The transfer that takes `amount` of `wrong` back, and says why.

    All that is taken back of one transfer is never more than it moved: a trigger of the database sees to
    it. Raises ValueError for a hold or a void, which moved nothing, and when no reason is given.
    """
    if wrong.kind in ("hold", "void"):
        raise ValueError(f"{wrong.key} is a {wrong.kind}: it moved nothing that could be taken back")
    if not reason.strip():
        raise ValueError(f"taking {wrong.key} back needs a reason")
    return Transfer(
        key=key,
        kind="adjust",
        debit=wrong.credit,
        credit=wrong.debit,
        amount=amount,
        currency=wrong.currency,
        at=at,
        call_id=wrong.call_id,
        terms_version=wrong.terms_version,
        resolves=wrong.key,
        reason=reason,
    )


def awarded_at(record: CallRecord) -> int | None:
    """When the call was first awarded to an agent, in ms; None when no acceptance won."""
    wins = [leg.accepted_at for leg in record.legs if leg.accepted_at is not None and leg.lost_by_ms is None]
    return min(wins, default=None)


def settle(record: CallRecord, at: int) -> list[Transfer]:
    """What one ended call moves, given its verdict and its terms' money; `at` is the verdict's time.

    A call that was never awarded moves nothing, and an amount of zero makes no transfer. The hold of a price that
    may yet be due does not end.
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
    """What the advertiser is to be charged and the publisher to be paid, by the record's verdict."""
    parts = _parts(record)
    return (
        sum(part.price for part in parts if part.is_price_due),
        sum(part.payout for part in parts if part.is_payout_due),
    )


def due_if_qualified(record: CallRecord) -> tuple[int, int]:
    """What would be due had every clause of the verdict passed: the parts that have clauses of their own stand."""
    verdict = record.qualification
    return due(replace(record, qualification=verdict and replace(verdict, qualified=True)))


def _price(record: CallRecord, part: _DuePart, currency: str, held_at: int, at: int) -> Iterator[Transfer]:
    """The hold of a part's price, what is released of it at the call's end, and what ends it unless that waits."""
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
    """The key of what releases the part of the hold with this key that the call did not come to."""
    return f"{hold.removesuffix(_HOLD)}{_REST}"


def is_rest(transfer: Transfer) -> bool:
    """Whether the transfer releases a part of a hold, and does not end it."""
    return transfer.key.endswith(_REST)


def resolve_key(call_id: str, bonus: str | None = None) -> str:
    """The key of what ends that hold. A post and a void share it: there is only ever one."""
    return f"{_key(call_id, bonus)}:price:resolve"


def payout_key(call_id: str, bonus: str | None = None) -> str:
    """The key of a call's payout, or of a late bonus's."""
    return f"{_key(call_id, bonus)}:payout"


def _key(call_id: str, bonus: str | None) -> str:
    return f"call:{call_id}" if bonus is None else f"call:{call_id}:{bonus}"


def charged_and_paid(transfers: Iterable[Transfer]) -> tuple[int, int]:
    """What the transfers of one call charged the advertiser and paid the publisher, uncorrected."""
    posts = [transfer for transfer in transfers if transfer.kind == "post"]
    charged = sum(post.amount for post in posts if post.resolves is not None)
    return charged, sum(post.amount for post in posts if post.resolves is None)


# Balances


def effect(transfer: Transfer) -> Balance:
    """What the transfer adds to its credit's balance, and takes from its debit's."""
    if transfer.kind == "hold":
        return Balance(held=transfer.amount)
    if transfer.kind == "void":
        return Balance(held=-transfer.amount)
    return Balance(transfer.amount, -transfer.amount if _ends_a_hold(transfer) else 0)


def balances(transfers: Iterable[Transfer]) -> Balances:
    """Every account's balance, in each currency it has seen."""
    posted: Counter[tuple[str, str]] = Counter()
    held: Counter[tuple[str, str]] = Counter()
    for transfer in transfers:
        moved = effect(transfer)
        for account, sign in ((transfer.credit, 1), (transfer.debit, -1)):
            posted[account, transfer.currency] += sign * moved.posted
            held[account, transfer.currency] += sign * moved.held
    return {account: Balance(posted[account], held[account]) for account in posted}


def statement(account: str, transfers: Iterable[Transfer]) -> list[Line]:
    """The account's transfers in order of time, each with the balance it leaves in its currency.

    Those of one moment stay in the order given.
    """
    lines = []
    after: defaultdict[str, Balance] = defaultdict(Balance)
    for transfer in sorted(transfers, key=lambda transfer: transfer.at):
        if account not in (transfer.debit, transfer.credit):
            continue
        sign = 1 if account == transfer.credit else -1
        moved, before = effect(transfer), after[transfer.currency]
        after[transfer.currency] = Balance(
            before.posted + sign * moved.posted, before.held + sign * moved.held
        )
        lines.append(Line(transfer, after[transfer.currency]))
    return lines


def _ends_a_hold(transfer: Transfer) -> bool:
    return transfer.kind in ("post", "void") and transfer.resolves is not None


# Verification


def verify(transfers: Sequence[Transfer], calls: Iterable[CallRecord], now: int) -> list[Finding]:
    """Everything that is wrong with the ledger and the calls it speaks of; an empty list proves them.

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
    findings += _check_taken_back(transfers, by_key)
    findings += _check_payouts(transfers)
    for call in by_id.values():
        findings += _check_settled(call, of_call[call.id])
    return findings


def verify_kept(transfers: Iterable[Transfer], kept: Balances) -> list[Finding]:
    """Where a balance that is kept at hand is not what the transfers add up to."""
    summed = balances(transfers)
    return [
        Finding(
            "kept balances are the transfers' sums",
            f"{account} {currency}",
            f"kept {kept.get((account, currency), Balance())}, the sum is {summed.get((account, currency), Balance())}",
        )
        for account, currency in sorted({*summed, *kept})
        if kept.get((account, currency), Balance()) != summed.get((account, currency), Balance())
    ]


def _check_keys(transfers: Iterable[Transfer]) -> list[Finding]:
    counts = Counter(transfer.key for transfer in transfers)
    return [
        Finding("keys are unique", key, f"{count} transfers have this key")
        for key, count in counts.items()
        if count > 1
    ]


def _check_form(transfer: Transfer) -> list[Finding]:
    findings = []
    if transfer.amount <= 0:
        findings.append(Finding("amounts are positive", transfer.key, f"the amount is {transfer.amount}"))
    if transfer.debit == transfer.credit:
        findings.append(
            Finding("accounts differ", transfer.key, f"{transfer.debit} is both debit and credit")
        )
    if transfer.kind == "adjust" and not transfer.reason.strip():
        findings.append(Finding("an adjustment has a reason", transfer.key, "no reason is given"))
    if transfer.kind == "void" and transfer.resolves is None:
        findings.append(Finding("a void ends a hold", transfer.key, "it names no hold"))
    if transfer.kind == "payout" and transfer.credit != WORLD:
        findings.append(
            Finding("a payout leaves the exchange", transfer.key, f"it went to {transfer.credit}")
        )
    return findings


def _check_resolved(transfer: Transfer, by_key: Mapping[str, Transfer]) -> list[Finding]:
    """What a transfer resolves or reverses exists, and is between the same accounts; a hold ends whole, in all."""
    if transfer.resolves is None:
        return []
    rule = "what is resolved or reversed exists and agrees"
    other = by_key.get(transfer.resolves)
    if other is None:
        return [Finding(rule, transfer.key, f"there is no transfer {transfer.resolves}")]
    reverses = transfer.kind == "adjust"
    if reverses is (other.kind in ("hold", "void")):
        wanted = "a movement" if reverses else "a hold"
        return [Finding(rule, transfer.key, f"{other.key} is a {other.kind}, not {wanted}")]
    accounts = (other.credit, other.debit) if reverses else (other.debit, other.credit)
    rest = by_key.get(rest_key(other.key))
    of_hold = transfer.amount if is_rest(transfer) else other.amount - (rest.amount if rest else 0)
    amount = transfer.amount if reverses else of_hold  # of what was moved, a part may be taken back
    if (transfer.amount, transfer.currency, transfer.debit, transfer.credit) != (
        amount,
        other.currency,
        *accounts,
    ):
        detail = f"{_money(transfer)} does not match {_money(other)} of {other.key}"
        return [Finding(rule, transfer.key, detail)]
    return []


def _money(transfer: Transfer) -> str:
    return f"{transfer.amount} {transfer.currency} from {transfer.debit} to {transfer.credit}"


def _check_call(transfer: Transfer, by_id: Mapping[str, CallRecord]) -> list[Finding]:
    """The call that a transfer names is there, and has the same terms and accounts."""
    if transfer.call_id is None:
        return []
    call = by_id.get(transfer.call_id)
    if call is None:
        return [Finding("a transfer's call exists", transfer.key, f"there is no call {transfer.call_id}")]
    findings = []
    if transfer.terms_version != call.terms_version:
        detail = f"terms version {transfer.terms_version}, but the call's is {call.terms_version}"
        findings.append(Finding("terms agree", transfer.key, detail))
    parties = {
        EXCHANGE,
        advertiser_account(call.advertiser or ""),
        publisher_account(call.publisher or ""),
    }
    for account in {transfer.debit, transfer.credit} - parties:
        findings.append(Finding("accounts agree", transfer.key, f"{account} is no party to the call"))
    return findings


def _check_holds(transfers: Iterable[Transfer], by_id: Mapping[str, CallRecord], now: int) -> list[Finding]:
    """Every hold ends once, or is younger than its expiry; that of a call that waits has time until after that."""
    ends = Counter(t.resolves for t in transfers if _ends_a_hold(t) and not is_rest(t))
    findings = []
    for hold in (transfer for transfer in transfers if transfer.kind == "hold"):
        count = ends[hold.key]
        if count > 1:
            findings.append(Finding("a hold ends once", hold.key, f"{count} transfers resolve it"))
        elif count == 0 and now >= _expiry(hold, by_id.get(hold.call_id or "")):
            call = by_id.get(hold.call_id or "")
            detail = f"open for {(now - hold.at) // 3_600_000} hours"
            if call is not None and call.waits_until is not None:
                detail += ": no conversion is waited for any more; run `callrace daily`"
            findings.append(Finding("holds are resolved in time", hold.key, detail))
    return findings


def _expiry(hold: Transfer, call: CallRecord | None) -> int:
    waits_until = call.waits_until if call else None
    return HOLD_EXPIRES_MS + (hold.at if waits_until is None else waits_until + CONVERSION_GRACE_MS)


def _check_taken_back(transfers: Iterable[Transfer], by_key: Mapping[str, Transfer]) -> list[Finding]:
    """All that is taken back of a transfer is at most what it moved."""
    taken: Counter[str] = Counter()
    for transfer in transfers:
        if transfer.kind == "adjust" and transfer.resolves is not None and transfer.resolves in by_key:
            taken[transfer.resolves] += transfer.amount
    return [
        Finding("no more is taken back than was moved", key, f"{amount} of {by_key[key].amount}")
        for key, amount in taken.items()
        if amount > by_key[key].amount
    ]


def _check_payouts(transfers: Iterable[Transfer]) -> list[Finding]:
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
            findings.append(Finding("a payout pays what was earned", transfer.key, detail))
    return findings


def _check_settled(call: CallRecord, transfers: Sequence[Transfer]) -> list[Finding]:
    """The call's verdict, what it says was charged and paid, and its transfers tell one story."""
    findings = []
    moved = charged_and_paid(transfers)
    said = (call.money.charged, call.money.paid) if call.money else (0, 0)
    if moved != said:
        detail = f"the record says charged {said[0]}, paid {said[1]}; the ledger {moved[0]}, {moved[1]}"
        findings.append(Finding("the record and the ledger agree", call.id, detail))
    owed = due(call)
    if moved != owed:
        qualified = call.qualification is not None and call.qualification.qualified
        verdict = "qualified" if qualified else "not qualified"
        detail = f"{verdict}, so {owed[0]} and {owed[1]} are due; the ledger moved {moved[0]}, {moved[1]}"
        findings.append(Finding("a call moves what its verdict says", call.id, detail))
    most = call.money.reserved if call.money else None
    if most is not None and moved[0] > most:
        detail = f"{moved[0]} was charged, and {most} reserved"
        findings.append(Finding("no call costs more than was reserved for it", call.id, detail))
    findings += _check_late(call, transfers)
    is_held = any(transfer.kind == "hold" for transfer in transfers)
    if is_held and awarded_at(call) is None:
        findings.append(Finding("only an awarded call holds money", call.id, "it was never awarded"))
    return findings


def _check_late(call: CallRecord, transfers: Iterable[Transfer]) -> list[Finding]:
    """What is charged or paid after the verdict is the terms' money, of a call that moved none by it."""
    qualified = call.qualification is not None and call.qualification.qualified
    price, payout_due = due_if_qualified(call)
    findings = []
    for transfer in transfers:
        if transfer.kind == "adjust" and transfer.resolves is None:
            wanted = price if transfer.credit == EXCHANGE else payout_due
            if qualified or transfer.amount != wanted:
                detail = f"{transfer.amount} was moved by {transfer.key}; the terms say {wanted}, once"
                findings.append(Finding("a call judged again moves what its terms say", call.id, detail))
    return findings
