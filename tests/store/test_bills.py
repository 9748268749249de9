"""A bill is issued once, without a gap, and each transfer is on one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, delete, update
from sqlalchemy.exc import DBAPIError

from ari_app.domain.basics.clock import from_iso
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.ledger.bills import Bill, BillError, BillLine, Party, period_of
from ari_app.domain.ledger.payouts import Run
from ari_app.domain.ledger.transfers import deposit
from ari_app.store.calls import calls
from ari_app.store.db.engine import writing
from ari_app.store.db.tables import bills as bills_table
from ari_app.store.ledger import ledger
from ari_app.store.money import bills, payouts
from ari_app.store.money.corrections import adjust
from tests.samples import make_call, settlement

ZONE = "America/New_York"
ACME = Party("invoice", "acme", "Acme Plumbing", "USD")
HOMEFIX = Party("statement", "homefix", "HomeFix", "USD")
DECEMBER_2 = from_iso("2025-12-02")
JANUARY_2 = from_iso("2026-01-02")


def call(n: int, ended: str, **changes: object) -> CallRecord:
    return make_call(n, ended_at=from_iso(ended), **changes)


CALL = call(1, "2025-11-10")


@pytest.fixture(autouse=True)
def _saved(engine: Engine) -> None:
    ledger.post(engine, deposit("wire", "acme", 50_000, "USD", at=from_iso("2025-11-01T12:00")))
    calls.save(engine, [settlement(CALL), settlement(call(2, "2025-11-11", campaign="roofing"))])


def invoice(engine: Engine, month: str = "2025-11", at: int = DECEMBER_2, party: Party = ACME) -> Bill:
    return bills.issue(engine, party, period_of(month, ZONE), at).bill


def test_an_invoice_has_a_line_for_each_campaign_and_its_adjustments(engine: Engine) -> None:
    adjust(engine, CALL.id, "k", 1000, 700, from_iso("2025-11-20"), "bad line")
    bill = invoice(engine)
    assert bill.lines == (
        BillLine("calls", "plumbing", False, 1, 4200),
        BillLine("adjustments", "plumbing", False, 1, -1000),
        BillLine("calls", "roofing", False, 1, 4200),
    )
    assert (bill.number, bill.opening, bill.total, bill.payments, bill.closing) == (
        1,
        0,
        7400,
        50_000,
        42_600,
    )


def test_a_statement_says_what_was_earned_and_paid_out(engine: Engine) -> None:
    payouts.run(engine, Run("run", from_iso("2025-11-30"), "USD", DECEMBER_2, 0, 0))
    adjust(engine, CALL.id, "k", 0, 700, from_iso("2025-11-30T12:00"), "bad line")
    bill = invoice(engine, party=HOMEFIX)
    assert (bill.kind, bill.number, bill.total, bill.payments, bill.closing) == (
        "statement",
        1,
        5300,
        6000,
        -700,
    )


def test_the_same_period_again_is_the_same_bill(engine: Engine) -> None:
    first = bills.issue(engine, ACME, period_of("2025-11", ZONE), DECEMBER_2)
    calls.save(engine, [settlement(call(3, "2025-11-12"))])
    again = bills.issue(engine, ACME, period_of("2025-11", ZONE), JANUARY_2)
    assert (first.is_new, again.is_new) == (True, False)
    assert again.bill == first.bill == bills.get(engine, "invoice", 1)


def test_a_call_that_is_written_after_its_months_bill_is_on_the_next(engine: Engine) -> None:
    november = invoice(engine)
    calls.save(engine, [settlement(call(3, "2025-11-12")), settlement(call(4, "2025-12-12"))])
    december = invoice(engine, "2025-12", JANUARY_2)
    assert december.opening == november.closing
    assert december.lines == (
        BillLine("calls", "plumbing", False, 1, 4200),
        BillLine("calls", "plumbing", True, 1, 4200),
    )


def test_a_month_ends_in_the_advertisers_zone(engine: Engine) -> None:
    calls.save(engine, [settlement(call(3, "2025-12-01T04:59:59")), settlement(call(4, "2025-12-01T05:00"))])
    assert [line.count for line in invoice(engine).lines] == [2, 1]


def test_a_month_that_is_not_over_is_not_billed(engine: Engine) -> None:
    with pytest.raises(BillError, match="2025-11 is not over in America/New_York"):
        invoice(engine, at=from_iso("2025-12-01T04:59:59"))


def test_a_month_that_is_not_over_is_billed_by_force_as_it_is(engine: Engine) -> None:
    at = from_iso("2025-11-10T12:00")
    bill = bills.issue(engine, ACME, period_of("2025-11", ZONE), at, force_open=True).bill
    assert (bill.period.until_at, bill.total) == (at, 4200)
    assert invoice(engine, "2025-12", JANUARY_2).lines == (BillLine("calls", "roofing", True, 1, 4200),)


def test_a_month_before_the_last_one_billed_is_not_billed(engine: Engine) -> None:
    invoice(engine)
    with pytest.raises(BillError, match="2025-11 is billed already"):
        invoice(engine, "2025-10")


def test_nothing_is_no_bill(engine: Engine) -> None:
    with pytest.raises(BillError, match="nothing moved for acme in 2025-10"):
        invoice(engine, "2025-10")


def test_a_refused_bill_leaves_no_gap(engine: Engine) -> None:
    with pytest.raises(BillError):
        invoice(engine, "2025-10")
    assert invoice(engine).number == 1
    calls.save(engine, [settlement(call(3, "2025-12-12"))])
    assert invoice(engine, "2025-12", JANUARY_2).number == 2
    assert [bill.number for bill in bills.list_(engine, "invoice", "acme")] == [1, 2]


def test_of_many_who_bill_at_once_all_get_the_same(engine: Engine) -> None:
    def issue(n: int) -> tuple[int, bool]:
        issued = bills.issue(engine, ACME, period_of("2025-11", ZONE), DECEMBER_2 + n)
        return issued.bill.number, issued.is_new

    with ThreadPoolExecutor(8) as pool:
        issued = list(pool.map(issue, range(8)))
    assert sorted(issued) == [(1, False)] * 7 + [(1, True)]


@pytest.mark.parametrize("change", [update(bills_table).values(opening=1), delete(bills_table)])
def test_an_issued_bill_cannot_be_changed(engine: Engine, change: object) -> None:
    invoice(engine)
    with pytest.raises(DBAPIError, match="never changed"), writing(engine) as connection:
        connection.execute(change)  # type: ignore[call-overload]
