"""Whatever the record of a call says, it can be told in every way, and as JSON as docs/record.md says."""

from __future__ import annotations

import json
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from ari_app.domain.calls.record import (
    CallRecord,
    ClauseResult,
    Conversion,
    Disposition,
    Durations,
    EndSource,
    Exclusion,
    LegOutcome,
    LegRecord,
    Money,
    Part,
    PlaceRecord,
    TimelineEvent,
    Tracks,
    Verdict,
)
from ari_app.domain.calls.rtp import RtpStatistics
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.market.shapes import Attestation
from ari_app.lab.demo.timeline import timeline
from ari_app.views.calls import COLUMNS, call_json, row
from ari_app.views.callsheet import sheet
from ari_app.views.explain import explain
from tests.kit.shapes import RECORD, Shapes

SHAPES = Shapes()

times = st.integers(0, 4_000_000_000_000)
counts = st.integers(0, 10_000_000)
texts = st.text(max_size=12)
ids = st.sampled_from(["acme", "agent-1", "agent-2"])
numbers = st.sampled_from(["+18005550101", "+12125550142"])


def one_of(kind: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(get_args(kind))


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def few(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(strategy, max_size=3)


carried = st.builds(RtpStatistics, counts, counts, counts, counts, jitter_ms=counts, round_trip_ms=counts)
legs = st.builds(
    LegRecord, destination=ids, wave=st.integers(1, 3), offered_at=times, outcome=maybe(one_of(LegOutcome)),
    ringing_at=maybe(times), answered_at=maybe(times), accepted_at=maybe(times), ended_at=maybe(times),
    lost_by_ms=maybe(counts), hangup_cause=maybe(st.integers(0, 255)), failure=maybe(texts),
    rtp=maybe(carried),
)  # fmt: skip
clauses = st.builds(ClauseResult, name=texts, passed=st.booleans(), detail=texts, waits_until=maybe(times))
parts = st.builds(
    Part, name=texts, due=st.booleans(), clauses=few(clauses), price=counts, payout=counts, share=st.none()
)
events = st.builds(TimelineEvent, at=times, what=st.sampled_from(EventName) | texts, detail=texts)
calls = st.builds(
    CallRecord, id=st.just("0199c0ffee"), did=numbers, ani=maybe(numbers), started_at=times,
    attestation=maybe(one_of(Attestation)), campaign=maybe(ids), advertiser=maybe(ids), publisher=maybe(ids),
    source=maybe(texts), terms_version=maybe(counts), disposition=maybe(one_of(Disposition)),
    answered_at=maybe(times), offered_at=maybe(times), connected_at=maybe(times), ended_at=maybe(times),
    end_source=maybe(one_of(EndSource)), answers=st.dictionaries(texts, texts, max_size=2),
    place=st.builds(
        PlaceRecord, state=maybe(texts), zip=maybe(texts), timezone=maybe(texts),
        from_=st.sampled_from(["zip", "ani", "did", "unknown"]),
    ),
    legs=few(legs), winner=maybe(ids), excluded=few(st.builds(Exclusion, ids, texts)),
    durations_ms=st.builds(Durations, counts, counts, counts, counts),
    qualification=maybe(st.builds(Verdict, st.booleans(), few(clauses), few(parts))),
    money=maybe(
        st.builds(
            Money, st.sampled_from(["USD", "JPY", "BHD"]), price=counts, payout=counts, charged=counts,
            paid=counts, reserved=maybe(counts),
        )
    ),
    conversion=maybe(st.builds(Conversion, times, times, maybe(texts))),
    recording=maybe(st.builds(Tracks, times, times, maybe(times))),
    rtp=maybe(carried), events=few(events),
)  # fmt: skip


@given(calls)
def test_a_call_is_told_in_every_way_whatever_its_record_says(record: CallRecord) -> None:
    assert all(section.lines for section in explain(record))
    assert all(len(one.columns) == len(cells) for one in sheet(record).listings for cells in one.rows)
    assert len(row(record, ())) == len(COLUMNS)
    assert all(timeline(record, None))
    told = call_json(record, (), ())
    assert json.loads(json.dumps(told)) == told
    assert SHAPES.complaints(RECORD, told) == []
