"""Rules of counting: no call is lost between lines, whatever the batches."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from ari_app.domain.calls.record import CallRecord, Disposition
from ari_app.domain.reports.reporting import Group, lines, total
from ari_app.domain.reports.rollups import Cells, Counts, call_key, count
from tests.varied import varied_calls

CALLS = varied_calls(60)
batches = st.permutations(CALLS).flatmap(
    lambda calls: st.integers(1, 60).map(lambda size: [calls[n : n + size] for n in range(0, 60, size)])
)
columns = st.sampled_from(["campaign", "publisher", "source", "state", "hour_at"])


def _payable_ms(record: CallRecord) -> int:
    return 90_000


def _added_up(parts: list[Cells], name: str) -> dict[object, Counts]:
    found: dict[object, Counts] = {}
    for part in parts:
        for key, counts in getattr(part, name).items():
            found.setdefault(key, Counter()).update(counts)
    return found


@given(batches)
def test_counting_in_batches_is_counting_at_once(parts: list[list[CallRecord]]) -> None:
    at_once = count(CALLS, _payable_ms)
    in_parts = [count(part, _payable_ms) for part in parts]
    for name in ("calls", "offers", "endings"):
        assert _added_up(in_parts, name) == getattr(at_once, name)


@given(columns, st.fractions(0, 5))
def test_every_report_has_the_same_total_and_its_calls_end_one_way_each(by: str, cost: Fraction) -> None:
    cells = count(CALLS, _payable_ms).calls
    for call in CALLS:
        cells[call_key(call)]["revenue"] += call.money.charged if call.money else 0  # as its transfers do
    groups = [Group(getattr(key, by), key.currency, counts) for key, counts in cells.items()]
    report = lines(groups, lambda key: str(key) or None, cost)
    whole = total(report)
    assert whole.counts["incoming"] == len(CALLS)
    assert whole.takings["USD"].revenue == sum(call.money.charged for call in CALLS if call.money)
    for line in report:
        assert line.counts["incoming"] == sum(line.counts[name] for name in get_args(Disposition))
        for taken in line.takings.values():
            assert taken.revenue == taken.payout + taken.cost + taken.profit
