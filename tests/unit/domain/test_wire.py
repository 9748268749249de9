"""A call under way as older switches wrote it is read as it would be written now."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ari_app.domain.calls.stage import Stage
from ari_app.domain.routing.recovery import Timeline
from ari_app.domain.terms.wire import Unreadable, pack_under_way, unpack_line

BEGAN = 1_763_900_000_000
RECORD = {
    "id": "0019ab0a20ae80000000001",
    "did": "+18005550101",
    "ani": "+12125550142",
    "started_at": BEGAN,
    "events": [{"at": BEGAN, "what": "received", "detail": ""}],
}


def version_1(agent: str | None = None, **record: Any) -> bytes:
    """A line of version 1, as it was written."""
    call = {
        "record": RECORD | record,
        "channel_id": "caller-1",
        "marketplace_version": 3,
        "destinations": ["ann"],
        "agent_channel_id": agent,
        "restarts": 1,
        "trunk": "carrier",
        "node": "zip",
        "entered_zip": "10001",
        "timeline": {"boot": "b", "offset_ms": 5},
        "last_seen": BEGAN + 1,
    }
    return json.dumps({"call": call, "version": 1}).encode()


def test_its_parties_are_found_by_their_roles_and_all_else_is_kept() -> None:
    _, call = unpack_line(version_1("call-leg-0"))
    assert call is not None
    assert call.parties == {"caller": "caller-1", "agent": "call-leg-0"}
    assert (call.marketplace_version, call.destinations, call.restarts, call.trunk) == (
        3,
        ["ann"],
        1,
        "carrier",
    )
    assert (call.node, call.entered_zip, call.timeline) == ("zip", "10001", Timeline("b", 5))
    assert call.last_seen == BEGAN + 1
    assert unpack_line(pack_under_way(call)) == (call.record.id, call)


@pytest.mark.parametrize(
    ("agent", "record", "stage"),
    [
        (None, {}, Stage.ARRIVING),
        (None, {"answered_at": BEGAN}, Stage.IVR),
        (None, {"answered_at": BEGAN, "offered_at": BEGAN}, Stage.WAITING),
        ("leg", {"answered_at": BEGAN, "offered_at": BEGAN}, Stage.BRIDGING),
        ("leg", {"offered_at": BEGAN, "winner": "ann", "disposition": "connected"}, Stage.TALKING),
        (None, {"disposition": "closed"}, Stage.ENDING),
    ],
)
def test_its_stage_is_found_in_its_record(agent: str | None, record: dict[str, Any], stage: Stage) -> None:
    _, call = unpack_line(version_1(agent, **record))
    assert call is not None and call.stage is stage


def test_a_line_of_a_newer_switch_is_refused() -> None:
    line = version_1().replace(b'"version": 1', b'"version": 3')
    with pytest.raises(Unreadable):
        unpack_line(line)
