"""The day's calls and money, added up by the database."""

from __future__ import annotations

from sqlalchemy import Engine

from ari_app.domain.calls.record import Money
from ari_app.domain.reports.today import Sums
from ari_app.store.calls import calls
from ari_app.store.money.corrections import adjust
from ari_app.store.reports import today
from tests.samples import BEGAN, make_call, settlement, unqualified


def test_a_day_without_calls_has_no_sums(engine: Engine) -> None:
    assert today.since(engine, 0) == []


def test_calls_are_added_up_from_the_moment_on(engine: Engine) -> None:
    batch = [make_call(1), make_call(2), unqualified(3), make_call(4, connected_at=None, qualification=None)]
    calls.save(engine, [settlement(call) for call in batch[:3]] + [settlement_of_nothing(batch[3])])
    assert today.since(engine, BEGAN + 2000) == [Sums("USD", 3, 2, 1, 8400, 6000)]


def test_money_counts_from_the_moment_at_which_it_moved(engine: Engine) -> None:
    """The first call's, which began before; and not what was charged before, but what was taken back of it since."""
    calls.save(engine, [settlement(make_call(1))])
    ended_at = make_call(1).ended_at or 0
    assert today.since(engine, ended_at) == [Sums("USD", 0, 0, 0, 4200, 3000)]
    assert today.since(engine, ended_at + 1) == []
    adjust(engine, make_call(1).id, "k", 1000, 700, ended_at + 1, "bad line")
    assert today.since(engine, ended_at + 1) == [Sums("USD", 0, 0, 0, -1000, -700, -1000, -700)]
    assert today.since(engine, 0) == [Sums("USD", 1, 1, 1, 3200, 2300, -1000, -700)]


def test_each_currency_is_added_up_by_itself_and_calls_without_one_too(engine: Engine) -> None:
    euros = make_call(2, money=Money("EUR", 100, 70, charged=100, paid=70))
    unknown = make_call(3, money=None, qualification=None, connected_at=None, legs=[])
    calls.save(engine, [settlement(make_call(1)), settlement(euros), settlement_of_nothing(unknown)])
    found = sorted(today.since(engine, 0), key=lambda sums: sums.currency or "")
    assert found == [
        Sums(None, 1, 0, 0, 0, 0),
        Sums("EUR", 1, 1, 1, 100, 70),
        Sums("USD", 1, 1, 1, 4200, 3000),
    ]


def settlement_of_nothing(record):
    """A call that moved no money."""
    if record.money is not None:
        record.money.charged = record.money.paid = 0
    return calls.Settlement(record)
