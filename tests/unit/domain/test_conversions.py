"""Calls that wait for a conversion: what is held meanwhile, and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest

from ari_app.domain.basics.errors import DocumentError
from ari_app.domain.calls.geo import Geography, Place
from ari_app.domain.calls.record import CallRecord, Conversion
from ari_app.domain.ledger.calls import CONVERSION_GRACE_MS, settle
from ari_app.domain.ledger.verification import verify
from ari_app.domain.market.campaigns import Campaign, Route
from ari_app.domain.market.terms import Bonus, Clause, Rate
from ari_app.domain.terms.conversions import Told, decide, is_overdue, note, parse
from ari_app.domain.terms.qualification import IN_VAIN
from ari_app.domain.terms.settlement import assess, facts_of
from ari_app.views.record import record_json
from tests.samples import make_call

DAY_MS = 86_400_000
WEEK = Clause(converted_within=7 * DAY_MS)
LONG = Clause(connected_at_least=60_000)
LONGER = Clause(connected_at_least=600_000)


def judged(**clauses: Any) -> CallRecord:
    """A call of 95 s under a campaign with these terms, judged at its end."""
    record = make_call(1, qualification=None)
    campaign = Campaign("acme", 4200, **({"payout": 3000} | clauses), route=Route(waves=()))
    assess(record, campaign, facts_of(record, campaign, Place("NY"), "UTC", {}), Geography())
    return record


def kinds(record: CallRecord) -> list[tuple[str, int]]:
    return [(transfer.kind, transfer.amount) for transfer in settle(record, record.ended_at or 0)]


def ended_at(record: CallRecord) -> int:
    assert record.ended_at is not None
    return record.ended_at


def deadline(record: CallRecord) -> int:
    assert record.qualification is not None
    assert record.qualification.waits_until is not None
    return record.qualification.waits_until


def test_a_call_that_lacks_only_a_conversion_waits_with_its_price_held() -> None:
    record = judged(qualify=(LONG, WEEK))
    assert deadline(record) == ended_at(record) + 7 * DAY_MS
    assert kinds(record) == [("hold", 4200)]
    assert record_json(record)["qualification"]["qualified"] is False
    assert record_json(record)["qualification"]["waits_until"] is not None


def test_a_call_that_lacks_more_does_not_wait() -> None:
    record = judged(qualify=(LONGER, WEEK))
    assert record.qualification is not None
    assert record.qualification.waits_until is None
    assert record.qualification.clauses[-1].detail == IN_VAIN
    assert kinds(record) == [("hold", 4200), ("void", 4200)]


def test_a_side_of_its_own_can_wait_while_the_other_is_paid() -> None:
    record = judged(qualify=(LONG,), price_when=(WEEK,))
    assert kinds(record) == [("hold", 4200), ("post", 3000)]
    record = judged(qualify=(LONG,), payout_when=(WEEK,))
    assert kinds(record) == [("hold", 4200), ("post", 4200)]


SALE = Bonus("sale", (WEEK,), 500, 300)


def test_a_bonus_can_wait_while_the_call_is_paid() -> None:
    record = judged(qualify=(LONG,), bonus=(SALE,))
    assert kinds(record) == [("hold", 4200), ("post", 4200), ("post", 3000), ("hold", 500)]
    assert record.money is not None
    assert (record.money.charged, record.money.paid) == (4200, 3000)
    assert record_json(record)["qualification"]["parts"][0]["price"] == "5.00"


def test_a_bonus_that_waited_is_charged_and_paid_by_transfers_of_its_own() -> None:
    record = judged(qualify=(LONG,), bonus=(SALE,))
    note(record, Conversion(ended_at(record), ended_at(record)))
    transfers = decide(record, ended_at(record) + DAY_MS)
    assert [(t.kind, t.amount) for t in transfers][3:] == [("hold", 500), ("post", 500), ("post", 300)]
    assert record.money is not None
    assert (record.money.price, record.money.charged, record.money.paid) == (4200, 4700, 3300)
    assert verify(transfers, [record], ended_at(record) + DAY_MS) == []


def test_a_bonus_that_waited_in_vain_is_released() -> None:
    record = judged(qualify=(LONG,), bonus=(SALE,))
    transfers = decide(record, deadline(record) + CONVERSION_GRACE_MS)
    assert [(t.kind, t.amount) for t in transfers][3:] == [("hold", 500), ("void", 500)]
    assert record.money is not None
    assert (record.money.charged, record.money.paid) == (4200, 3000)


def test_a_publisher_who_has_a_share_has_one_of_a_late_bonus_too() -> None:
    record = judged(payout=Rate(share=7000), qualify=(LONG,), bonus=(SALE,))
    assert record.qualification is not None
    assert record.qualification.parts[0].payout == 300 + 350


def test_a_bonus_whose_own_terms_are_met_is_in_the_price_of_a_call_that_waits() -> None:
    record = judged(qualify=(WEEK,), bonus=(Bonus("long", (LONG,), 500, 300),))
    assert kinds(record) == [("hold", 4700)]


def test_a_conversion_in_time_charges_and_pays() -> None:
    record = judged(qualify=(LONG, WEEK))
    note(record, Conversion(deadline(record), deadline(record) + 5, "order-1"))
    transfers = decide(record, deadline_after := ended_at(record) + 8 * DAY_MS)
    assert [(t.kind, t.amount, t.at) for t in transfers] == [
        ("hold", 4200, transfers[0].at),
        ("post", 4200, deadline_after),
        ("post", 3000, deadline_after),
    ]
    assert record.money is not None
    assert (record.money.charged, record.money.paid) == (4200, 3000)
    assert verify(transfers, [record], deadline_after) == []
    assert [event.what for event in record.events[-2:]] == ["converted", "judged"]


@pytest.mark.parametrize(
    ("late_ms", "told_late_ms", "words"),
    [
        (1, 2, "later than the time until"),
        (0, CONVERSION_GRACE_MS, "told more than a day after the time until"),
    ],
)
def test_a_conversion_that_is_late_or_told_late_charges_nothing(
    late_ms: int, told_late_ms: int, words: str
) -> None:
    record = judged(qualify=(LONG, WEEK))
    until = deadline(record)
    note(record, Conversion(until + late_ms, until + told_late_ms))
    transfers = decide(record, until + told_late_ms)
    assert [transfer.kind for transfer in transfers] == ["hold", "void"]
    assert record.qualification is not None
    assert words in record.qualification.clauses[-1].detail


def test_a_call_is_overdue_a_day_after_its_time() -> None:
    record = judged(qualify=(WEEK,))
    until = deadline(record)
    assert not is_overdue(record, until + CONVERSION_GRACE_MS - 1)
    assert is_overdue(record, until + CONVERSION_GRACE_MS)
    decide(record, until + CONVERSION_GRACE_MS)
    assert not is_overdue(record, until + CONVERSION_GRACE_MS)


def test_a_hold_that_waits_is_found_only_when_nobody_gave_up_in_time() -> None:
    record = judged(qualify=(WEEK,))
    held = settle(record, ended_at(record))
    until = deadline(record)
    assert verify(held, [record], until + CONVERSION_GRACE_MS) == []
    [finding] = verify(held, [record], until + CONVERSION_GRACE_MS + DAY_MS)
    assert finding.rule == "holds are resolved in time"
    assert finding.cure == "daily"


# Files


def test_a_file_of_conversions_is_read() -> None:
    text = "ref,call,at\n4711,abc,2026-11-24T09:30-05:00\n,def,2026-11-24\n"
    assert parse(text, "sales.csv") == [
        Told("abc", 1_795_530_600_000, "4711"),
        Told("def", 1_795_478_400_000, None),
    ]


@pytest.mark.parametrize(
    ("row", "finding"),
    [
        (
            "abc,yesterday,",
            "sales.csv:2: at: expected a time such as 2026-11-23T10:00-05:00, got 'yesterday'",
        ),
        ("abc,2026-11-24", "sales.csv:2: expected 3 fields, got 2"),
        ("abc,2026-11-24,\x1b[31m", "sales.csv:2: ref: expected"),
        ("a\0c,2026-11-24,", r"sales.csv:2: call: expected a call's id, got 'a\x00c'"),
        (",2026-11-24,", "sales.csv:2: call: expected a call's id, got ''"),
    ],
)
def test_a_mistake_in_a_file_is_named_with_its_line(row: str, finding: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse(f"call,at,ref\n{row}\n", "sales.csv")
    assert caught.value.findings[0].startswith(finding)


def test_a_call_that_is_twice_in_a_file_is_refused() -> None:
    with pytest.raises(DocumentError, match="'abc' is in this file twice"):
        parse("call,at,ref\nabc,2026-11-24,\nabc,2026-11-25,\n", "sales.csv")
