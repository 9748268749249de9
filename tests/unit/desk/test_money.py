"""The ledger's use cases: what they return, what they refuse, and who is written down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from ari_app.access.actor import Actor
from ari_app.desk import bills, disputes, ledger, payouts
from ari_app.desk.calls import find
from ari_app.desk.ledger import Payment
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.domain.ledger.bills import BillKind
from ari_app.domain.ledger.disputes import Dispute
from ari_app.store.calls import calls
from ari_app.store.db import auditlog
from tests.samples import make_call, settlement
from tests.unit.desk.conftest import at

CALL = make_call(1)
NOW = (CALL.ended_at or 0) + 1000
WEEK_MS = 7 * payouts.DAY_MS
MONTH_AFTER = "2025-11"


def noted(site: Site) -> list[tuple[str, str, str]]:
    """Who did what to what, the newest first."""
    return [(one.actor, one.use_case, one.subject) for one in auditlog.newest(site.engine, 9)]


def refused(act: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        act()
    return caught.value


def test_a_deposit_is_booked_once_and_says_by_whom(site: Site, ada: Actor) -> None:
    def pay(now: int) -> Payment:
        return ledger.deposit(at(site, now), ada, advertiser="acme", amount="500.00", key="wire-1")

    assert pay(NOW) == Payment("acme", 50_000, "USD", "wire-1", is_new=True)
    assert pay(NOW + 1) == Payment("acme", 50_000, "USD", "wire-1", is_new=False)
    assert noted(site) == [("ada", "ledger.deposit", "acme")]
    [account] = [one for one in ledger.balances(site) if one.name == "advertiser:acme"]
    assert account.available == 50_000 - 4_200


def test_a_refund_is_of_what_was_paid_in(site: Site, ada: Actor) -> None:
    ledger.deposit(site, ada, advertiser="acme", amount="500.00", key="wire-1")
    back = ledger.refund(site, ada, advertiser="acme", amount="58.00", key="back-1", reason="they left")
    assert (back.amount, back.is_new) == (5_800, True)
    assert noted(site)[0] == ("ada", "ledger.refund", "acme")


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("amount", {"amount": "0.00"}),
        ("amount", {"amount": "5.001"}),
        ("currency", {"currency": "yen"}),
        ("key", {"key": "two\nlines"}),
        ("reason", {"reason": "bell\a"}),
    ],
)
def test_a_payment_that_cannot_be_is_refused_by_its_field(
    site: Site, ada: Actor, field: str, changes: dict[str, str]
) -> None:
    wanted = {"advertiser": "acme", "amount": "5.00", "key": "k", "reason": "r"} | changes
    for book in (ledger.deposit, ledger.refund):
        found = refused(lambda book=book: book(site, ada, **wanted))  # type: ignore[misc]
        assert (found.code, found.facts["field"]) == (Code.INVALID, field)
    assert noted(site) == []


def test_who_is_no_advertiser_pays_nothing_in(site: Site, ada: Actor) -> None:
    found = refused(lambda: ledger.deposit(site, ada, advertiser="nobody", amount="5.00", key="k"))
    assert (found.code, found.facts["known"]) == (Code.NO_SUCH_PARTY, ["acme"])


def test_without_a_marketplace_nobody_pays_in(new_site: Site, ada: Actor) -> None:
    found = refused(lambda: ledger.deposit(new_site, ada, advertiser="acme", amount="5.00", key="k"))
    assert found.code == Code.NO_MARKETPLACE


def test_an_adjustment_says_what_the_call_comes_to(site: Site, ada: Actor) -> None:
    after = ledger.adjust(
        site, ada, call_id=CALL.id, key="case-1", reason="bad line", price="-10.00", payout="-7.00"
    )
    assert (after.after.price, after.after.payout, after.currency, after.is_new) == (
        3_200,
        2_300,
        "USD",
        True,
    )
    assert noted(site) == [("ada", "ledger.adjust", CALL.id)]


def test_an_adjustment_takes_something_back_of_a_call_that_there_is(site: Site, ada: Actor) -> None:
    def adjust(call_id: str, **amounts: str) -> Refused:
        return refused(lambda: ledger.adjust(site, ada, call_id=call_id, key="k", reason="r", **amounts))

    assert adjust("ffff", price="-1.00").code == Code.UNKNOWN
    assert adjust(CALL.id).code == Code.NOTHING_TO_ADJUST
    assert adjust(CALL.id, payout="1.00").facts["field"] == "payout"


def test_what_is_no_account_has_no_statement(site: Site) -> None:
    assert refused(lambda: ledger.statement(site, "bank:mine")).code == Code.NO_ACCOUNT
    assert ledger.statement(site, "world") == []
    assert [line.transfer.call_id for line in ledger.statement(site, "publisher:homefix")] == [CALL.id]


def test_a_dispute_is_opened_and_decided_by_people_with_names(site: Site, ada: Actor) -> None:
    acme = Actor("advertiser", "acme")
    opened = disputes.open_(site, acme, call_id=CALL.id, reason="a robot", amount="10.00")
    decided = disputes.accept(at(site, NOW + 1), ada, dispute_id=opened.id)
    assert [(event.what, event.by) for event in decided.events] == [
        ("opened", "advertiser:acme"),
        ("accepted", "ada"),
    ]
    assert noted(site) == [
        ("ada", "disputes.accept", str(opened.id)),
        ("advertiser:acme", "disputes.open", str(opened.id)),
    ]
    assert disputes.list_(site, state="accepted", advertiser="acme") == [decided]


def test_what_is_no_dispute_is_not_decided(site: Site, ada: Actor) -> None:
    found = refused(lambda: disputes.reject(site, ada, dispute_id=9, reason="r"))
    assert (found.code, found.facts) == (Code.UNKNOWN, {"what": "dispute", "name": 9})


def test_what_the_domain_and_the_store_refuse_has_a_code(site: Site, ada: Actor) -> None:
    def found(act: Callable[[], object]) -> Code:
        return refused(act).code

    def pay(amount: str) -> Payment:
        return ledger.deposit(site, ada, advertiser="acme", amount=amount, key="wire-1")

    def open_dispute(site: Site = site) -> Dispute:
        return disputes.open_(site, ada, call_id=CALL.id, reason="a robot")

    pay("5.00")
    assert found(lambda: pay("6.00")) == Code.KEY_TAKEN
    assert found(lambda: ledger.refund(site, ada, advertiser="acme", amount="9", key="k", reason="r")) == (
        Code.CANNOT_REFUND
    )
    assert found(lambda: ledger.adjust(site, ada, call_id=CALL.id, key="k", reason="r", price="-42.01")) == (
        Code.CANNOT_CORRECT
    )
    assert found(lambda: open_dispute(at(site, NOW + WEEK_MS))) == Code.CANNOT_DISPUTE
    there = open_dispute()
    again = refused(open_dispute)
    assert (again.code, again.facts["dispute"]) == (Code.IN_DISPUTE, there.id)
    assert found(lambda: bills.draft(site, "invoice", "acme", "2025-11")) == Code.MONTH_IS_OPEN
    assert found(lambda: bills.draft(site, "invoice", "acme", "2025-10")) == Code.CANNOT_BILL
    with pytest.raises(Refused) as ambiguous:
        calls.save(site.engine, [settlement(make_call(2))])
        find(site, CALL.id[:6])
    assert ambiguous.value.code == Code.AMBIGUOUS_CALL


def test_a_bill_is_drafted_then_issued_once(site: Site, ada: Actor) -> None:
    whose: tuple[BillKind, str, str] = ("invoice", "acme", MONTH_AFTER)
    drafted = bills.draft(at(site, NOW + WEEK_MS * 5), *whose)
    assert (drafted.bill.total, bills.list_(site, "invoice")) == (4_200, [])
    issued = bills.issue(at(site, NOW + WEEK_MS * 5), ada, *whose)
    assert issued == drafted
    assert not bills.issue(at(site, NOW + WEEK_MS * 6), ada, *whose).is_new
    assert noted(site) == [("ada", "bills.issue", "acme")]
    assert [transfer.call_id for transfer, _ in bills.items(site, issued.bill)] == [CALL.id]
    assert bills.get(site, "invoice", 1) == issued.bill
    assert refused(lambda: bills.get(site, "invoice", 2)).code == Code.UNKNOWN
    assert refused(lambda: bills.draft(site, "statement", "homefix", "2025-13")).facts["field"] == ("period")


def test_a_run_holds_a_week_and_pays_once(site: Site, ada: Actor) -> None:
    until = date(2025, 12, 31)
    early = payouts.asked(site, key="run-1", until=until)
    assert early.hold_ms == WEEK_MS
    assert payouts.run(site, ada, early).payouts == []
    assert noted(site) == []
    paid = payouts.run(site, ada, payouts.asked(at(site, NOW + WEEK_MS), key="run-1", until=until))
    assert [(one.publisher, one.amount) for one in paid.payouts] == [("homefix", 3_000)]
    assert noted(site) == [("ada", "payouts.run", "run-1")]
    assert payouts.get(site, "run-1").payouts == paid.payouts
    assert refused(lambda: payouts.get(site, "run-2")).code == Code.NO_PAYOUT_RUN


@pytest.mark.parametrize(
    ("field", "changes"),
    [("key", {"key": "a/b"}), ("hold_days", {"hold_days": 366}), ("minimum", {"minimum": "-1"})],
)
def test_a_run_that_cannot_be_is_refused(site: Site, field: str, changes: dict[str, object]) -> None:
    wanted: dict[str, object] = {"key": "k", "until": date(2025, 12, 31)} | changes
    found = refused(lambda: payouts.asked(site, **wanted))  # type: ignore[arg-type]
    assert (found.code, found.facts["field"]) == (Code.INVALID, field)
