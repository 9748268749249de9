"""The arithmetic of taking back and of paying out, for any call and any order of its corrections."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import replace
from io import StringIO
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ari_app.domain.ledger.bills import Movement, bill_lines, period_of
from ari_app.domain.ledger.corrections import Net, clawback_for
from ari_app.domain.ledger.payouts import Earning, due, total
from ari_app.views.csvtext import write_csv

MINOR = st.integers(0, 1_000_000)
NOW = 1_000


@st.composite
def nets(draw: st.DrawFn) -> Net:
    """A call of which a part may have been taken back."""
    charged, paid = draw(MINOR), draw(MINOR)
    return Net(charged, draw(st.integers(0, charged)), paid, draw(st.integers(0, paid)))


@given(nets(), st.data())
def test_a_clawback_is_never_more_than_what_is_left_of_the_payout(so_far: Net, data: st.DataObject) -> None:
    assert 0 <= clawback_for(so_far, data.draw(st.integers(0, so_far.price))) <= so_far.payout


@given(MINOR.filter(bool), MINOR, st.lists(st.integers(1, 100), min_size=1, max_size=8))
def test_parts_that_make_up_the_charge_claw_back_the_payout(
    charged: int, paid: int, parts: list[int]
) -> None:
    so_far = Net(charged=charged, paid=paid)
    for n in range(len(parts)):
        credit = so_far.price if n == len(parts) - 1 else min(parts[n], so_far.price)
        taken = clawback_for(so_far, credit)
        so_far = Net(charged, so_far.credited + credit, paid, so_far.clawed_back + taken)
    assert (so_far.price, so_far.payout) == (0, 0)


@given(nets())
def test_the_share_that_stays_with_the_publisher_is_rounded_up(so_far: Net) -> None:
    """The rule of rounding: down for the clawback, so to the publisher's good, and by less than one unit."""
    fresh = Net(charged=so_far.charged, paid=so_far.paid)
    exact = so_far.paid * so_far.credited
    taken = clawback_for(fresh, so_far.credited)
    assert taken * so_far.charged <= exact
    assert so_far.charged == 0 or exact < (taken + 1) * so_far.charged


@st.composite
def earnings_of_a_call(draw: st.DrawFn) -> list[Earning]:
    """What is in no payout yet of one call: its payout and what was taken back, or only the latter."""
    call_id, publisher = draw(st.uuids()).hex, draw(st.sampled_from(["homefix", "adnest"]))
    ended_at, in_dispute, is_paid_out = (
        draw(st.integers(0, 2 * NOW)),
        draw(st.booleans()),
        draw(st.booleans()),
    )
    paid = draw(st.integers(1, 100))
    taken = draw(st.lists(st.integers(1, 40), max_size=3).filter(lambda parts: sum(parts) <= paid))
    amounts = [-part for part in taken] if is_paid_out else [paid, *(-part for part in taken)]
    return [
        Earning(f"{call_id}:{n}", call_id, publisher, amount, ended_at, in_dispute, is_paid_out)
        for n, amount in enumerate(amounts)
    ]


CALLS = st.lists(earnings_of_a_call(), max_size=12)


@given(CALLS, st.integers(0, 60))
def test_a_publisher_is_paid_what_can_be_paid_and_no_more_than_it_has(
    calls: list[list[Earning]], minimum: int
) -> None:
    has, payable = Counter[str](), Counter[str]()
    for call in filter(None, calls):
        stands = call[0].ended_at < NOW and not call[0].in_dispute
        for earning in call:
            has[earning.publisher] += earning.amount
            # Of a call that is paid out there is nothing here but what was taken back.
            payable[earning.publisher] += earning.amount if stands or earning.is_paid_out else 0
    paid = due([earning for call in calls for earning in call], NOW, minimum)
    assert {publisher: total(its) for publisher, its in paid.items()} == {
        publisher: amount for publisher, amount in payable.items() if amount >= max(minimum, 1)
    }
    assert all(total(its) <= has[publisher] for publisher, its in paid.items())


@given(CALLS)
def test_a_call_is_paid_once_it_is_old_and_undisputed(calls: list[list[Earning]]) -> None:
    earnings = [earning for call in calls for earning in call]
    for publisher, its in due(earnings, NOW, 0).items():
        paid = {earning.transfer_key for earning in its if earning.amount > 0}
        stands = [one for one in earnings if one.ended_at < NOW and not one.in_dispute and one.amount > 0]
        assert paid == {one.transfer_key for one in stands if one.publisher == publisher}


def test_of_two_calls_the_one_that_is_old_and_undisputed_is_paid() -> None:
    old = Earning("old", "1", "homefix", 30, NOW - 1, False, False)
    young, disputed = (
        replace(old, transfer_key="young", ended_at=NOW),
        replace(old, transfer_key="disputed", in_dispute=True),
    )
    assert due([young, old, disputed], NOW, 0) == {"homefix": [old]}


@given(
    st.lists(
        st.tuples(
            st.integers(0, 4),
            st.sampled_from(["calls", "bonuses", "adjustments"]),
            st.sampled_from([None, "a", "b"]),
            st.integers(-99, 99),
        )
    )
)
def test_a_bill_moves_the_balance_by_what_moved(moved: list[tuple[int, Any, str | None, int]]) -> None:
    period = period_of("1970-01", "UTC")
    movements = [Movement(str(n), *fields) for n, fields in enumerate(moved)]
    lines, payments = bill_lines("statement", movements, period)
    assert sum(line.amount for line in lines) - payments == sum(movement.amount for movement in movements)
    assert sum(line.count for line in lines) == sum(movement.campaign is not None for movement in movements)
    charged, paid_in = bill_lines("invoice", movements, period)
    assert paid_in - sum(line.amount for line in charged) == sum(movement.amount for movement in movements)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=1, max_size=4))
def test_no_cell_of_a_csv_is_a_formula_and_none_is_lost(cells: list[str]) -> None:
    file = StringIO()
    write_csv(file, ["column"] * len(cells), [cells])
    (_, written) = csv.reader(StringIO(file.getvalue(), newline=""))
    for cell, text in zip(cells, written, strict=True):
        assert text[:1] not in tuple("=+-@\t\r\n") or re.fullmatch(r"-?\d+(\.\d+)?", text, re.ASCII)
        assert text in (cell, f"'{cell}")
