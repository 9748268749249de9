"""What an advertiser has left goes back to it once, and never what it does not have."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from ari_app.domain.ledger.balances import Balance
from ari_app.domain.ledger.refunds import CannotRefund
from ari_app.domain.ledger.transfers import deposit
from ari_app.domain.ledger.verification import verify
from ari_app.store.calls import calls
from ari_app.store.db.errors import KeyTaken
from ari_app.store.ledger import ledger
from ari_app.store.market import marketplaces, parties
from ari_app.store.money import refunds
from tests.samples import BEGAN, make_call, settlement
from tests.store.markets import BEFORE, LATER, NOW, with_campaign

GIVEN = ("acme", "key", 5_000, "USD", BEGAN, "they left")


@pytest.fixture(autouse=True)
def _paid_in(engine: Engine) -> None:
    for n in (1, 2):
        ledger.post(engine, deposit(f"payment-{n}", "acme", 6_000, "USD", at=BEGAN))
    calls.save(engine, [settlement(make_call(1))])


def left(engine: Engine) -> Balance:
    return ledger.balances(engine)["advertiser:acme", "USD"]


def test_of_those_who_give_back_at_once_one_does(engine: Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda _: refunds.give_back(engine, *GIVEN), range(8)))
    assert sorted(given) == [False] * 7 + [True]
    assert left(engine) == Balance(12_000 - 4_200 - 5_000)
    with pytest.raises(KeyTaken, match="'key'"):
        refunds.give_back(engine, "acme", "key", 1, "USD", BEGAN, "they left")


def test_of_those_who_take_it_all_at_once_one_gets_it(engine: Engine) -> None:
    def take(n: int) -> bool:
        try:
            return refunds.give_back(engine, "acme", f"key-{n}", 7_800, "USD", BEGAN, "they left")
        except CannotRefund:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(take, range(8))) == [False] * 7 + [True]
    assert left(engine) == Balance(0)
    assert verify(list(ledger.all_transfers(engine)), calls.every(engine), BEGAN) == []


def test_who_left_is_known_as_they_were_last(engine: Engine) -> None:
    marketplaces.apply(engine, BEFORE, NOW)
    nobody = with_campaign(BEFORE, status="ended")
    without = type(BEFORE)("USD", {}, {}, {}, {}, {})
    marketplaces.apply(engine, nobody, NOW)
    assert marketplaces.apply(engine, without, LATER).accounts[0].balance == 7_800
    assert parties.advertiser(engine, "acme") == BEFORE.advertisers["acme"]
    assert parties.publisher(engine, "bluebird") == BEFORE.publishers["bluebird"]
    assert parties.publisher(engine, "acme") is None
    assert parties.advertiser(engine, "plumbin_") is None
