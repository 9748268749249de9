"""Conversions in the database: each decides its call once, whoever tells it, and however often."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from ari_app.domain.basics.periods import Period
from ari_app.domain.calls.record import CallRecord, Money
from ari_app.domain.caps.counters import Claim, Wanted
from ari_app.domain.ledger.balances import Balance
from ari_app.domain.ledger.bills import Party, period_of
from ari_app.domain.ledger.calls import CONVERSION_GRACE_MS
from ari_app.domain.ledger.corrections import CannotCorrect, Net, net
from ari_app.domain.ledger.transfers import Transfer
from ari_app.domain.reports.rollups import HOUR_MS
from ari_app.domain.terms import conversions as domain
from ari_app.domain.terms.conversions import CLOCK_SKEW_MS, Told
from ari_app.store.calls import calls
from ari_app.store.db.errors import NotDecided, UnknownCalls
from ari_app.store.ledger import ledger
from ari_app.store.limits import reservations
from ari_app.store.limits.usage import Usage, usage_of
from ari_app.store.money import audit, bills, conversions, disputes
from ari_app.store.money.corrections import adjust
from ari_app.store.reports import rollups
from tests.samples import BEGAN, make_call, settlement, unqualified, waiting, with_late_bonus

CALL = waiting(1)
NOW = (CALL.ended_at or 0) + HOUR_MS
OVERDUE = NOW + 8 * 86_400_000 + CONVERSION_GRACE_MS
TOLD = Told(CALL.id, NOW - 1, "order-1")


@pytest.fixture(autouse=True)
def _saved(engine: Engine) -> None:
    calls.save(engine, [settlement(CALL), settlement(waiting(2)), settlement(unqualified(3))])


def stored(engine: Engine, call_id: str = CALL.id) -> CallRecord:
    record = calls.get(engine, call_id)
    assert record is not None
    return record


def money(engine: Engine) -> tuple[Balance, Balance]:
    """What the advertiser and the publisher have."""
    found = ledger.balances(engine)
    return tuple(found.get((who, "USD"), Balance()) for who in ("advertiser:acme", "publisher:homefix"))  # type: ignore[return-value]


def reported(engine: Engine) -> tuple[int, int, int]:
    """What a report counts: qualified calls, revenue, payout."""
    [group] = rollups.calls_by(engine, "campaign", BEGAN - HOUR_MS, BEGAN + 2 * HOUR_MS, {})
    return group.counts["qualified"], group.counts["revenue"], group.counts["payout"]


def test_a_call_that_waits_has_its_price_held_and_comes_back_as_it_was(engine: Engine) -> None:
    assert stored(engine) == CALL
    assert money(engine) == (Balance(0, -8400), Balance())
    assert reported(engine) == (0, 0, 0)


def test_a_conversion_charges_pays_and_is_reported_in_the_hour_of_its_call(engine: Engine) -> None:
    [outcome] = conversions.tell(engine, [TOLD], NOW)
    assert outcome.became == "decided"
    assert money(engine) == (Balance(-4200, -4200), Balance(3000))
    assert reported(engine) == (1, 4200, 3000)
    record = stored(engine)
    assert record == outcome.record
    assert record.conversion is not None
    assert (record.conversion.at, record.conversion.told_at, record.conversion.ref) == (
        NOW - 1,
        NOW,
        "order-1",
    )
    assert audit.prove(engine, NOW).findings == []


def test_a_call_that_could_have_cost_more_waits_with_what_it_came_to(engine: Engine) -> None:
    dear = waiting(4, money=Money("USD", 4200, 3000, reserved=24_000))
    calls.save(engine, [settlement(dear)])
    assert stored(engine, dear.id) == dear
    assert money(engine) == (Balance(0, -3 * 4200), Balance())
    conversions.tell(engine, [Told(dear.id, NOW - 1, None)], NOW)
    assert money(engine) == (Balance(-4200, -2 * 4200), Balance(3000))
    assert audit.prove(engine, NOW).findings == []


def test_told_again_it_changes_nothing(engine: Engine) -> None:
    conversions.tell(engine, [TOLD], NOW)
    [again] = conversions.tell(engine, [Told(CALL.id, NOW, "another")], NOW + 1)
    assert again.became == "known"
    assert stored(engine) == again.record
    assert money(engine) == (Balance(-4200, -4200), Balance(3000))


def test_a_call_that_does_not_wait_only_notes_it(engine: Engine) -> None:
    short = stored(engine, unqualified(3).id)
    [outcome] = conversions.tell(engine, [Told(short.id, NOW, None)], NOW)
    assert outcome.became == "noted"
    noted = stored(engine, short.id)
    assert noted.conversion is not None
    assert noted.money == short.money


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (Told("no-such-call", NOW, None), "there is no call 'no-such-call'"),
        (Told(waiting(2).id, BEGAN - 1, None), "began after its conversion"),
        (Told(waiting(2).id, NOW + CLOCK_SKEW_MS + 1, None), "which is in the future; nothing was taken"),
    ],
)
def test_with_one_that_cannot_be_none_is_taken(engine: Engine, wrong: Told, words: str) -> None:
    with pytest.raises(UnknownCalls, match=words):
        conversions.tell(engine, [TOLD, wrong], NOW)
    assert stored(engine) == CALL


def test_a_clock_that_is_a_little_ahead_is_no_hindrance(engine: Engine) -> None:
    [outcome] = conversions.tell(engine, [Told(CALL.id, NOW + CLOCK_SKEW_MS, None)], NOW)
    assert outcome.became == "decided"


def test_a_call_that_waited_in_vain_is_released_once(engine: Engine) -> None:
    assert conversions.expire(engine, NOW) == 0
    assert conversions.expire(engine, OVERDUE) == 2
    assert conversions.expire(engine, OVERDUE) == 0
    assert money(engine) == (Balance(), Balance())
    [outcome] = conversions.tell(engine, [TOLD], OVERDUE)
    assert outcome.became == "noted"
    assert money(engine) == (Balance(), Balance())


def test_one_call_that_cannot_be_decided_keeps_no_other(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide = domain.decide

    def broken(record: CallRecord, now: int) -> list[Transfer]:
        if record.id == CALL.id:
            raise KeyError("a defect")
        return decide(record, now)

    with monkeypatch.context() as while_broken:
        while_broken.setattr(domain, "decide", broken)
        with pytest.raises(NotDecided, match=f"1 calls still wait in vain, call {CALL.id} first: 'a defect'"):
            conversions.expire(engine, OVERDUE)
    assert conversions.expire(engine, OVERDUE) == 1


def test_of_those_who_tell_and_give_up_at_once_exactly_one_decides(engine: Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        told = [pool.submit(conversions.tell, engine, [TOLD], OVERDUE) for _ in range(4)]
        gave_up = [pool.submit(conversions.expire, engine, OVERDUE) for _ in range(4)]
        decided = sum(one.result()[0].became == "decided" for one in told)
        released = sum(one.result() for one in gave_up)
    assert decided + released == 2  # the other call is always given up
    assert audit.prove(engine, OVERDUE).findings == []


def test_of_those_who_tell_it_at_once_one_is_taken(engine: Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: conversions.tell(engine, [TOLD], NOW)[0].became, range(8)))
    assert sorted(outcomes) == ["decided", *["known"] * 7]
    assert money(engine) == (Balance(-4200, -4200), Balance(3000))


def test_calls_are_listed_by_what_they_wait_for_or_had(engine: Engine) -> None:
    assert [call.id for call in conversions.latest(engine, 9, waiting=True)] == [CALL.id, waiting(2).id]
    conversions.tell(engine, [TOLD], NOW)
    assert [call.id for call in conversions.latest(engine, 9, waiting=True)] == [waiting(2).id]
    assert [call.id for call in conversions.latest(engine, 9, waiting=False)] == [CALL.id]


def test_callers_whose_calls_were_converted_since_are_found(engine: Engine) -> None:
    conversions.tell(engine, [TOLD], NOW)
    assert [call.id for call in calls.converted_callers(engine, NOW)] == [CALL.id]
    assert calls.converted_callers(engine, NOW + 1) == []


# A bonus that waits


def test_a_late_bonus_is_charged_besides_and_taken_back_with_the_call(engine: Engine) -> None:
    sold = with_late_bonus(21)
    calls.save(engine, [settlement(sold)])
    conversions.tell(engine, [Told(sold.id, NOW, None)], NOW)
    assert net(ledger.of_call(engine, sold.id)) == Net(4700, 0, 3300, 0)
    assert stored(engine, sold.id).money == Money("USD", 4200, 3000, 4700, 3300)
    assert adjust(engine, sold.id, "k", 4500, 3100, NOW, "a robot")
    assert not adjust(engine, sold.id, "k", 4500, 3100, NOW, "a robot")
    assert net(ledger.of_call(engine, sold.id)) == Net(4700, 4500, 3300, 3100)
    with pytest.raises(CannotCorrect, match=r"2\.01 is more than the 2\.00 USD left"):
        adjust(engine, sold.id, "k2", 201, 0, NOW, "a robot")
    dispute = disputes.open_(engine, sold.id, None, 2**60, NOW, "ann", "a robot")
    disputes.accept(engine, dispute.id, None, None, NOW, "bob", "")
    assert net(ledger.of_call(engine, sold.id)).is_reversed
    assert audit.prove(engine, NOW).findings == []


def test_a_late_bonus_has_a_line_of_its_own_on_an_invoice(engine: Engine) -> None:
    sold = with_late_bonus(21)
    calls.save(engine, [settlement(sold)])
    conversions.tell(engine, [Told(sold.id, NOW, None)], NOW)
    period = period_of("2025-11", "UTC")
    issued = bills.issue(engine, Party("invoice", "acme", "Acme", "USD"), period, at=2**42)
    assert [(line.what, line.count, line.amount) for line in issued.bill.lines] == [
        ("calls", 1, 4200),
        ("bonuses", 1, 500),
    ]


# Caps


def claimed(call: CallRecord, limit: int = 2) -> Wanted:
    period = Period(0, None)
    claims = tuple(
        Claim(f"campaign:plumbing:{measure}", period, amount, limit * amount, "full")
        for measure, amount in (("qualified:total", 1), ("amount:total:USD", 4200), ("attempts:total", 1))
    )
    return Wanted(call.id, claims, None, {"agent-1": ()}, BEGAN, BEGAN + HOUR_MS)


def counted(engine: Engine) -> list[Usage]:
    """Calls, money and attempts."""
    found = usage_of(engine, [0])
    return [
        found[f"campaign:plumbing:{m}", 0] for m in ("qualified:total", "amount:total:USD", "attempts:total")
    ]


def test_a_call_that_waits_keeps_its_place_in_caps_until_it_is_decided(engine: Engine) -> None:
    sold, unsold = waiting(11), waiting(12)
    for call in (sold, unsold):
        assert not reservations.reserve(engine, claimed(call)).left_out
    calls.save(engine, [settlement(sold), settlement(unsold)])
    assert counted(engine) == [Usage(0, 2), Usage(0, 8400), Usage(2, 0)]
    assert reservations.expire(engine, NOW + 86_400_000) == 0
    assert reservations.reserve(engine, claimed(make_call(13))).capped == "full"
    conversions.tell(engine, [Told(sold.id, NOW, None)], NOW)
    conversions.expire(engine, OVERDUE)
    assert counted(engine) == [Usage(1, 0), Usage(4200, 0), Usage(2, 0)]


def test_nobody_is_needed_to_free_the_place_of_a_call_that_waited_in_vain(engine: Engine) -> None:
    call = waiting(11)
    reservations.reserve(engine, claimed(call))
    calls.save(engine, [settlement(call)])
    assert reservations.expire(engine, OVERDUE) == 2
    assert counted(engine)[0] == Usage(0, 0)
