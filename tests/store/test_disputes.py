"""A dispute is decided once, and an accepted one moves its money in the same transaction."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from ari_app.domain.ledger.corrections import CannotCorrect, Net, net
from ari_app.domain.ledger.disputes import Dispute, DisputeError, InDispute
from ari_app.domain.ledger.verification import verify
from ari_app.store.calls import calls
from ari_app.store.ledger import ledger
from ari_app.store.money import disputes
from ari_app.store.money.corrections import adjust
from tests.samples import make_call, settlement, unqualified

CALL = make_call(1)
ENDED = CALL.ended_at or 0
WEEK_MS = 7 * 86_400_000


@pytest.fixture(autouse=True)
def _saved(engine: Engine) -> None:
    calls.save(engine, [settlement(CALL), settlement(make_call(2)), settlement(unqualified(3))])


def opened(engine: Engine, amount: int | None = None, call_id: str = CALL.id, at: int = ENDED + 1) -> Dispute:
    return disputes.open_(engine, call_id, amount, WEEK_MS, at, "ann", "it was a fax")


def test_a_dispute_is_about_all_that_is_left_of_the_charge(engine: Engine) -> None:
    adjust(engine, CALL.id, "k", 200, 0, ENDED, "goodwill")
    dispute = opened(engine)
    assert (dispute.state, dispute.claimed, dispute.advertiser) == ("open", 4000, "acme")
    assert disputes.list_(engine, state="open") == [dispute] == disputes.of_call(engine, CALL.id)


def test_a_call_is_disputed_once_at_a_time(engine: Engine) -> None:
    first = opened(engine)
    with pytest.raises(InDispute, match="in dispute already") as refused:
        opened(engine)
    assert refused.value.dispute == first.id
    disputes.reject(engine, first.id, ENDED + 2, "bob", "the recording is fine")
    assert opened(engine).id != first.id


def test_a_call_is_disputed_within_the_window_only(engine: Engine) -> None:
    with pytest.raises(DisputeError, match="more than 7 days ago"):
        opened(engine, at=ENDED + WEEK_MS)
    assert opened(engine, at=ENDED + WEEK_MS - 1).state == "open"


def test_what_was_not_charged_cannot_be_disputed(engine: Engine) -> None:
    with pytest.raises(DisputeError, match="was charged nothing"):
        opened(engine, call_id=unqualified(3).id)
    with pytest.raises(DisputeError, match=r"42\.01 is more than the 42\.00 USD left"):
        opened(engine, 4201)


def test_acceptance_in_whole_takes_all_of_it_back(engine: Engine) -> None:
    dispute = disputes.accept(engine, opened(engine).id, None, None, ENDED + 2, "bob", "")
    assert (dispute.state, dispute.credited, dispute.events[-1].clawback) == ("accepted", 4200, 3000)
    assert net(ledger.of_call(engine, CALL.id)) == Net(4200, 4200, 3000, 3000)
    assert verify(list(ledger.all_transfers(engine)), calls.every(engine), ENDED) == []


def test_acceptance_in_part_takes_the_publishers_share_of_it(engine: Engine) -> None:
    disputes.accept(engine, opened(engine, 1000).id, 999, None, ENDED + 2, "bob", "half of it")
    assert net(ledger.of_call(engine, CALL.id)) == Net(4200, 999, 3000, 713)  # 3000 * 999 / 4200 = 713.57


def test_acceptance_takes_from_the_publisher_what_is_stated(engine: Engine) -> None:
    disputes.accept(engine, opened(engine).id, 1000, 0, ENDED + 2, "bob", "our mistake")
    assert net(ledger.of_call(engine, CALL.id)) == Net(4200, 1000, 3000, 0)


def test_no_more_is_accepted_than_is_claimed(engine: Engine) -> None:
    dispute = opened(engine, 1000)
    with pytest.raises(DisputeError, match=r"only 10\.00 USD is claimed"):
        disputes.accept(engine, dispute.id, 1001, None, ENDED + 2, "bob", "")


def test_an_acceptance_that_cannot_be_booked_leaves_the_dispute_open(engine: Engine) -> None:
    dispute = opened(engine)
    with pytest.raises(CannotCorrect):
        disputes.accept(engine, dispute.id, 1000, 3001, ENDED + 2, "bob", "")
    assert disputes.get(engine, dispute.id).state == "open"


def test_a_rejected_dispute_moves_nothing_and_stays_rejected(engine: Engine) -> None:
    dispute = opened(engine)
    disputes.reject(engine, dispute.id, ENDED + 2, "bob", "the recording is fine")
    with pytest.raises(DisputeError, match="it is rejected already"):
        disputes.accept(engine, dispute.id, None, None, ENDED + 3, "bob", "")
    assert net(ledger.of_call(engine, CALL.id)) == Net(4200, 0, 3000, 0)


def test_of_many_who_decide_at_once_one_does(engine: Engine) -> None:
    dispute = opened(engine, 1000)

    def accept(_: int) -> bool:
        try:
            disputes.accept(engine, dispute.id, None, None, ENDED + 2, "bob", "")
        except DisputeError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(accept, range(8))) == 1
    assert net(ledger.of_call(engine, CALL.id)).credited == 1000


def test_of_many_who_open_at_once_one_does(engine: Engine) -> None:
    def open_one(_: int) -> bool:
        try:
            opened(engine, 1000)
        except DisputeError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(open_one, range(8))) == 1


def test_a_dispute_that_is_not_there_is_named(engine: Engine) -> None:
    with pytest.raises(DisputeError, match="there is no dispute 9"):
        disputes.get(engine, 9)
    assert disputes.list_(engine, advertiser="nobody") == []
