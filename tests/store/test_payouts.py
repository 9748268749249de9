"""What a publisher earned is paid out once, when it is old enough and nobody disputes it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from ari_app.domain.ledger.balances import Balance
from ari_app.domain.ledger.payouts import Run
from ari_app.domain.ledger.verification import verify
from ari_app.store.calls import calls
from ari_app.store.db.errors import KeyTaken
from ari_app.store.ledger import ledger
from ari_app.store.money import disputes, payouts
from ari_app.store.money.corrections import adjust
from tests.samples import make_call, settlement, unqualified

CALL = make_call(1)
ENDED = CALL.ended_at or 0
DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
NEVER = 2**60


@pytest.fixture(autouse=True)
def _saved(engine: Engine) -> None:
    other = make_call(2, publisher="adnest")
    calls.save(engine, [settlement(CALL), settlement(other), settlement(unqualified(3))])


def run(
    engine: Engine, key: str = "november", at: int = ENDED + WEEK_MS + DAY_MS, **asked: int
) -> payouts.Paid:
    wanted = {"until_at": NEVER, "hold_ms": WEEK_MS, "minimum": 0, **asked}
    return payouts.run(engine, Run(key, at, "USD", **wanted))


def paid(engine: Engine, key: str = "november", **asked: int) -> dict[str, int]:
    return {payout.publisher: payout.amount for payout in run(engine, key, **asked).payouts}


def test_earnings_are_paid_and_leave_the_exchange(engine: Engine) -> None:
    assert paid(engine) == {"adnest": 3000, "homefix": 3000}
    assert ledger.balances(engine)["publisher:homefix", "USD"] == Balance(0)
    assert ledger.balances(engine)["world", "USD"] == Balance(6000)
    assert verify(list(ledger.all_transfers(engine)), calls.every(engine), ENDED) == []


def test_the_same_key_again_is_the_same_run(engine: Engine) -> None:
    first = run(engine)
    calls.save(engine, [settlement(make_call(4))])
    again = run(engine, at=ENDED + 9 * DAY_MS)
    assert (first.is_new, again.is_new) == (True, False)
    assert (again.run, again.payouts) == (first.run, first.payouts)


def test_a_key_of_another_run_is_refused(engine: Engine) -> None:
    run(engine)
    with pytest.raises(KeyTaken, match="'november'"):
        run(engine, minimum=1)


def test_another_run_pays_only_what_is_new(engine: Engine) -> None:
    run(engine)
    calls.save(engine, [settlement(make_call(4))])
    assert paid(engine, "december", at=ENDED + 9 * DAY_MS) == {"homefix": 3000}
    assert paid(engine, "january", at=ENDED + 10 * DAY_MS) == {}


def test_calls_younger_than_the_hold_wait(engine: Engine) -> None:
    assert paid(engine, at=ENDED + WEEK_MS) == {}
    assert paid(engine, "next", at=ENDED + WEEK_MS + 1) == {"homefix": 3000}


def test_calls_after_the_last_day_wait(engine: Engine) -> None:
    assert paid(engine, until_at=ENDED) == {}
    assert paid(engine, "next", until_at=ENDED + 1) == {"homefix": 3000}


def test_less_than_the_minimum_waits(engine: Engine) -> None:
    assert paid(engine, minimum=3001) == {}
    calls.save(engine, [settlement(make_call(4))])
    assert paid(engine, "next", at=ENDED + 9 * DAY_MS, minimum=3001) == {"homefix": 6000}


def test_a_call_in_dispute_waits_until_it_is_decided(engine: Engine) -> None:
    dispute = disputes.open_(engine, CALL.id, 2100, WEEK_MS, ENDED + 1, "ann", "it was a fax")
    assert paid(engine) == {"adnest": 3000}
    disputes.accept(engine, dispute.id, None, None, ENDED + 2, "bob", "")
    assert paid(engine, "next") == {"homefix": 1500}


def test_what_is_clawed_back_after_a_payout_is_taken_off_the_next(engine: Engine) -> None:
    run(engine)
    adjust(engine, CALL.id, "k", 4200, 3000, ENDED + 9 * DAY_MS, "a fraud")
    assert paid(engine, "december", at=ENDED + 9 * DAY_MS) == {}  # homefix owes 30.00
    calls.save(engine, [settlement(make_call(4)), settlement(make_call(5))])
    december = run(engine, "january", at=ENDED + 9 * DAY_MS).payouts
    assert [(payout.publisher, payout.amount, payout.calls) for payout in december] == [("homefix", 3000, 3)]
    assert verify(list(ledger.all_transfers(engine)), calls.every(engine), ENDED) == []


def test_a_clawback_counts_though_its_call_is_disputed_again(engine: Engine) -> None:
    """Otherwise the publisher would be paid more than it has."""
    run(engine)
    adjust(engine, CALL.id, "k", 1400, 1000, ENDED + DAY_MS, "too short")
    disputes.open_(engine, CALL.id, None, WEEK_MS, ENDED + DAY_MS, "ann", "all of it")
    calls.save(engine, [settlement(make_call(4))])
    assert paid(engine, "december", at=ENDED + 9 * DAY_MS) == {"homefix": 2000}


def test_a_run_that_pays_nobody_leaves_its_key_to_the_next(engine: Engine) -> None:
    assert paid(engine, at=ENDED + WEEK_MS) == {}
    assert payouts.every(engine) == []
    assert paid(engine, minimum=1) == {"adnest": 3000, "homefix": 3000}


def test_of_many_runs_at_once_each_earning_is_in_one(engine: Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        amounts = [sum(one.values()) for one in pool.map(lambda n: paid(engine, f"run-{n}"), range(8))]
    assert sorted(amounts) == [0] * 7 + [6000]


def test_runs_are_listed_the_oldest_first(engine: Engine) -> None:
    run(engine, "b")
    calls.save(engine, [settlement(make_call(4))])
    run(engine, "a", at=ENDED + 9 * DAY_MS)
    assert [paid.run.key for paid in payouts.every(engine)] == ["b", "a"]
    assert payouts.find(engine, "c") is None
