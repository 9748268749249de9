"""Money of a call is taken back at most once a key, and never more than was moved."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import Engine, insert
from sqlalchemy.exc import IntegrityError

from ari_app.domain.ledger.balances import Balance
from ari_app.domain.ledger.corrections import CannotCorrect, Net, charges_of, net
from ari_app.domain.ledger.transfers import partial_reversal
from ari_app.domain.ledger.verification import verify
from ari_app.store.calls import calls
from ari_app.store.db.engine import writing
from ari_app.store.db.errors import KeyTaken
from ari_app.store.db.tables import transfers
from ari_app.store.ledger import ledger
from ari_app.store.money.corrections import adjust
from tests.samples import BEGAN, make_call, settlement, unqualified

CALL = make_call(1)
LATER = BEGAN + 86_400_000


@pytest.fixture(autouse=True)
def _saved(engine: Engine) -> None:
    calls.save(engine, [settlement(CALL), settlement(make_call(2)), settlement(unqualified(3))])


def test_an_adjustment_takes_a_part_back_from_both(engine: Engine) -> None:
    assert adjust(engine, CALL.id, "k", 1000, 700, LATER, "a wrong number")
    assert net(ledger.of_call(engine, CALL.id)) == Net(4200, 1000, 3000, 700)
    assert ledger.balances(engine)["publisher:homefix", "USD"] == Balance(2 * 3000 - 700)
    assert verify(list(ledger.all_transfers(engine)), calls.every(engine), LATER) == []


def test_the_same_key_adjusts_once(engine: Engine) -> None:
    assert adjust(engine, CALL.id, "k", 1000, 0, LATER, "a wrong number")
    assert not adjust(engine, CALL.id, "k", 1000, 0, LATER + 1, "a wrong number")
    assert net(ledger.of_call(engine, CALL.id)).credited == 1000


@pytest.mark.parametrize(("call", "credit", "clawback"), [(1, 999, 0), (1, 1000, 1), (2, 1000, 0)])
def test_a_key_that_adjusted_something_else_is_refused(
    engine: Engine, call: int, credit: int, clawback: int
) -> None:
    adjust(engine, CALL.id, "k", 1000, 0, LATER, "a wrong number")
    with pytest.raises(KeyTaken, match="'k'"):
        adjust(engine, make_call(call).id, "k", credit, clawback, LATER, "a wrong number")


def test_no_more_is_taken_back_than_was_charged(engine: Engine) -> None:
    adjust(engine, CALL.id, "k1", 4000, 0, LATER, "a wrong number")
    with pytest.raises(CannotCorrect, match=r"2\.01 is more than the 2\.00 USD left of what the advertiser"):
        adjust(engine, CALL.id, "k2", 201, 0, LATER, "a wrong number")
    with pytest.raises(CannotCorrect, match=r"30\.01 is more than the 30\.00 USD left of what the publisher"):
        adjust(engine, CALL.id, "k2", 0, 3001, LATER, "a wrong number")


def test_a_refused_adjustment_moves_nothing(engine: Engine) -> None:
    with pytest.raises(CannotCorrect):
        adjust(engine, CALL.id, "k", 100, 3001, LATER, "a wrong number")
    assert net(ledger.of_call(engine, CALL.id)) == Net(4200, 0, 3000, 0)


def test_nothing_can_be_taken_back_of_a_call_that_was_not_charged(engine: Engine) -> None:
    with pytest.raises(CannotCorrect, match="it was nothing"):
        adjust(engine, unqualified(3).id, "k", 1, 0, LATER, "a wrong number")


@pytest.mark.breaks_the_ledger
def test_the_database_itself_refuses_to_take_back_more(engine: Engine) -> None:
    """A program that did not look: two parts, each small enough, that together are too much."""
    [charge] = charges_of(ledger.of_call(engine, CALL.id))
    assert charge is not None
    ledger.post(engine, partial_reversal(charge, "one", 4000, LATER, "a part"))
    with pytest.raises(IntegrityError, match="no more is taken back than was moved"), writing(engine) as c:
        c.execute(
            insert(transfers), ledger.transfer_row(partial_reversal(charge, "two", 201, LATER, "too much"))
        )
    ledger.post(engine, partial_reversal(charge, "two", 200, LATER, "the rest"))


def test_of_many_who_take_the_rest_at_once_one_does(engine: Engine) -> None:
    def take_the_whole(n: int) -> bool:
        try:
            return adjust(engine, CALL.id, f"k{n}", 4200, 3000, LATER, "a wrong number")
        except CannotCorrect:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(take_the_whole, range(8))) == [False] * 7 + [True]


@pytest.mark.breaks_the_ledger
def test_programs_that_do_not_look_are_added_up_one_after_the_other(engine: Engine) -> None:
    [charge] = charges_of(ledger.of_call(engine, CALL.id))
    assert charge is not None
    wrong = charge

    def take_half(n: int) -> bool:
        try:
            return ledger.post(engine, replace(partial_reversal(wrong, f"half-{n}", 2100, LATER, "a half")))
        except IntegrityError:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take_half, range(8))) == 2
