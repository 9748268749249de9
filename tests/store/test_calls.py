"""Calls are saved once, whole, and come back as they were."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from ari_app.domain.calls.record import CallRecord, ClauseResult, Part, ShareOfPrice
from ari_app.store.calls import calls
from ari_app.store.calls.calls import Settlement
from ari_app.store.db.errors import AmbiguousCallId
from ari_app.store.ledger import ledger
from tests.samples import BEGAN, make_call, settlement, unqualified

MISSED: dict[str, Any] = {
    "connected_at": None,
    "winner": None,
    "legs": [],
    "qualification": None,
    "money": None,
}


def test_a_call_comes_back_as_it_was(engine: Engine) -> None:
    record = make_call()
    calls.save(engine, [settlement(record)])
    assert calls.get(engine, record.id) == record


def test_a_call_of_which_little_is_known_comes_back_as_it_was(engine: Engine) -> None:
    record = CallRecord(id="0a", did="+18005550199", ani=None, started_at=BEGAN, disposition="unknown_number")
    calls.save(engine, [Settlement(record)])
    assert calls.get(engine, "0a") == record


def test_a_call_and_its_transfers_are_saved_together(engine: Engine) -> None:
    saved = settlement(make_call())
    calls.save(engine, [saved])
    assert list(ledger.all_transfers(engine)) == saved.transfers
    assert ledger.of_call(engine, saved.record.id) == saved.transfers


def test_saving_a_call_again_changes_nothing(engine: Engine) -> None:
    first, second = settlement(make_call(1)), settlement(make_call(2))
    calls.save(engine, [first])
    calls.save(engine, [first, second, second])
    assert [call.id for call in calls.latest(engine)] == [second.record.id, first.record.id]
    assert len(list(ledger.all_transfers(engine))) == 6


def test_the_first_saving_of_a_call_stands(engine: Engine) -> None:
    calls.save(engine, [settlement(make_call(1))])
    calls.save(engine, [settlement(unqualified(1))])
    assert calls.get(engine, make_call(1).id) == make_call(1)
    assert [transfer.kind for transfer in ledger.all_transfers(engine)] == ["hold", "post", "post"]


def test_one_bad_call_leaves_its_batch_unsaved(engine: Engine) -> None:
    good, bad = settlement(make_call(1)), settlement(make_call(2, did=None))
    with pytest.raises(SQLAlchemyError):
        calls.save(engine, [good, bad])
    assert calls.latest(engine) == []
    assert list(ledger.all_transfers(engine)) == []


def test_a_hold_can_be_resolved_only_once_whatever_the_key(engine: Engine) -> None:
    saved = settlement(make_call())
    again = replace(saved.transfers[1], key="another")
    with pytest.raises(IntegrityError):
        calls.save(engine, [Settlement(saved.record, [*saved.transfers, again])])


def test_a_call_is_found_by_the_beginning_of_its_id(engine: Engine) -> None:
    record = make_call()
    calls.save(engine, [settlement(record)])
    assert calls.get(engine, record.id[:8]) == record
    assert calls.get(engine, "%") is None
    assert calls.get(engine, "ffff") is None


def test_a_beginning_that_several_ids_share_is_refused(engine: Engine) -> None:
    calls.save(engine, [settlement(make_call(1)), settlement(make_call(2))])
    with pytest.raises(AmbiguousCallId, match="give more of it"):
        calls.get(engine, make_call(1).id[:6])


def test_a_whole_id_is_found_though_another_begins_with_it(engine: Engine) -> None:
    calls.save(engine, [settlement(make_call(1, id="ab")), settlement(make_call(2, id="abc"))])
    found = calls.get(engine, "ab")
    assert found is not None
    assert found.id == "ab"


def test_the_latest_calls_come_newest_first(engine: Engine) -> None:
    calls.save(engine, [settlement(make_call(n)) for n in (2, 3, 1)])
    assert [call.started_at for call in calls.latest(engine, limit=2)] == [BEGAN + 3000, BEGAN + 2000]


@pytest.mark.parametrize(
    "wanted",
    [
        {"campaign": "roofing"},
        {"publisher": "bluebird"},
        {"did": "+18005550102"},
        {"ani": "+13105550000"},
        {"disposition": "no_answer"},
    ],
)
def test_the_latest_calls_are_those_that_match(engine: Engine, wanted: dict[str, str]) -> None:
    calls.save(engine, [settlement(make_call(1)), settlement(make_call(2, **wanted))])
    assert [call.id for call in calls.latest(engine, **wanted)] == [make_call(2).id]  # type: ignore[arg-type]


def test_every_call_is_read_in_pages_with_its_legs(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "_PAGE", 2)
    records = [make_call(n) for n in range(1, 6)]
    calls.save(engine, [settlement(record) for record in records])
    assert list(calls.every(engine)) == records


def test_recent_callers_are_those_who_called_since_and_those_whom_an_agent_talked_to(engine: Engine) -> None:
    before, missed, recent = make_call(1), make_call(2, **MISSED), make_call(3)
    calls.save(engine, [settlement(record) for record in (recent, missed, before)])
    since = missed.started_at
    both = calls.callers_before(engine, None, since, False, 9)
    assert [record.id for record in both] == [recent.id, missed.id]
    (found,) = calls.callers_before(engine, None, since, True, 9)
    assert (found.campaign, found.advertiser, found.winner) == ("plumbing", "acme", "agent-1")
    assert found.qualification is not None and found.qualification.qualified


def test_recent_callers_are_read_page_by_page_those_of_one_moment_too(engine: Engine) -> None:
    records = [replace(make_call(n), started_at=BEGAN + n // 3) for n in range(1, 8)]
    calls.save(engine, [settlement(record) for record in records])
    found, last = [], None
    while page := calls.callers_before(engine, last, BEGAN, False, 2):
        found += [record.id for record in page]
        last = page[-1]
    assert found == [record.id for record in reversed(records)]


@pytest.mark.parametrize(
    ("basis", "earlier"),
    [
        ("any", "missed"),
        ("connected", "short"),
        ("qualified", "payable"),
    ],
)
def test_the_earlier_call_is_the_last_one_of_its_kind(engine: Engine, basis: Any, earlier: str) -> None:
    ani = "+12125550142"
    payable = make_call(1, ani=ani)
    short = replace(unqualified(2), ani=ani)
    missed = make_call(3, ani=ani, **MISSED)
    calls.save(engine, [settlement(record) for record in (payable, short, missed, make_call(4))])
    found = calls.earlier_call(engine, make_call(5, ani=ani), basis, "campaign")
    wanted = {"payable": payable, "short": short, "missed": missed}[earlier]
    assert found is not None and found.call_id == wanted.id


def test_a_verdict_comes_back_with_its_parts(engine: Engine) -> None:
    record = make_call(1)
    assert record.qualification is not None
    record.qualification.parts = [
        Part("bonus long", False, [ClauseResult("total_at_least", False, "too short")]),
        Part("bonus sale", False, [ClauseResult("converted_within", False, "waits", BEGAN)], 500, 300),
        Part(
            "bonus upsell",
            False,
            [ClauseResult("source_in", False, "no")],
            500,
            0,
            ShareOfPrice(7000, None, 900),
        ),
    ]
    calls.save(engine, [settlement(record)])
    saved = calls.get(engine, record.id)
    assert saved is not None and saved.qualification == record.qualification


def test_of_some_calls_those_that_are_saved_are_known(engine: Engine) -> None:
    calls.save(engine, [settlement(make_call(1)), settlement(make_call(2))])
    assert calls.saved(engine, [make_call(2).id, make_call(3).id]) == {make_call(2).id}
    assert calls.saved(engine, []) == set()


def test_callers_are_counted_once_by_the_area_codes_of_the_newest_calls(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    anis = [
        "+12125550142",
        "+16215550142",
        "+16215550142",
        "+16215550143",
        "+442071234567",
        None,
        "+1621555014",
    ]
    calls.save(engine, [settlement(make_call(n, ani=ani)) for n, ani in enumerate(anis)])
    assert calls.callers_by_area_code(engine, BEGAN) == {"212": 1, "621": 2}
    assert calls.callers_by_area_code(engine, make_call(1).started_at) == {"621": 2}
    monkeypatch.setattr(calls, "COUNTED", 4)
    assert calls.callers_by_area_code(engine, BEGAN) == {"621": 1}
