"""What is written about money beside the ledger is found out when it disagrees with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Table, insert, update

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.ledger.bills import Party, period_of
from ari_app.domain.ledger.corrections import charges_of
from ari_app.domain.ledger.payouts import Run
from ari_app.domain.ledger.transfers import partial_reversal, payout
from ari_app.store.calls import calls, rebuild
from ari_app.store.db.engine import writing
from ari_app.store.db.tables import bills as bills_table
from ari_app.store.db.tables import dispute_events
from ari_app.store.db.tables import disputes as disputes_table
from ari_app.store.ledger import ledger
from ari_app.store.money import audit, bills, disputes, payouts
from ari_app.store.reports import rollups
from tests.samples import BEGAN, make_call, settlement

pytestmark = pytest.mark.breaks_the_ledger

CALLS = [make_call(1), make_call(2)]
NEVER = 2**60
BILL = {
    "kind": "invoice",
    "number": 2,
    "party": "acme",
    "name": "Acme",
    "currency": "USD",
    "period": "2026-01",
    "timezone": "UTC",
    "from_at": 1,
    "until_at": 2,
    "issued_at": 3,
    "opening": -8400,
    "payments": 0,
    "lines_json": "[]",
}


@pytest.fixture(autouse=True)
def _busy(engine: Engine) -> None:
    """A marketplace in which everything was done once, as it should be."""
    calls.save(engine, [settlement(call) for call in CALLS])
    for call in CALLS:
        disputes.open_(engine, call.id, 2100, NEVER, BEGAN, "ann", "a robot")
    disputes.accept(engine, 1, 1000, None, BEGAN, "bob", "")
    disputes.reject(engine, 2, BEGAN, "bob", "a person")
    payouts.run(engine, Run("run", NEVER, "USD", NEVER, 0, 0))
    bills.issue(engine, Party("invoice", "acme", "Acme", "USD"), period_of("2025-12", "UTC"), NEVER)
    bills.issue(engine, Party("statement", "homefix", "HomeFix", "USD"), period_of("2025-12", "UTC"), NEVER)


def write(engine: Engine, table: Table, **row: Any) -> None:
    with writing(engine) as connection:
        connection.execute(insert(table), row)


def broken(engine: Engine) -> set[tuple[str, str]]:
    return {(finding.rule, finding.about) for finding in audit.findings(engine)}


def test_nothing_is_found_where_all_was_done_as_it_should_be(engine: Engine) -> None:
    assert broken(engine) == set()


def test_what_is_saved_while_the_books_are_proved_is_no_finding(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    every_in = calls.every_in

    def while_another_is_saved(connection: Connection) -> Iterator[CallRecord]:
        calls.save(engine, [settlement(make_call(3))])
        return every_in(connection)

    monkeypatch.setattr(calls, "every_in", while_another_is_saved)
    assert audit.prove(engine, BEGAN).findings == []


def test_a_dispute_that_was_accepted_without_its_money_is_found(engine: Engine) -> None:
    write(engine, disputes_table, id=3, call_id=CALLS[1].id, n=2)
    for n, what in ((1, "opened"), (2, "accepted")):
        write(engine, dispute_events, dispute_id=3, n=n, what=what, at=1, by="eve", reason="", amount=1)
    assert broken(engine) == {("a dispute moves what was accepted", "dispute 3")}


def test_a_payout_without_earnings_is_found(engine: Engine) -> None:
    ledger.post(engine, payout("other", "homefix", 1, "USD", BEGAN))
    assert broken(engine) == {("a payout is the sum of its earnings", "payout:other:homefix")}


def test_a_bill_that_does_not_begin_where_the_last_ended_is_found(engine: Engine) -> None:
    write(engine, bills_table, **BILL)  # the first closed at -74.00
    assert broken(engine) == {("a bill begins where the one before ended", "invoice 2")}


def test_a_bill_that_says_more_than_its_transfers_is_found(engine: Engine) -> None:
    write(engine, bills_table, **{**BILL, "opening": -7400, "payments": 1})
    assert broken(engine) == {("a bill is the sum of its transfers", "invoice 2")}


def test_a_number_that_is_left_out_is_found(engine: Engine) -> None:
    write(engine, bills_table, **{**BILL, "opening": -7400, "number": 3})
    assert broken(engine) == {("bills are numbered without gaps", "invoice 3")}


def test_a_report_that_is_not_the_ledgers_is_found_with_its_day_and_parties(engine: Engine) -> None:
    with writing(engine) as connection:
        for table in rollups.CALL_TABLES:
            connection.execute(update(table).values(revenue=table.c.revenue + 1))
    found = [
        finding for finding in audit.findings(engine) if finding.rule == "reports say what the ledger says"
    ]
    [first, *_] = found
    parties = "campaign plumbing, advertiser acme, publisher homefix, source sidebar, currency USD"
    assert first.about == f"2025-11-23 UTC, {parties}"
    assert first.cure == "rebuild"
    for day_at in rebuild.days(engine):
        rebuild.rebuild_day(engine, day_at)
    assert broken(engine) == set()


def test_a_correction_that_no_report_counts_is_found(engine: Engine) -> None:
    [charge] = charges_of(ledger.of_call(engine, CALLS[1].id))
    ledger.post(engine, partial_reversal(charge, "by-hand", 1, BEGAN + 86_400_000, "by hand"))
    [finding, *_] = audit.findings(engine)
    assert "reports have revenue 0, corrected_revenue 0; the ledger revenue -1" in finding.detail
