"""A call that was written to a file is read back as it was: whatever is in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_app.domain.calls.record import CallRecord, LegRecord, TimelineEvent
from ari_app.domain.ledger.transfers import Transfer
from ari_app.domain.routing.recovery import UnderWay
from ari_app.domain.terms.wire import (
    Unreadable,
    pack_over,
    pack_settled,
    pack_under_way,
    unpack_line,
    unpack_settled,
)

records = st.from_type(CallRecord)
moments = st.integers(0, 2**47)
perhaps = st.none() | moments
of_legs = st.builds(
    LegRecord,
    offered_at=moments,
    ringing_at=perhaps,
    answered_at=perhaps,
    accepted_at=perhaps,
    ended_at=perhaps,
)
under_way = st.builds(
    CallRecord,
    started_at=moments,
    answered_at=perhaps,
    offered_at=perhaps,
    connected_at=perhaps,
    ended_at=perhaps,
    legs=st.lists(of_legs, max_size=3),
    events=st.lists(st.builds(TimelineEvent, at=moments), min_size=1, max_size=3),
)
transfers = st.lists(st.from_type(Transfer), max_size=4)


@given(records, transfers)
def test_a_settled_call_comes_back_as_it_was(record: CallRecord, moved: list[Transfer]) -> None:
    assert unpack_settled(pack_settled(record, moved)) == (record, moved)


@given(st.builds(UnderWay, record=under_way))
def test_a_call_under_way_comes_back_as_it_was(call: UnderWay) -> None:
    assert unpack_line(pack_under_way(call)) == (call.record.id, call)


@given(st.text())
def test_that_a_call_is_over_comes_back_as_it_was(call_id: str) -> None:
    assert unpack_line(pack_over(call_id)) == (call_id, None)


@given(records, st.data())
def test_half_a_file_is_refused(record: CallRecord, data: st.DataObject) -> None:
    whole = pack_settled(record, [])
    end = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(Unreadable):
        unpack_settled(whole[:end])


def test_what_is_wrong_with_a_file_is_said_in_one_line() -> None:
    newer = pack_settled(CallRecord("1", "+18005550101", None, 1), []).replace(b'"version":1', b'"version":2')
    with pytest.raises(Unreadable, match=r"^version: Input should be 1$"):
        unpack_settled(newer)
