"""The ledger's rules hold after any order of deposits, holds, posts, voids, reversals, and repeats of each.

- In every currency the balances add up to zero, held and posted.
- A hold ends once: posted or voided, never both, never twice.
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
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError

from ari_app.domain.ledger import (
    EXCHANGE,
    Transfer,
    advertiser_account,
    awarded_at,
    balances,
    deposit,
    reversal,
    verify,
)
from ari_app.domain.record import CallRecord, Money
from ari_app.store import calls, ledger, schema
from ari_app.store.engine import open_engine
from ari_app.store.errors import KeyTaken
from tests.samples import BEGAN, make_call, settlement, unqualified

AMOUNTS = st.integers(0, 10_000)
CURRENCIES = st.sampled_from(["USD", "EUR"])
FEW = st.integers(1, 6)  # few enough that keys collide often
ADVERTISERS = st.sampled_from(["acme", "bolt"])


class LedgerMachine(RuleBasedStateMachine):
    """Drives the stored ledger and a model of it."""

    template: Path  # a migrated, empty database

    holds = Bundle("holds")
    moves = Bundle("moves")

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="callrace-ledger-"))
        shutil.copy(self.template, self.folder / "ledger.db")
        self.engine = open_engine(f"sqlite:///{self.folder}/ledger.db")
        event.listen(self.engine, "connect", _do_not_wait_for_the_disk)
        self.engine.dispose()
        self.posted: Counter[tuple[str, str]] = Counter()
        self.held: Counter[tuple[str, str]] = Counter()
        self.deposits: dict[str, Transfer] = {}
        self.open_holds: set[str] = set()
        self.ended_holds: set[str] = set()
        self.reversed: set[str] = set()
        self.saved: set[str] = set()

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
            self.saved.add(record.id)

    @invariant()
    def the_sums_are_zero(self) -> None:
        for currency in ("USD", "EUR"):
            there = [b for (_, of), b in ledger.balances(self.engine).items() if of == currency]
            assert sum(balance.posted for balance in there) == 0
            assert sum(balance.held for balance in there) == 0

    @invariant()
    def balances_are_those_of_the_model(self) -> None:
        stored = ledger.balances(self.engine)
        assert stored == balances(ledger.all_transfers(self.engine)) == ledger.kept_balances(self.engine)
        assert {account: b.posted for account, b in stored.items() if b.posted} == _without_zeros(self.posted)
        assert {account: b.held for account, b in stored.items() if b.held} == _without_zeros(self.held)

    @invariant()
    def no_hold_ends_twice(self) -> None:
        ends = Counter(
            transfer.resolves
            for transfer in ledger.all_transfers(self.engine)
            if transfer.kind in ("post", "void") and transfer.resolves
        )
        assert all(count == 1 for count in ends.values())

    @invariant()
    def verification_finds_nothing(self) -> None:
        assert verify(list(ledger.all_transfers(self.engine)), calls.every(self.engine), now=BEGAN) == []


def _call(n: int, price: int, payout: int, how: str) -> CallRecord:
    if how == "q":
        return make_call(n, money=Money("USD", price, payout, charged=price, paid=payout))
    call = unqualified(n) if how == "u" else make_call(n, legs=[], qualification=None)
    assert (awarded_at(call) is None) is (how == "p")
    return replace(call, money=Money("USD", price, payout))


def _without_zeros(counter: Counter[tuple[str, str]]) -> dict[tuple[str, str], int]:
    return {account: amount for account, amount in counter.items() if amount}


def _do_not_wait_for_the_disk(connection: object, _record: object) -> None:
    connection.execute("PRAGMA synchronous = OFF")  # type: ignore[attr-defined]


@pytest.fixture(scope="module", autouse=True)
def _template(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("ledger") / "template.db"
    engine = open_engine(f"sqlite:///{path}")
    schema.upgrade(engine)
    engine.dispose()
    LedgerMachine.template = path


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    # At a database's speed, to make a failure smaller takes minutes; its twenty steps can be read.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
