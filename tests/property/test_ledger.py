"""The ledger's rules hold after any order of everything that moves money, and repeats of each: deposits,
holds, posts, voids, reversals, calls, adjustments, disputes accepted in whole or in part or rejected,
payout runs, bills, conversions told and waited for in vain, and repeats that are judged again.

- In every currency the balances add up to zero, held and posted.
- A hold ends once: posted or voided, never both, never twice.
- Of a call no more is taken back than was charged and paid.
- No payout is more than its publisher has, and each earning is in one payout.
- A bill's closing balance is what is on the account's bills so far.
- Balances, as the database adds them up, are those of a model that never looks at the ledger.
- Verification finds nothing.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from ari_app.domain.calls.record import CallRecord, ClauseResult, Money, Verdict
from ari_app.domain.ledger.balances import Balances, balances
from ari_app.domain.ledger.bills import BillError, Party, period_of
from ari_app.domain.ledger.calls import awarded_at
from ari_app.domain.ledger.corrections import CannotCorrect, net
from ari_app.domain.ledger.disputes import DisputeError
from ari_app.domain.ledger.payouts import Run
from ari_app.domain.ledger.transfers import EXCHANGE, WORLD, Transfer, advertiser_account, deposit, reversal
from ari_app.domain.ledger.verification import verify
from ari_app.domain.terms.conversions import Told, is_overdue
from ari_app.store.calls import calls
from ari_app.store.db.engine import writing
from ari_app.store.db.errors import KeyTaken
from ari_app.store.db.tables import terms
from ari_app.store.ledger import ledger
from ari_app.store.money import audit, bills, conversions, disputes, payouts
from ari_app.store.money.corrections import adjust
from tests.kit.database import migrated
from tests.samples import BEGAN, make_call, settlement, unqualified, waiting, with_late_bonus

AMOUNTS = st.integers(0, 10_000)
CURRENCIES = st.sampled_from(["USD", "EUR"])
FEW = st.integers(1, 6)  # few enough that keys collide often
ADVERTISERS = st.sampled_from(["acme", "bolt"])
PARTS = st.sampled_from([0, 33, 100])  # per cent of what is there, so that what is asked often fits
NEVER = 2**60
HOUR_MS = 3_600_000
TERMS = {
    "campaign": "plumbing",
    "version": 1,
    "fingerprint": "f",
    "terms_json": '{"qualify": [{"no_repeat_within": "30d"}]}',
    "created_at": 1,
}


class LedgerMachine(RuleBasedStateMachine):
    """Drives the stored ledger and a model of it."""

    holds = Bundle("holds")
    moves = Bundle("moves")

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="callrace-ledger-"))
        self.engine = migrated(self.folder / "ledger.db")
        with writing(self.engine) as connection:
            connection.execute(insert(terms), TERMS)
        self.posted: Counter[tuple[str, str]] = Counter()
        self.held: Counter[tuple[str, str]] = Counter()
        self.deposits: dict[str, Transfer] = {}
        self.open_holds: set[str] = set()
        self.ended_holds: set[str] = set()
        self.reversed: set[str] = set()
        self.saved: set[str] = set()
        self.charged: dict[str, int] = {}  # by call: what the advertiser and the publisher stand at now
        self.paid: dict[str, int] = {}
        self.adjusted: dict[str, tuple[str, int, int]] = {}
        self.open_disputes: dict[str, int] = {}
        self.decided: set[int] = set()
        self.repeats: dict[
            str, CallRecord
        ] = {}  # by the call that they repeat: charged when it is taken back
        self.waiting: dict[str, tuple[CallRecord, int, int]] = {}  # for a conversion; what it then adds
        self.was_waiting: set[str] = set()
        self.repeated: set[str] = set()
        self.told: set[str] = set()
        self.runs = 0

    def teardown(self) -> None:
        self.engine.dispose()
        shutil.rmtree(self.folder)

    def move(self, counter: Counter[tuple[str, str]], transfer: Transfer, sign: int = 1) -> None:
        counter[transfer.debit, transfer.currency] -= sign * transfer.amount
        counter[transfer.credit, transfer.currency] += sign * transfer.amount

    @rule(target=moves, payment=FEW, advertiser=ADVERTISERS, amount=AMOUNTS, currency=CURRENCIES)
    def deposit(self, payment: int, advertiser: str, amount: int, currency: str) -> Transfer:
        paid_in = deposit(str(payment), advertiser, amount + 1, currency, at=BEGAN)
        before = self.deposits.get(paid_in.key)
        if before is None:
            assert ledger.post(self.engine, paid_in)
            self.deposits[paid_in.key] = paid_in
            self.move(self.posted, paid_in)
        elif before == paid_in:
            assert not ledger.post(self.engine, paid_in)
        else:
            with pytest.raises(KeyTaken):
                ledger.post(self.engine, paid_in)
        return self.deposits[paid_in.key]

    @rule(target=holds, n=FEW, advertiser=ADVERTISERS, amount=AMOUNTS)
    def hold(self, n: int, advertiser: str, amount: int) -> Transfer:
        key = f"hold-{n}-{advertiser}-{amount}"
        account = advertiser_account(advertiser)
        held = Transfer(key, "hold", account, EXCHANGE, amount + 1, "USD", at=BEGAN)
        is_new = key not in self.open_holds | self.ended_holds
        assert ledger.post(self.engine, held) is is_new
        if is_new:
            self.open_holds.add(key)
            self.move(self.held, held)
        return held

    @rule(target=moves, held=holds, kind=st.sampled_from(["post", "void"]), own_key=st.booleans())
    def resolve(self, held: Transfer, kind: str, own_key: bool) -> Transfer:
        key = f"{held.key}:{kind if own_key else 'resolve'}"
        end = replace(held, key=key, kind=kind, resolves=held.key)  # type: ignore[arg-type]
        if held.key in self.open_holds:
            assert ledger.post(self.engine, end)
            self.open_holds.remove(held.key)
            self.ended_holds.add(held.key)
            self.move(self.held, held, -1)
            if kind == "post":
                self.move(self.posted, held)
            return end
        there = ledger.find(self.engine, key)
        if there == end:
            assert not ledger.post(self.engine, end)
        else:
            with pytest.raises(IntegrityError if there is None else KeyTaken):
                ledger.post(self.engine, end)
        return held

    @rule(kind=st.sampled_from(["post", "void"]))
    def resolve_nothing(self, kind: str) -> None:
        account = advertiser_account("acme")
        end = Transfer("ghost", kind, account, EXCHANGE, 1, "USD", BEGAN, resolves="no such hold")  # type: ignore[arg-type]
        with pytest.raises(IntegrityError):
            ledger.post(self.engine, end)

    @rule(moved=moves)
    def reverse(self, moved: Transfer) -> None:
        if moved.kind in ("hold", "void"):
            with pytest.raises(ValueError, match="moved nothing"):
                reversal(moved, BEGAN, "a mistake")
            return
        is_new = moved.key not in self.reversed
        assert ledger.post(self.engine, reversal(moved, BEGAN, "a mistake")) is is_new
        if is_new:
            self.reversed.add(moved.key)
            self.move(self.posted, moved, -1)

    @rule(ns=st.lists(FEW, max_size=4), price=AMOUNTS, payout=AMOUNTS, how=st.sampled_from("qpu"))
    def save_calls(self, ns: list[int], price: int, payout: int, how: str) -> None:
        """Qualified, passed over by everybody, or unqualified; some again, some twice in a batch."""
        batch = [settlement(_call(n, price, payout, how)) for n in ns]
        calls.save(self.engine, batch)
        for record in {saved.record.id: saved.record for saved in batch}.values():
            if record.id not in self.saved and how == "q":
                self.posted[advertiser_account("acme"), "USD"] -= price
                self.posted[EXCHANGE, "USD"] += price - payout
                self.posted["publisher:homefix", "USD"] += payout
                self.charged[record.id], self.paid[record.id] = price, payout
            self.saved.add(record.id)

    @rule(n=FEW, price=AMOUNTS, payout=AMOUNTS, is_bonus=st.booleans())
    def save_waiting(self, n: int, price: int, payout: int, is_bonus: bool) -> None:
        """A call that waits for a conversion, or of which a bonus does: that price is held."""
        call = waiting(2000 + n, money=Money("USD", price, payout))
        if is_bonus:
            call = with_late_bonus(
                2000 + n, price, payout, money=Money("USD", 900, 600, charged=900, paid=600)
            )
        calls.save(self.engine, [settlement(call)])
        if call.id not in self.saved:
            self.waiting[call.id] = (call, price, payout)
            self.was_waiting.add(call.id)
            self.hold_price(price)
            if is_bonus:
                self.charged[call.id], self.paid[call.id] = 0, 0
                self.take_back(call.id, -900, -600)
        self.saved.add(call.id)

    def hold_price(self, price: int) -> None:
        self.held[advertiser_account("acme"), "USD"] -= price
        self.held[EXCHANGE, "USD"] += price

    @precondition(lambda self: self.was_waiting)
    @rule(data=st.data(), days=st.integers(0, 9))
    def convert(self, data: st.DataObject, days: int) -> None:
        """Once a call: in time, too late for its terms, or when waiting was given up."""
        call_id = data.draw(st.sampled_from(sorted(self.was_waiting)))
        if call_id in self.waiting and call_id in self.repeated and self.charged.get(call_id) == 0:
            return  # taken back, it would stand again before the repeats of its repeats: no case of this model
        at = (calls.get(self.engine, call_id).ended_at or 0) + days * 24 * HOUR_MS  # type: ignore[union-attr]
        [outcome] = conversions.tell(self.engine, [Told(call_id, at, None)], at)
        if call_id in self.told:
            assert outcome.became == "known"
            return
        self.told.add(call_id)
        assert outcome.became == ("decided" if call_id in self.waiting else "noted")
        if call_id in self.waiting:
            self.decide_waiting(call_id, is_paid=days <= 7)

    def decide_waiting(self, call_id: str, *, is_paid: bool) -> None:
        _, price, payout = self.waiting.pop(call_id)
        self.hold_price(-price)
        if is_paid:
            self.charged.setdefault(call_id, 0)
            self.paid.setdefault(call_id, 0)
            self.take_back(call_id, -price, -payout)

    @precondition(lambda self: self.waiting)
    @rule(days=st.integers(7, 9))
    def give_up_waiting(self, days: int) -> None:
        """A day after its time a call is decided for lack of a conversion."""
        calls_waiting = [call for call, _, _ in self.waiting.values()]
        now = max(call.ended_at or 0 for call in calls_waiting) + days * 24 * HOUR_MS
        overdue = [call for call in calls_waiting if is_overdue(call, now)]
        assert conversions.expire(self.engine, now) == len(overdue)
        for call in overdue:
            self.decide_waiting(call.id, is_paid=False)

    def take_back(self, call_id: str, credit: int, clawback: int) -> None:
        self.charged[call_id] -= credit
        self.paid[call_id] -= clawback
        self.posted[advertiser_account("acme"), "USD"] += credit
        self.posted[EXCHANGE, "USD"] += clawback - credit
        self.posted["publisher:homefix", "USD"] -= clawback
        if credit and self.charged[call_id] == 0 and call_id in self.repeats:
            self.judge_again(self.repeats.pop(call_id))

    def judge_again(self, repeat: CallRecord) -> None:
        """What was only a repeat is charged and paid after all."""
        assert repeat.money is not None
        self.charged[repeat.id], self.paid[repeat.id] = 0, 0
        self.take_back(repeat.id, -repeat.money.price, -repeat.money.payout)

    @precondition(lambda self: self.charged)
    @rule(data=st.data(), price=AMOUNTS, payout=AMOUNTS)
    def save_repeat(self, data: st.DataObject, price: int, payout: int) -> None:
        """Another call of the same caller, which met its terms but that it repeats the first."""
        first = data.draw(st.sampled_from(sorted(self.charged)))
        record = calls.get(self.engine, first)
        assert record is not None
        n = 1000 + (record.started_at - BEGAN) // 1000
        said = ClauseResult("no_repeat_within", False, f"connected before (call {first})")
        money = Money("USD", price, payout)
        repeat = make_call(n, ani=record.ani, qualification=Verdict(False, [said]), money=money)
        calls.save(self.engine, [settlement(repeat)])
        if repeat.id not in self.saved and net(ledger.of_call(self.engine, first)).is_reversed:
            self.judge_again(repeat)
        elif repeat.id not in self.saved:
            self.repeats[first] = repeat
        self.repeated.add(first)
        self.saved.add(repeat.id)

    @precondition(lambda self: self.charged)
    @rule(data=st.data(), key=FEW.map(str), price_part=PARTS, payout_part=PARTS, excess=st.integers(0, 1))
    def adjust(self, data: st.DataObject, key: str, price_part: int, payout_part: int, excess: int) -> None:
        call_id = data.draw(st.sampled_from(sorted(self.charged)))
        credit = self.charged[call_id] * price_part // 100 + excess
        clawback = self.paid[call_id] * payout_part // 100
        wanted = (call_id, credit, clawback)
        if key in self.adjusted and self.adjusted[key] != wanted:
            with pytest.raises(KeyTaken):
                adjust(self.engine, *_asked(wanted, key))
        elif key in self.adjusted:
            assert not adjust(self.engine, *_asked(wanted, key))
        elif credit > self.charged[call_id]:
            with pytest.raises(CannotCorrect):
                adjust(self.engine, *_asked(wanted, key))
        else:
            assert adjust(self.engine, *_asked(wanted, key))
            self.take_back(*wanted)
            if credit or clawback:
                self.adjusted[key] = wanted

    @precondition(lambda self: self.repeats)
    @rule(data=st.data())
    def take_back_what_is_repeated(self, data: st.DataObject) -> None:
        call_id = data.draw(st.sampled_from(sorted(self.repeats)))
        credit = self.charged[call_id]
        assert adjust(self.engine, *_asked((call_id, credit, 0), f"all of {call_id}"))
        self.take_back(call_id, credit, 0)

    @precondition(lambda self: self.charged)
    @rule(data=st.data(), part=PARTS)
    def open_dispute(self, data: st.DataObject, part: int) -> None:
        call_id = data.draw(st.sampled_from(sorted(self.charged)))
        claimed = self.charged[call_id] * part // 100
        if call_id in self.open_disputes or self.charged[call_id] == 0:
            with pytest.raises(DisputeError):
                disputes.open_(self.engine, call_id, claimed, NEVER, BEGAN, "ann", "a robot")
        else:
            opened = disputes.open_(self.engine, call_id, claimed, NEVER, BEGAN, "ann", "a robot")
            self.open_disputes[call_id] = opened.id

    @precondition(lambda self: self.open_disputes)
    @rule(data=st.data(), part=PARTS, accepts=st.booleans())
    def decide_dispute(self, data: st.DataObject, part: int, accepts: bool) -> None:
        call_id = data.draw(st.sampled_from(sorted(self.open_disputes)))
        dispute_id = self.open_disputes[call_id]
        if not accepts:
            disputes.reject(self.engine, dispute_id, BEGAN, "bob", "a person")
        else:
            credit = disputes.get(self.engine, dispute_id).claimed * part // 100
            if credit > self.charged[call_id]:  # adjusted since it was opened
                with pytest.raises(CannotCorrect):
                    disputes.accept(self.engine, dispute_id, credit, None, BEGAN, "bob", "")
                return
            before = self.paid[call_id]
            decided = disputes.accept(self.engine, dispute_id, credit, None, BEGAN, "bob", "")
            clawback = decided.events[-1].clawback or 0
            assert clawback <= before
            self.take_back(call_id, credit, clawback)
            assert self.charged[call_id] > 0 or self.paid[call_id] == 0
        del self.open_disputes[call_id]
        self.decided.add(dispute_id)

    @precondition(lambda self: self.decided)
    @rule(data=st.data())
    def decide_again(self, data: st.DataObject) -> None:
        dispute_id = data.draw(st.sampled_from(sorted(self.decided)))
        with pytest.raises(DisputeError):
            disputes.accept(self.engine, dispute_id, None, None, BEGAN, "bob", "")

    @rule(minimum=st.sampled_from([0, 5_000]), again=st.booleans(), hold_hours=st.integers(0, 1))
    def pay_out(self, minimum: int, again: bool, hold_hours: int) -> None:
        self.runs += 1
        has = self.posted["publisher:homefix", "USD"]
        at = BEGAN + HOUR_MS + 200_000
        wanted = Run(f"run-{self.runs}", at, "USD", NEVER, hold_hours * HOUR_MS, minimum)
        paid = payouts.run(self.engine, wanted)
        if again:
            assert payouts.run(self.engine, wanted).payouts == paid.payouts
        for payout in paid.payouts:
            assert minimum <= payout.amount <= has
            self.posted["publisher:homefix", "USD"] -= payout.amount
            self.posted[WORLD, "USD"] += payout.amount
        if hold_hours == 0 and minimum == 0 and not self.open_disputes:
            assert self.posted["publisher:homefix", "USD"] <= 0, "something that was due was left"

    @rule(kind=st.sampled_from([("invoice", "acme"), ("statement", "homefix")]), month=st.integers(1, 3))
    def bill(self, kind: tuple[str, str], month: int) -> None:
        party = Party(kind[0], kind[1], "A Name", "USD")  # type: ignore[arg-type]
        account = "advertiser:acme" if kind[0] == "invoice" else "publisher:homefix"
        try:
            issued = bills.issue(self.engine, party, period_of(f"2026-{month:02}", "UTC"), at=NEVER)
        except BillError:
            return
        if issued.is_new:
            assert issued.bill.closing == self.posted[account, "USD"]
        numbers = [bill.number for bill in bills.list_(self.engine, party.kind)]
        assert numbers == list(range(1, len(numbers) + 1))

    @invariant()
    def the_rules_hold(self) -> None:
        """The ledger is read once for all of them: that is what this test's time goes on."""
        transfers = list(ledger.all_transfers(self.engine))
        stored = ledger.balances(self.engine)
        self.calls_come_to_what_the_model_says(transfers)
        self.the_sums_are_zero(stored)
        self.balances_are_those_of_the_model(stored, transfers)
        self.no_hold_ends_twice(transfers)
        assert verify(transfers, calls.every(self.engine), now=BEGAN) == []
        assert audit.findings(self.engine) == []

    def calls_come_to_what_the_model_says(self, transfers: list[Transfer]) -> None:
        for call_id, charged in self.charged.items():
            after = net([transfer for transfer in transfers if transfer.call_id == call_id])
            assert (after.price, after.payout) == (charged, self.paid[call_id])
            assert 0 <= after.price <= after.charged
            assert 0 <= after.payout <= after.paid

    def the_sums_are_zero(self, stored: Balances) -> None:
        for currency in ("USD", "EUR"):
            there = [b for (_, of), b in stored.items() if of == currency]
            assert sum(balance.posted for balance in there) == 0
            assert sum(balance.held for balance in there) == 0

    def balances_are_those_of_the_model(self, stored: Balances, transfers: list[Transfer]) -> None:
        assert stored == balances(transfers) == ledger.kept_balances(self.engine)
        assert {account: b.posted for account, b in stored.items() if b.posted} == _without_zeros(self.posted)
        assert {account: b.held for account, b in stored.items() if b.held} == _without_zeros(self.held)

    def no_hold_ends_twice(self, transfers: list[Transfer]) -> None:
        ends = Counter(one.resolves for one in transfers if one.kind in ("post", "void") and one.resolves)
        assert all(count == 1 for count in ends.values())


def _call(n: int, price: int, payout: int, how: str) -> CallRecord:
    if how == "q":
        return make_call(n, money=Money("USD", price, payout, charged=price, paid=payout))
    call = unqualified(n) if how == "u" else make_call(n, legs=[], qualification=None)
    assert (awarded_at(call) is None) is (how == "p")
    return replace(call, money=Money("USD", price, payout))


def _asked(wanted: tuple[str, int, int], key: str) -> tuple[str, str, int, int, int, str]:
    """The arguments of `adjust`, behind the engine."""
    call_id, credit, clawback = wanted
    return call_id, key, credit, clawback, BEGAN, "a mistake"


def _without_zeros(counter: Counter[tuple[str, str]]) -> dict[tuple[str, str], int]:
    return {account: amount for account, amount in counter.items() if amount}


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(
    max_examples=15,
    stateful_step_count=30,
    deadline=None,
    # At a database's speed, to make a failure smaller takes minutes; its thirty steps can be read.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
