"""Odd moments of an offer: who is asked twice, who cannot be put together, who waits for a place that others want."""

from __future__ import annotations

from typing import Any

import pytest

from ari_app.ari.errors import AriUnavailable, http_error
from ari_app.ari.testing import Phone
from ari_app.ari.transport import Request
from ari_app.domain.calls.record import Exclusion
from ari_app.domain.ivr.prompts import ACCEPT_PROMPT, media
from tests.behaviour.exchange import Exchange, outcomes, timeline, uri
from tests.behaviour.test_callers import SERVICE
from tests.behaviour.test_timeline import story
from tests.kit.market import marketplace

NORMAL = 16
NOT_REACHED = "at capacity, or not reached before the race was over"


def joins(exchange: Exchange) -> int:
    """How often Asterisk was asked to put people together."""
    return sum(request.endswith("/addChannel") for request in exchange.asterisk.requests)


async def test_an_agent_hears_in_a_whisper_what_the_caller_said_and_where_they_are(
    exchange: Exchange,
) -> None:
    ann = exchange.agent("ann").answers(after_s=1).presses("1", after_s=9)
    await exchange.serves(flow=SERVICE, whisper="tts:A {service} in {state}.")
    call = exchange.dials().presses("190210")
    await call.connected(ann)
    said = ["tts:A", "tts:repair", "tts:in", "tts:California", ACCEPT_PROMPT]
    assert ann.heard == [media(prompt) for prompt in said]
    await call.hangs_up(after_s=1).over()


async def test_a_wrong_key_that_asterisk_tells_twice_is_one_wrong_key(exchange: Exchange) -> None:
    ann = exchange.agent("ann").answers()
    for _ in range(2):
        ann.presses("5").presses("5", after_s=0.038)
    ann.presses("1")
    await exchange.serves()
    call = exchange.dials()
    await call.connected(ann)
    record = await call.hangs_up(after_s=30).over()
    assert [event.detail for event in record.events if event.what == "pressed"] == [
        "ann: 5",
        "ann: 5",
        "ann: 1",
    ]


async def test_an_agent_who_presses_a_wrong_key_is_asked_again_at_once(exchange: Exchange) -> None:
    ann = exchange.agent("ann").answers(after_s=1).presses("5", after_s=2).presses("1", after_s=2)
    exchange.asterisk.sounds_s[media(ACCEPT_PROMPT)] = 600
    await exchange.serves()
    call = exchange.dials()
    await call.connected(ann)
    assert ann.heard == [media(ACCEPT_PROMPT)] * 2
    await call.hangs_up(after_s=1).over()


async def test_an_agent_who_is_being_asked_as_the_connection_breaks_is_not_asked_from_the_start(
    exchange: Exchange,
) -> None:
    ann = exchange.agent("ann").answers(after_s=1).presses("1", after_s=8)
    exchange.asterisk.sounds_s[media(ACCEPT_PROMPT)] = 6
    await exchange.serves()
    call = exchange.dials()
    await exchange.passes(2)
    exchange.asterisk.breaks()
    await call.connected(ann)
    record = await call.hangs_up(after_s=1).over()
    assert ann.heard == [media(ACCEPT_PROMPT)]
    assert timeline(record).count("answered") == 1


async def test_a_winner_who_cannot_be_put_together_with_the_caller_is_let_go_and_another_is_asked(
    exchange: Exchange,
) -> None:
    ann = exchange.agent("ann").accepts()
    bob = exchange.agent("bob").then().accepts()
    await exchange.serves()

    def refuse(request: Request) -> None:
        if request.uri.endswith("/addChannel") and joins(exchange) == 1:
            raise http_error(422, "Channel not in Stasis application", "POST", request.uri)

    exchange.asterisk.before = refuse
    call = exchange.dials()
    await call.connected(bob)
    assert ann.causes == [NORMAL]
    record = await call.hangs_up(after_s=1).over()
    assert (record.winner, outcomes(record)["ann"]) == ("bob", "failed")
    assert any(event.what == "request failed" for event in record.events)


async def test_a_lane_that_is_lost_as_they_are_put_together_is_no_reason_to_part_them(
    exchange: Exchange,
) -> None:
    """The bridge is there; that it is not made a second time is no mistake."""
    ann = exchange.agent("ann").accepts()
    await exchange.serves()

    def lose(request: Request) -> None:
        if request.uri.endswith("/addChannel") and joins(exchange) == 1:
            raise AriUnavailable("the lane was lost; whether Asterisk did it is unknown")

    exchange.asterisk.before = lose
    call = exchange.dials()
    await call.connected(ann)
    record = await call.hangs_up(after_s=5).over()
    assert (record.winner, outcomes(record), joins(exchange)) == ("ann", {"ann": "won"}, 2)


async def test_a_prompt_that_ends_late_puts_nobody_together_twice(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ari_app.ari.testing.asterisk.STOPPING_S", 5.0)
    exchange.agent("ann").answers(after_s=3).presses("1", after_s=0.5)
    exchange.asterisk.sounds_s[media(ACCEPT_PROMPT)] = 600
    await exchange.serves()
    call = exchange.dials()
    await call.connected()
    await exchange.passes(10)
    assert joins(exchange) == 1
    record = await call.hangs_up(after_s=1).over()
    assert timeline(record).count("connected") == 1


async def test_who_is_beyond_the_limit_of_legs_is_told_as_not_reached(exchange: Exchange) -> None:
    agents = [exchange.agent(name).accepts() for name in ("ann", "bob")]
    await exchange.serves(max_legs=1)
    call = exchange.dials()
    await call.connected()
    record = await call.hangs_up(after_s=30).over()
    assert sorted(agent.times_rung for agent in agents) == [0, 1]
    [other] = {"ann", "bob"} - {record.winner}
    assert record.excluded == [Exclusion(other, NOT_REACHED)]
    assert record.disposition == "connected"


async def test_a_place_that_is_free_goes_to_the_next_where_the_first_waits_for_it_no_more(
    exchange: Exchange,
) -> None:
    """Two wait for a trunk; the first has waited its time when the other call ends."""
    numbers = {"cid": "+12125550100", "ann": "+12125550101", "bob": "+12125550102"}
    agents: dict[str, str | dict[str, str]] = {
        name: {"phone": number, "trunk": "carrier"} for name, number in numbers.items()
    }
    agents["dan"] = uri("dan")
    exchange.agent("dan")  # whose phone rings, and holds the next waves back
    phones = {name: Phone() for name in numbers}
    exchange.asterisk.phones.update({f"PJSIP/{numbers[name]}@carrier": phones[name] for name in numbers})
    phones["cid"].accepts()
    waves: list[dict[str, Any]] = [
        {"destinations": ["cid", "dan"]},
        {"destinations": ["ann"], "after": "3s"},
        {"destinations": ["bob"], "after": "9s"},
    ]
    document = marketplace(agents, waves=waves, ring_timeout="20s")
    exchange.applies(document | {"trunks": {"carrier": {"concurrent": 1}}})
    await exchange.starts()
    other = exchange.dials(trunk="office")
    await other.connected()
    call = exchange.dials(trunk="office")
    await exchange.passes(26)
    await other.hangs_up().over()
    await exchange.passes(1)
    assert [phones[name].times_rung for name in ("cid", "ann", "bob")] == [1, 0, 1]
    await call.hangs_up().over()


# A second trunk

BY_EITHER = {"phone": "+12125550123", "trunk": "main", "or_trunk": "backup"}


async def test_where_asterisk_reaches_a_trunk_no_more_the_other_one_dials_within_the_same_time(
    exchange: Exchange,
) -> None:
    ann = exchange.asterisk.phones["PJSIP/+12125550123@backup"] = Phone()
    exchange.applies(marketplace({"ann": BY_EITHER}, ring_timeout="10s"))
    await exchange.starts()
    record = await exchange.dials().over()
    assert outcomes(record) == {"ann": "no_answer"}
    assert ann.times_rung == 1
    [leg] = record.legs
    assert leg.ended_at is not None
    assert leg.ended_at - leg.offered_at == pytest.approx(10_000, abs=100)
    assert "dialled by its other trunk: ann: backup, as 500 Allocation failed" in story(record)


async def test_where_there_is_no_room_on_the_other_trunk_it_has_failed(exchange: Exchange) -> None:
    bob = exchange.asterisk.phones["PJSIP/+12125550124@backup"] = Phone().accepts(after_s=1)
    agents = {"bob": {"phone": "+12125550124", "trunk": "backup"}, "ann": BY_EITHER}
    exchange.applies(marketplace(agents) | {"trunks": {"backup": {"concurrent": 1}}})
    await exchange.starts()
    call = exchange.dials()
    await call.connected(bob)
    record = await call.hangs_up(after_s=60).over()
    assert outcomes(record) == {"ann": "failed", "bob": "won"}
    assert "trunk full: ann: trunk backup, 1 in use" in story(record)
