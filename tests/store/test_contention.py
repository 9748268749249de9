"""On PostgreSQL: who has to wait for others keeps no caller waiting, for caps or for funds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, Engine, event, text

from ari_app.domain.basics.periods import Period
from ari_app.domain.calls.record import CallRecord, ClauseResult, Money, Verdict
from ari_app.domain.caps.counters import Answer, Claim, Funds, Wanted
from ari_app.domain.ledger.transfers import deposit
from ari_app.domain.terms.conversions import Told
from ari_app.store.calls import calls, rebuild
from ari_app.store.db.engine import open_engine, open_hasty, writing
from ari_app.store.ledger import ledger
from ari_app.store.limits import atonce, reservations
from ari_app.store.money import audit, conversions
from tests.samples import BEGAN, make_call, settlement, waiting

PATIENCE_S = 20
BUDGET_MS = 1000  # a locked row is waited for until this; in the product, a quarter of it
NOW = BEGAN + 3_600_000


@pytest.fixture
def engine(server: str) -> Iterator[Engine]:
    """A database with a call that waits for its conversion, and one whose reservation is open."""
    engine = open_engine(server)
    with writing(engine) as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # no triggers
        connection.execute(
            text(
                "TRUNCATE calls, legs, recordings, transfers, account_balances, counters, "
                "reservations, talked, rollup_calls, rollup_states, rollup_details, "
                "rollup_offers, rollup_endings CASCADE"
            )
        )
    ledger.post(engine, deposit("d", "acme", 10**9, "USD", BEGAN))
    for record in (waiting(1), make_call(2), make_call(3)):
        reservations.reserve(engine, wish(record.id))
    calls.save(engine, [settlement(waiting(1)), settlement(make_call(3))])
    yield engine
    assert audit.prove(engine, NOW).findings == []
    engine.dispose()


def wish(call_id: str) -> Wanted:
    claim = Claim("campaign:plumbing:qualified:day", Period(0, None), 1, 10**6, "full")
    funds = Funds("advertiser:acme", "USD", 4200, 0, "no funds")
    return Wanted(call_id, (claim,), funds, {"agent-1": ()}, BEGAN, BEGAN * 2)


def repeat_of(record: CallRecord, n: int) -> CallRecord:
    """A call that met all of its terms but that its caller had called before."""
    clauses = [ClauseResult("no_repeat_within", False, "called before")]
    return make_call(n, ani=record.ani, qualification=Verdict(False, clauses), money=Money("USD", 4200, 3000))


def save(engine: Engine) -> None:
    calls.save(engine, [settlement(make_call(2))])


def save_a_repeat(engine: Engine) -> None:
    calls.save(engine, [settlement(repeat_of(make_call(3), 2))])


def convert(engine: Engine) -> None:
    conversions.tell(engine, [Told(waiting(1).id, NOW - 1, "order")], NOW)


def give_up(engine: Engine) -> None:
    conversions.expire(engine, NOW + 30 * 86_400_000)


LOCKS = {
    "reports": "LOCK TABLE rollup_calls, rollup_details IN EXCLUSIVE MODE",
    "trunks": "LOCK TABLE talked IN EXCLUSIVE MODE",
    "a publisher's balance": "SELECT 1 FROM account_balances WHERE account = 'publisher:homefix' FOR UPDATE",
    "the exchange's balance": "SELECT 1 FROM account_balances WHERE account = 'exchange' FOR UPDATE",
    "a caller's calls": "SELECT 1 FROM calls FOR UPDATE",
    "the marketplace": "SELECT 1 FROM revision FOR UPDATE",
}


@pytest.mark.parametrize(
    ("doing", "lock"),
    [
        (save, "reports"),
        (save, "trunks"),
        (save, "a publisher's balance"),
        (save, "the exchange's balance"),
        (save_a_repeat, "a caller's calls"),
        (convert, "reports"),
        (convert, "a publisher's balance"),
        (convert, "a caller's calls"),
        (convert, "the marketplace"),
        (give_up, "reports"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_who_waits_for_a_lock_keeps_no_caller_waiting(
    engine: Engine, doing: Callable[[Engine], None], lock: str
) -> None:
    hasty = open_hasty(engine, BUDGET_MS)
    with writing(engine) as other:
        other.execute(text(LOCKS[lock]))
        working = threading.Thread(target=doing, args=(engine,))
        working.start()
        wait_until_somebody_waits(other)
        answers = [reservations.reserve(hasty, wish(f"new-{n}")) for n in range(5)]
    working.join(PATIENCE_S)
    assert not working.is_alive()
    assert answers == [Answer()] * 5
    hasty.dispose()


def test_where_there_is_room_all_that_a_call_needs_is_reserved_by_one_message(engine: Engine) -> None:
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    assert reservations.reserve(engine, wish("call")) == Answer()
    assert len(asked) == 1


def test_at_once_the_same_is_reserved_as_step_by_step(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reserved(call_id: str) -> list[tuple[object, ...]]:
        counted = "SELECT key, period_start, used, reserved FROM counters ORDER BY key"
        money = "SELECT account, currency, posted, held, reserved FROM account_balances ORDER BY account"
        claims = "SELECT key, period_start, amount, at, expires_at FROM reservations WHERE call_id = :id ORDER BY key"
        assert reservations.reserve(engine, wanted_of_each_kind(call_id)) == Answer()
        with writing(engine) as connection:
            queries = counted, money, claims
            rows = [
                tuple(row) for query in queries for row in connection.execute(text(query), {"id": call_id})
            ]
        reservations.give_back(engine, call_id)
        return rows

    at_once = reserved("at-once")
    monkeypatch.setattr(atonce, "reserve", lambda *_: False)
    assert reserved("by-steps") == at_once


def wanted_of_each_kind(call_id: str) -> Wanted:
    claims = tuple(
        Claim(f"campaign:{name}:{measured}:day", Period(start, None), amount, amount, "full")
        for name, measured, start, amount in (("b", "qualified", 7, 1), ("a", "amount", 0, 4200))
    )
    of_agents = (Claim("destination:agent-1:attempts:day", Period(9, None), 1, 6, "full"),)
    funds = Funds("advertiser:acme", "USD", 4200, 100, "no funds")
    return Wanted(call_id, claims, funds, {"agent-1": of_agents, "agent-2": ()}, BEGAN, BEGAN * 2)


def wait_until_somebody_waits(connection: Connection) -> None:
    until = time.monotonic() + PATIENCE_S
    waiting_for_a_lock = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    while not connection.execute(waiting_for_a_lock).scalar_one():
        assert time.monotonic() < until
        connection.execute(text("SELECT pg_stat_clear_snapshot()"))


def test_while_reports_are_rebuilt_calls_are_saved_and_offered(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = open_hasty(engine, BUDGET_MS)
    counted, answers = calls.pages_between, []

    def meanwhile(connection: Connection, since: int, until: int) -> Iterator[list[CallRecord]]:
        pages = list(counted(connection, since, until))
        save(engine)
        answers.append(reservations.reserve(hasty, wish("new")))
        return iter(pages)

    monkeypatch.setattr(calls, "pages_between", meanwhile)
    assert sum(rebuild.rebuild_day(engine, day) for day in rebuild.days(engine)) == 2  # as it began
    assert answers == [Answer()]
    with writing(engine) as connection:
        assert connection.execute(text("SELECT sum(incoming) FROM rollup_calls")).scalar_one() == 3
    hasty.dispose()


def test_two_rebuilds_at_once_book_what_is_missing_once(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("DELETE FROM rollup_calls"))
    days = rebuild.days(engine)
    both = [
        threading.Thread(target=lambda: [rebuild.rebuild_day(engine, day) for day in days]) for _ in range(2)
    ]
    for one in both:
        one.start()
    for one in both:
        one.join(PATIENCE_S)
    with writing(engine) as connection:
        assert connection.execute(text("SELECT sum(incoming) FROM rollup_calls")).scalar_one() == 2


def test_a_crowd_that_saves_converts_reserves_and_pays_ends_without_a_deadlock(engine: Engine) -> None:
    """Different advertisers and publishers, in every order: PostgreSQL ends nobody's transaction."""
    parties = [(f"adv-{n % 5}", f"pub-{n % 7}") for n in range(60)]
    records = [
        (waiting if n % 3 == 0 else make_call)(1000 + n, advertiser=adv, publisher=pub)
        for n, (adv, pub) in enumerate(parties)
    ]
    shares = [records[start::4] for start in range(4)]
    broken: list[BaseException] = []

    def work(share: list[CallRecord]) -> None:
        try:
            for round_ in range(0, len(share), 5):
                batch = share[round_ : round_ + 5]
                for record in batch:
                    claim = Claim(
                        f"campaign:{record.advertiser}:qualified:day", Period(0, None), 1, 10**6, "full"
                    )
                    funds = Funds(f"advertiser:{record.advertiser}", "USD", 4200, 10**9, "no funds")
                    reservations.reserve(
                        engine, Wanted(record.id, (claim,), funds, {"agent-1": ()}, BEGAN, BEGAN * 2)
                    )
                calls.save(engine, [settlement(record) for record in batch])
                told = [Told(record.id, NOW - 1, "order") for record in batch if record.waits_until]
                conversions.tell(engine, told, NOW)
        except BaseException as error:
            broken.append(error)
            raise

    threads = [threading.Thread(target=work, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert broken == []
    assert {len(calls.saved(engine, [record.id for record in records]))} == {60}
