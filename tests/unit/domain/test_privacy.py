"""Forgetting a caller."""

from __future__ import annotations

import json

from ari_app.domain.calls.privacy import ERASED, erase
from ari_app.domain.calls.record import Exclusion, TimelineEvent
from ari_app.views.record import record_json
from tests.samples import BEGAN, make_call

ANI, ZIP = "+12125550142", "10001"


def call():
    record = make_call(1, ani=ANI, answers={"service": "repair", "zip": ZIP, "pin": "4711"})
    record.place.zip = ZIP
    record.events = [
        TimelineEvent(BEGAN, "received", f"{ANI} called {record.did}"),
        TimelineEvent(BEGAN, "entered", ZIP),
        TimelineEvent(BEGAN, "entered wrongly", "99"),
    ]
    record.excluded = [Exclusion("agent-9", f"ZIP {ZIP} is in New York, not in NJ")]
    assert record.qualification is not None
    record.qualification.clauses[0].detail = f"no earlier connected call from {ANI} is known"
    return record


def test_nothing_of_the_caller_is_left_anywhere_in_the_record():
    record = call()
    erase(record, BEGAN)
    told = json.dumps(record_json(record))
    assert not [word for word in (ANI, ZIP, "4711", '"99"') if word in told]


def test_what_was_decided_and_moved_stays():
    before, record = call(), call()
    erase(record, BEGAN)
    assert record.money == before.money
    assert record.legs == before.legs
    assert record.answers == {"service": "repair"}
    assert record.excluded[0].reason == f"ZIP {ERASED} is in New York, not in NJ"
    assert record.place.state == before.place.state


def test_erasing_again_changes_no_more_than_the_timeline():
    record = call()
    erase(record, BEGAN)
    erase(record, BEGAN + 1)
    assert [event.what for event in record.events][-2:] == ["erased", "erased"]
