"""What calls reserve of caps and funds: never one over, once each, given back when they are over."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, insert, update

from ari_app.domain.basics.periods import Period
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.caps.counters import Answer, Claim, Funds, Wanted
from ari_app.domain.ledger.balances import Balance
from ari_app.domain.ledger.transfers import deposit
from ari_app.domain.ledger.verification import verify_kept
from ari_app.store.calls import calls
from ari_app.store.calls.calls import Settlement
from ari_app.store.db.engine import open_engine, open_hasty, reading, writing
from ari_app.store.db.errors import DatabaseUnavailable
from ari_app.store.db.tables import account_balances, counters
from ari_app.store.ledger import ledger
from ari_app.store.limits import reservations
from ari_app.store.limits.usage import Usage, usage_of
from tests.samples import BEGAN, make_call, settlement, unqualified

DAY = Period(BEGAN, BEGAN + 86_400_000)
CAMPAIGN = ("campaign:plumbing:qualified:day", BEGAN)
AGENT_1 = ("destination:agent-1:connected:day", BEGAN)
AGENT_2 = ("destination:agent-2:connected:day", BEGAN)
CONCURRENT = ("campaign:plumbing:concurrent", BEGAN)


def claim(counter: tuple[str, int], limit: int, amount: int = 1) -> Claim:
    return Claim(counter[0], DAY, amount, limit, f"{counter[0]} has no room")


def wanted(call_id: str, *claims: Claim, funds: int = 0, credit: int = 0, **destinations: Claim) -> Wanted:
    money = Funds("advertiser:acme", "USD", funds, credit, "no funds") if funds else None
    rung = {name.replace("_", "-"): (its,) for name, its in destinations.items()}
    return Wanted(call_id, claims, money, {"agent-9": (), **rung}, BEGAN, BEGAN + 1000)


def usage(engine: Engine, counter: tuple[str, int]) -> Usage:
    return usage_of(engine, [counter[1]]).get(counter, Usage(0, 0))


def money_of_acme(engine: Engine) -> tuple[int, int]:
    """What is reserved of its money, and what is available but for that."""
    query = account_balances.select().where(account_balances.c.account == "advertiser:acme")
    with reading(engine) as connection:
        row = connection.execute(query).one()
    return row.reserved, Balance(row.posted, row.held).available


def save(engine: Engine, record: CallRecord) -> None:
    calls.save(engine, [settlement(record)])


# One after the other


def test_a_cap_lets_as_many_calls_through_as_it_says(engine: Engine) -> None:
    answers = [reservations.reserve(engine, wanted(f"call-{n}", claim(CAMPAIGN, 2))) for n in range(3)]
    assert answers == [Answer(), Answer(), Answer(capped=f"{CAMPAIGN[0]} has no room")]
    assert usage(engine, CAMPAIGN) == Usage(0, 2)


def test_a_call_that_asks_again_has_reserved_once(engine: Engine) -> None:
    ledger.post(engine, deposit("1", "acme", 4200, "USD", at=BEGAN))
    again = wanted("call", claim(CAMPAIGN, 1), funds=4200)
    assert [reservations.reserve(engine, again) for _ in range(2)] == [Answer(), Answer()]
    assert usage(engine, CAMPAIGN) == Usage(0, 1)
    assert money_of_acme(engine) == (4200, 4200)


def test_a_call_that_asks_again_is_reserved_for_as_long_as_a_new_one(engine: Engine) -> None:
    call = wanted("call", claim(CAMPAIGN, 1))
    reservations.reserve(engine, call)
    reservations.reserve(engine, replace(call, expires_at=call.expires_at + 1000))
    assert reservations.expire(engine, call.expires_at) == 0
    assert reservations.expire(engine, call.expires_at + 1000) == 1


def test_a_call_gets_all_that_it_needs_or_nothing(engine: Engine) -> None:
    reservations.reserve(engine, wanted("first", claim(CAMPAIGN, 1)))
    both = wanted("second", claim(("advertiser:acme:qualified:day", BEGAN), 9), claim(CAMPAIGN, 1))
    assert reservations.reserve(engine, both).capped
    assert usage(engine, ("advertiser:acme:qualified:day", BEGAN)) == Usage(0, 0)


def test_a_destination_whose_cap_is_full_is_left_out_and_the_others_are_rung(engine: Engine) -> None:
    reservations.reserve(engine, wanted("first", agent_1=claim(AGENT_1, 1)))
    answer = reservations.reserve(
        engine, wanted("second", agent_1=claim(AGENT_1, 1), agent_2=claim(AGENT_2, 1))
    )
    assert answer == Answer(left_out={"agent-1": f"{AGENT_1[0]} has no room"})
    assert (usage(engine, AGENT_1), usage(engine, AGENT_2)) == (Usage(0, 1), Usage(0, 1))


def test_when_every_destination_is_full_nothing_is_reserved(engine: Engine) -> None:
    reservations.reserve(engine, wanted("first", agent_1=claim(AGENT_1, 1)))
    only = replace(wanted("second", claim(CAMPAIGN, 9)), destinations={"agent-1": (claim(AGENT_1, 1),)})
    assert list(reservations.reserve(engine, only).left_out) == ["agent-1"]
    assert usage(engine, CAMPAIGN) == Usage(0, 0)


def test_of_a_destination_with_two_caps_both_have_room_or_neither_is_taken(engine: Engine) -> None:
    hourly, daily = claim(("destination:agent-1:attempts:hour", BEGAN), 9), claim(AGENT_1, 1)
    reservations.reserve(engine, wanted("first", agent_1=daily))
    two = replace(wanted("second"), destinations={"agent-1": (hourly, daily), "agent-9": ()})
    assert list(reservations.reserve(engine, two).left_out) == ["agent-1"]
    assert usage(engine, (hourly.key, BEGAN)) == Usage(0, 0)


def test_an_amount_beyond_the_whole_cap_has_no_room(engine: Engine) -> None:
    assert reservations.reserve(engine, wanted("call", claim(CAMPAIGN, 4100, amount=4200))).capped
    assert usage(engine, CAMPAIGN) == Usage(0, 0)


# Funds


@pytest.mark.parametrize(
    ("paid_in", "credit", "served"), [(0, 0, 0), (4199, 0, 0), (4200, 0, 1), (8399, 0, 1), (0, 8400, 2)]
)
def test_calls_are_offered_as_far_as_the_money_reaches(
    engine: Engine, paid_in: int, credit: int, served: int
) -> None:
    if paid_in:
        ledger.post(engine, deposit("1", "acme", paid_in, "USD", at=BEGAN))
    answers = [reservations.reserve(engine, wanted(f"call-{n}", funds=4200, credit=credit)) for n in range(3)]
    assert answers == [Answer()] * served + [Answer(left_out={"agent-9": "no funds"})] * (3 - served)


def test_money_of_another_currency_does_not_count(engine: Engine) -> None:
    ledger.post(engine, deposit("1", "acme", 9999, "EUR", at=BEGAN))
    assert reservations.reserve(engine, wanted("call", funds=4200)).left_out == {"agent-9": "no funds"}


def test_without_funds_no_cap_is_used_up(engine: Engine) -> None:
    reservations.reserve(engine, wanted("call", claim(CAMPAIGN, 1), funds=4200))
    assert usage(engine, CAMPAIGN) == Usage(0, 0)


@pytest.mark.parametrize(("how", "left"), [(make_call, 4200), (unqualified, 8400)])
def test_what_a_settled_call_did_not_cost_can_be_spent_again(engine: Engine, how: Any, left: int) -> None:
    ledger.post(engine, deposit("1", "acme", 8400, "USD", at=BEGAN))
    record = how(1)
    reservations.reserve(engine, wanted(record.id, funds=4200))
    save(engine, record)
    assert money_of_acme(engine) == (0, left)


# Settled, given back, expired


def test_a_qualified_call_has_used_what_it_reserved(engine: Engine) -> None:
    record = make_call(1)
    reservations.reserve(engine, wanted(record.id, claim(CAMPAIGN, 1), claim(CONCURRENT, 1)))
    save(engine, record)
    assert (usage(engine, CAMPAIGN), usage(engine, CONCURRENT)) == (Usage(1, 0), Usage(0, 0))
    assert reservations.reserve(engine, wanted("next", claim(CAMPAIGN, 1))).capped


def test_a_call_that_did_not_qualify_gives_back_what_it_reserved(engine: Engine) -> None:
    record = unqualified(1)
    reservations.reserve(engine, wanted(record.id, claim(CAMPAIGN, 1), agent_1=claim(AGENT_1, 1)))
    save(engine, record)
    assert usage(engine, CAMPAIGN) == Usage(0, 0)
    assert usage(engine, AGENT_1) == Usage(1, 0)  # it was connected all the same


def test_only_the_destination_that_won_has_used_its_cap(engine: Engine) -> None:
    record = make_call(1)
    both = wanted(record.id, agent_1=claim(AGENT_1, 1), agent_2=claim(AGENT_2, 1))
    reservations.reserve(engine, both)
    save(engine, record)
    assert (usage(engine, AGENT_1), usage(engine, AGENT_2)) == (Usage(1, 0), Usage(0, 0))


def test_losers_can_be_given_back_while_the_winner_talks(engine: Engine) -> None:
    both = wanted("call", claim(CAMPAIGN, 1), agent_1=claim(AGENT_1, 1), agent_2=claim(AGENT_2, 1))
    reservations.reserve(engine, both)
    reservations.give_back_losers(engine, "call", "agent-1")
    assert [usage(engine, counter) for counter in (CAMPAIGN, AGENT_1, AGENT_2)] == [
        Usage(0, 1),
        Usage(0, 1),
        Usage(0, 0),
    ]


def test_a_loser_was_offered_the_call_all_the_same(engine: Engine) -> None:
    record = make_call(1)
    counter = ("destination:agent-2:attempts:day", BEGAN)
    reservations.reserve(engine, wanted(record.id, agent_2=claim(counter, 1)))
    reservations.give_back_losers(engine, record.id, "agent-1")
    save(engine, record)
    assert usage(engine, counter) == Usage(1, 0)


def test_calls_of_one_batch_are_each_counted(engine: Engine) -> None:
    records = [make_call(1), make_call(2), unqualified(3)]
    for record in records:
        reservations.reserve(engine, wanted(record.id, claim(CAMPAIGN, 9)))
    calls.save(engine, [settlement(record) for record in records])
    assert usage(engine, CAMPAIGN) == Usage(2, 0)


def test_a_call_saved_twice_has_used_its_cap_once(engine: Engine) -> None:
    record = make_call(1)
    reservations.reserve(engine, wanted(record.id, claim(CAMPAIGN, 9)))
    save(engine, record)
    save(engine, record)
    assert usage(engine, CAMPAIGN) == Usage(1, 0)


def test_a_call_whose_record_is_not_saved_keeps_its_reservation(engine: Engine) -> None:
    record = make_call(1, did=None)
    reservations.reserve(engine, wanted(record.id, claim(CAMPAIGN, 1)))
    with pytest.raises(Exception, match="did"):
        calls.save(engine, [Settlement(record)])
    assert usage(engine, CAMPAIGN) == Usage(0, 1)


def test_what_is_given_back_can_be_given_back_once(engine: Engine) -> None:
    for call_id in ("one", "two"):
        reservations.reserve(engine, wanted(call_id, claim(CAMPAIGN, 9)))
    for _ in range(2):
        reservations.give_back(engine, "one")
    assert usage(engine, CAMPAIGN) == Usage(0, 1)


def test_a_call_that_never_comes_back_holds_its_reservation_until_it_expires(engine: Engine) -> None:
    reservations.reserve(engine, wanted("call", claim(CAMPAIGN, 1)))
    assert reservations.expire(engine, BEGAN + 999) == 0
    assert usage(engine, CAMPAIGN) == Usage(0, 1)
    assert reservations.expire(engine, BEGAN + 1000) == 1
    assert usage(engine, CAMPAIGN) == Usage(0, 0)


def test_one_sweep_ends_a_bounded_number(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reservations, "EXPIRED_AT_ONCE", 2)
    for n in range(3):
        reservations.reserve(engine, wanted(f"call-{n}", claim(CAMPAIGN, 9)))
    assert [reservations.expire(engine, BEGAN + 1000) for _ in range(3)] == [2, 1, 0]


@pytest.mark.breaks_the_ledger
def test_the_database_keeps_balances_as_the_transfers_add_up(engine: Engine) -> None:
    ledger.post(engine, deposit("1", "acme", 100_000, "USD", at=BEGAN))
    hold_only = settlement(make_call(3))
    hold_only = replace(hold_only, transfers=hold_only.transfers[:1])
    calls.save(engine, [settlement(make_call(1)), settlement(unqualified(2)), hold_only])
    ledger.post(engine, deposit("2", "acme", 700, "EUR", at=BEGAN))
    assert ledger.kept_balances(engine) == ledger.balances(engine)


def test_whoever_cannot_wait_is_told_in_time_that_a_counter_is_locked(engine: Engine) -> None:
    reservations.reserve(engine, wanted("first", claim(CAMPAIGN, 9)))
    hasty = open_hasty(engine, 50)
    with writing(engine) as other:
        other.execute(update(counters).values(used=1))
        began = time.monotonic()
        with pytest.raises(DatabaseUnavailable):
            reservations.reserve(hasty, wanted("second", claim(CAMPAIGN, 9)))
        assert time.monotonic() - began < 1
    assert reservations.reserve(hasty, wanted("second", claim(CAMPAIGN, 9))) == Answer()
    hasty.dispose()


# All at once


@pytest.fixture(params=["threads", "processes"])
def crowd(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """Many who ask at the same time: eight threads, or two processes."""
    if request.param == "threads":
        with ThreadPoolExecutor(8) as executor:
            yield executor
    else:
        with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as executor:
            yield executor


def ask(url: str, wishes: list[Wanted]) -> list[Answer]:
    engine = open_engine(url)
    try:
        return [reservations.reserve(engine, wish) for wish in wishes]
    finally:
        engine.dispose()


def ask_and_settle(url: str, records: list[CallRecord], wishes: list[Wanted]) -> None:
    """Reserves for each call, and settles it at once if it may be offered."""
    engine = open_engine(url)
    try:
        for record, wish in zip(records, wishes, strict=True):
            if reservations.reserve(engine, wish) == Answer():
                save(engine, record)
    finally:
        engine.dispose()


def in_shares(items: list[Any], count: int) -> list[list[Any]]:
    return [items[n::count] for n in range(count)]


def test_a_crowd_never_gets_one_more_than_the_cap(engine: Engine, empty_url: str, crowd: Executor) -> None:
    wishes = [
        wanted(f"call-{n}", claim(CAMPAIGN, 25), claim(("publisher:homefix:attempts:day", BEGAN), 60))
        for n in range(80)
    ]
    shares = in_shares(wishes, 8)
    answers = [answer for share in crowd.map(ask, [empty_url] * 8, shares) for answer in share]
    assert sum(answer == Answer() for answer in answers) == 25
    assert usage(engine, CAMPAIGN) == Usage(0, 25)
    assert usage(engine, ("publisher:homefix:attempts:day", BEGAN)) == Usage(0, 25)


def test_a_crowd_never_spends_more_than_is_there(engine: Engine, empty_url: str, crowd: Executor) -> None:
    """Some calls are charged and some are not, while others ask: the account is spent, never overdrawn."""
    ledger.post(engine, deposit("1", "acme", 10 * 4200 + 4199, "USD", at=BEGAN))
    records = [unqualified(n) if n % 3 else make_call(n) for n in range(60)]
    wishes = [wanted(record.id, funds=4200) for record in records]
    list(crowd.map(ask_and_settle, [empty_url] * 8, in_shares(records, 8), in_shares(wishes, 8)))
    assert charged(engine) <= 10
    late = [make_call(n) for n in range(100, 111)]
    ask_and_settle(empty_url, late, [wanted(record.id, funds=4200) for record in late])
    assert charged(engine) == 10
    assert money_of_acme(engine) == (0, 4199)
    assert ledger.kept_balances(engine) == ledger.balances(engine)


def charged(engine: Engine) -> int:
    return sum(t.kind == "post" and t.debit == "advertiser:acme" for t in ledger.all_transfers(engine))


def test_a_crowd_that_settles_uses_the_cap_and_no_more(
    engine: Engine, empty_url: str, crowd: Executor
) -> None:
    def wish(record: CallRecord) -> Wanted:
        agents = {"agent_1": claim(AGENT_1, 999), "agent_2": claim(AGENT_2, 999)}
        return wanted(record.id, claim(CAMPAIGN, 20), **agents)

    records = [unqualified(n) if n % 3 else make_call(n) for n in range(60)]
    wishes = [wish(record) for record in records]
    list(crowd.map(ask_and_settle, [empty_url] * 8, in_shares(records, 8), in_shares(wishes, 8)))
    qualified = sum(record.qualification.qualified for record in calls.every(engine))  # type: ignore[union-attr]
    assert usage(engine, CAMPAIGN) == Usage(qualified, 0)
    late = [make_call(n) for n in range(100, 121)]
    ask_and_settle(empty_url, late, [wish(record) for record in late])
    assert usage(engine, CAMPAIGN) == Usage(20, 0)
    assert usage(engine, AGENT_2) == Usage(0, 0)


@pytest.mark.breaks_the_ledger
def test_a_balance_that_a_hand_has_changed_is_found(engine: Engine) -> None:
    ledger.post(engine, deposit("1", "acme", 4200, "USD", at=BEGAN))
    with writing(engine) as connection:
        row = {"account": "advertiser:ghost", "currency": "USD", "posted": 1, "held": 0, "reserved": 0}
        connection.execute(insert(account_balances), row)
    [finding] = verify_kept(ledger.all_transfers(engine), ledger.kept_balances(engine))
    assert finding.about == "advertiser:ghost USD"
