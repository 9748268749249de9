"""A call that had ended when its switch died is judged by what it began with, and what it comes to is moved once."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ari_app.domain.calls.geo import Geography
from ari_app.domain.document.reading import parse
from ari_app.domain.routing.recovery import UnderWay
from ari_app.domain.routing.snapshot import Snapshot, make_snapshot
from ari_app.serving.callers import InMemoryCallers
from ari_app.store.calls.calls import Settlement
from ari_app.switch.recovery import NotResumable, settled
from tests.kit.market import marketplace
from tests.samples import make_call

GEOGRAPHY = Geography(
    zips={"10001": ("NY", 40.75, -73.99, "America/New_York")},
    area_codes={"212": ("NY", "America/New_York")},
)
NEAR = {"caller_in": {"zip": "10001", "radius_miles": 5}}
SUNDAY_MORNING = {"within_hours": {"open": ["sun 07:00-08:00"]}}  # in New York
FIRST = {"no_repeat_within": {"window": "30d", "basis": "any"}}


def began_with(*qualify: dict[str, Any]) -> Snapshot:
    document = marketplace({"agent-1": "sip:agent@127.0.0.1:5999"}, qualify=list(qualify))
    found = parse(yaml.safe_dump(document, sort_keys=False), "t")
    return make_snapshot(3, found, {"plumbing": 1}, GEOGRAPHY, {})


def left(**changes: Any) -> UnderWay:
    record = make_call(**({"qualification": None, "events": []} | changes))
    return UnderWay(record, {"caller": "caller-1"}, 3)


async def callers() -> InMemoryCallers:
    """Nobody is known, and nobody is to be recalled."""
    found = InMemoryCallers()
    found.ask(frozenset({("any", "campaign"), ("connected", "campaign"), ("qualified", "campaign")}), 10**10)
    await found.asked()
    found.recalled()
    return found


def kinds(settlement: Settlement) -> list[str]:
    return [transfer.kind for transfer in settlement.transfers]


@pytest.mark.parametrize("clause", [NEAR, SUNDAY_MORNING, FIRST])
async def test_a_call_without_a_verdict_is_judged_by_where_the_caller_was_when_and_for_the_first_time(
    clause: dict[str, Any],
) -> None:
    found = await settled(left(), began_with(clause), await callers())
    assert found.record.qualification is not None
    assert [(one.name, one.passed) for one in found.record.qualification.clauses][1:] == [(*clause, True)]
    assert kinds(found) == ["hold", "post", "post"]


async def test_a_call_without_a_verdict_may_be_a_repeat_and_is_one_for_those_that_come_after() -> None:
    known, again = await callers(), left()
    known.recall([make_call(0, ani=again.record.ani)])
    found = await settled(again, began_with(FIRST), known)
    assert found.record.money is not None and found.record.money.charged == 0
    later = make_call(5, ani=again.record.ani)
    assert known.last("any", later)["any", "campaign"].call_id == again.record.id


async def test_a_call_that_is_payable_is_remembered_as_such() -> None:
    known, call = await callers(), left()
    await settled(call, began_with(), known)
    later = make_call(5, ani=call.record.ani)
    assert known.last("qualified", later)["qualified", "campaign"].call_id == call.record.id


async def test_a_call_that_had_its_verdict_moves_what_it_comes_to() -> None:
    judged = UnderWay(make_call(), {"caller": "caller-1"}, 3)
    unreadable = ValueError("the document cannot be read")
    found = await settled(judged, unreadable, await callers())
    assert found.record == make_call()
    assert kinds(found) == ["hold", "post", "post"]


async def test_a_call_without_a_verdict_waits_for_the_document_that_it_began_with() -> None:
    with pytest.raises(ValueError, match="the document cannot be read"):
        await settled(left(), ValueError("the document cannot be read"), await callers())


async def test_a_call_of_a_campaign_that_its_document_does_not_have_is_not_guessed_at() -> None:
    said = r"^marketplace 3 has no campaign roofing of homefix$"
    with pytest.raises(NotResumable, match=said):
        await settled(left(campaign="roofing"), began_with(), await callers())
