"""The stored ledger adds up to what the domain's ledger says."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from ari_app.domain.ledger.balances import Balance
from ari_app.domain.ledger.balances import balances as domain_balances
from ari_app.domain.ledger.transfers import deposit, reversal
from ari_app.domain.ledger.verification import verify
from ari_app.store.calls import calls
from ari_app.store.db.errors import KeyTaken
from ari_app.store.ledger import ledger
from tests.samples import BEGAN, make_call, settlement, unqualified

DEPOSIT = deposit("payment-1", "acme", 100_000, "USD", at=BEGAN)


def test_a_deposit_counts_once(engine: Engine) -> None:
    assert ledger.post(engine, DEPOSIT) is True
    assert ledger.post(engine, replace(DEPOSIT, at=BEGAN + 1)) is False
    assert ledger.balances(engine)["advertiser:acme", "USD"] == Balance(100_000)


def test_another_movement_with_a_taken_key_is_refused(engine: Engine) -> None:
    ledger.post(engine, DEPOSIT)
    with pytest.raises(KeyTaken, match="deposit:payment-1"):
        ledger.post(engine, replace(DEPOSIT, amount=1))


@pytest.mark.breaks_the_ledger
def test_the_database_adds_up_as_the_domain_does(engine: Engine) -> None:
    ledger.post(engine, DEPOSIT)
    hold_only = settlement(make_call(3))
    hold_only = replace(hold_only, transfers=hold_only.transfers[:1])
    calls.save(engine, [settlement(make_call(1)), settlement(unqualified(2)), hold_only])
    ledger.post(engine, deposit("payment-2", "acme", 700, "EUR", at=BEGAN))
    ledger.post(engine, reversal(settlement(make_call(1)).transfers[1], BEGAN, "the caller was an agent"))
    stored = ledger.balances(engine)
    assert stored == domain_balances(ledger.all_transfers(engine))
    assert stored["advertiser:acme", "USD"] == Balance(posted=100_000, held=-4200)
    assert stored["publisher:homefix", "USD"] == Balance(posted=3000)


def test_a_statement_has_a_line_and_a_balance_for_each_transfer(engine: Engine) -> None:
    ledger.post(engine, DEPOSIT)
    calls.save(engine, [settlement(make_call(1))])
    lines = ledger.statement(engine, "advertiser:acme")
    assert [(line.transfer.kind, line.after) for line in lines] == [
        ("deposit", Balance(100_000)),
        ("hold", Balance(100_000, -4200)),
        ("post", Balance(95_800)),
    ]


def test_what_was_saved_is_verified(engine: Engine) -> None:
    ledger.post(engine, DEPOSIT)
    calls.save(engine, [settlement(make_call(1)), settlement(unqualified(2))])
    assert verify(list(ledger.all_transfers(engine)), calls.every(engine), now=BEGAN) == []
