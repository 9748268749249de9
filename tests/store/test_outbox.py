"""The outbox: what others are to hear of is written in the transaction that saves it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from ari_app.domain.document.reading import from_document
from ari_app.domain.ledger.transfers import deposit
from ari_app.domain.terms.conversions import Told
from ari_app.store.calls import calls
from ari_app.store.db import outbox
from ari_app.store.db.engine import writing
from ari_app.store.db.errors import MarketplaceMoved
from ari_app.store.ledger import ledger
from ari_app.store.market import marketplaces
from ari_app.store.money import conversions, corrections
from tests.kit.market import marketplace
from tests.samples import BEGAN, make_call, settlement, unqualified, waiting

AGENTS = {"agent-1": "sip:agent@127.0.0.1"}
DAY_MS = 86_400_000
CALL = make_call(1)
PAID_IN = deposit("d1", "acme", 5000, "USD", BEGAN)


def happened(engine: Engine) -> list[tuple[str, str]]:
    return [(line.what, line.subject) for line in outbox.oldest(engine, 100)]


def test_a_call_is_told_of_once_however_often_it_is_saved(engine: Engine) -> None:
    first, second = settlement(make_call(1)), settlement(make_call(2))
    calls.save(engine, [first])
    calls.save(engine, [first, second])
    assert happened(engine) == [("call.ended", first.record.id), ("call.ended", second.record.id)]
    assert outbox.oldest(engine, 1)[0].at == first.record.ended_at


def test_a_conversion_tells_of_the_calls_that_it_decided(engine: Engine) -> None:
    first, second = waiting(1), waiting(2)
    calls.save(engine, [settlement(first), settlement(second), settlement(unqualified(3))])
    told = (first.ended_at or 0) + 60_000
    conversions.tell(
        engine, [Told(first.id, told - 1, "order-1"), Told(unqualified(3).id, told - 1, "order-2")], told
    )
    assert happened(engine)[3:] == [("call.decided", first.id)]


def test_each_version_of_the_marketplace_is_told_of_and_none_that_was_refused(engine: Engine) -> None:
    applied = marketplaces.apply(engine, from_document(marketplace(AGENTS)), BEGAN)
    marketplaces.apply(engine, from_document(marketplace(AGENTS)), BEGAN + 1)  # no change, no version
    with pytest.raises(MarketplaceMoved):
        marketplaces.apply(engine, from_document(marketplace(AGENTS, max_legs=2)), BEGAN + 2, based_on=7)
    assert happened(engine) == [("marketplace.applied", str(applied.version))]


def test_money_that_moves_besides_calls_is_told_of_by_its_transfer(engine: Engine) -> None:
    calls.save(engine, [settlement(CALL)])
    ledger.post(engine, PAID_IN)
    ledger.post(engine, PAID_IN)
    corrections.adjust(engine, CALL.id, "k", 1000, 0, BEGAN + DAY_MS, "a wrong number")
    assert [what for what, _ in happened(engine)] == ["call.ended", "money.moved", "money.moved"]
    assert {key for _, key in happened(engine)[1:]} == {one.key for one in ledger.all_transfers(engine)} - {
        one.key for one in settlement(CALL).transfers
    }


def test_what_is_undone_is_not_told_of(engine: Engine) -> None:
    with pytest.raises(RuntimeError), writing(engine) as connection:
        ledger.add(connection, [PAID_IN])
        raise RuntimeError("and it is undone")
    assert happened(engine) == []


def test_what_nobody_took_for_long_is_forgotten(engine: Engine) -> None:
    ledger.post(engine, PAID_IN)
    ledger.post(engine, replace(PAID_IN, key="d2", at=BEGAN + 1))
    assert outbox.forget(engine, BEGAN + 1) == 1
    assert happened(engine) == [("money.moved", "d2")]
