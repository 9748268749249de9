"""Callers are taken out of what is saved, and the money stays."""

from __future__ import annotations

from sqlalchemy import Engine

from ari_app.domain.ledger import verify
from ari_app.store import calls, ledger, privacy
from tests.samples import BEGAN, make_call, settlement

ANI, OTHER = "+12125550142", "+12125550199"


def test_a_caller_is_taken_out_of_every_call_and_nobody_else_is(engine: Engine) -> None:
    calls.save(engine, [settlement(make_call(n, ani=ANI if n < 3 else OTHER)) for n in range(5)])
    balances = ledger.balances(engine)
    assert privacy.erase_caller(engine, ANI, BEGAN) == 3
    assert [record.ani for record in calls.every(engine)] == [None] * 3 + [OTHER] * 2
    assert ledger.balances(engine) == balances
    assert verify(list(ledger.all_transfers(engine)), calls.every(engine), BEGAN) == []
    assert privacy.erase_caller(engine, ANI, BEGAN) == 0


def test_callers_of_old_calls_are_forgotten_however_many(engine: Engine, monkeypatch) -> None:
    monkeypatch.setattr(privacy, "_AT_ONCE", 2)
    saved = [make_call(n) for n in range(5)]
    calls.save(engine, [settlement(record) for record in saved])
    assert privacy.erase_before(engine, saved[-1].started_at, BEGAN) == 4
    assert [record.ani is None for record in calls.every(engine)] == [True] * 4 + [False]
