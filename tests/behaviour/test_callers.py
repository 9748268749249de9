"""Callers who leave, in every stage of a call; and what the IVR asks them."""

from __future__ import annotations

from typing import Any

import pytest

from ari_app.domain.ivr.prompts import media
from tests.behaviour.exchange import Exchange, timeline

SERVICE = {
    "start": "service",
    "nodes": {
        "service": {
            "menu": {"prompt": "sound:service"},
            "choices": {"1": {"set": {"service": "repair"}, "next": "zip"}},
            "tries": 2,
            "on_invalid": "goodbye",
            "on_no_input": "goodbye",
        },
        "zip": {
            "collect": {"prompt": "sound:zip", "digits": 5, "as": "zip", "check": "us-zip"},
            "next": "offer",
        },
        "offer": {"offer": True},
        "goodbye": {"play": "sound:goodbye", "hangup": True},
    },
}
HELLO = {
    "start": "hello",
    "nodes": {"hello": {"play": "sound:hello", "next": "offer"}, "offer": {"offer": True}},
}


async def test_nobody_is_rung_before_the_callers_prompt_is_over(exchange: Exchange) -> None:
    ann = exchange.agent("ann").accepts()
    exchange.asterisk.sounds_s["sound:hello"] = 8
    await exchange.serves(flow=HELLO)
    call = exchange.dials()
    await exchange.passes(7.9)
    assert ann.times_rung == 0
    await exchange.passes(0.3)
    assert ann.times_rung == 1
    await call.hangs_up().over()


# The IVR


async def test_what_the_caller_presses_is_kept_and_says_where_they_are(exchange: Exchange) -> None:
    ann = exchange.agent("ann").accepts()
    await exchange.serves(flow=SERVICE)
    call = exchange.dials()
    await call.hears("sound:service")
    call.presses("1")
    await call.hears("sound:zip")
    call.presses("90210")
    await call.connected(ann)
    record = await call.hangs_up(after_s=5).over()
    assert record.answers == {"service": "repair", "zip": "90210"}
    assert (record.place.state, record.place.from_) == ("CA", "zip")


async def test_who_knows_the_menu_types_ahead(exchange: Exchange) -> None:
    ann = exchange.agent("ann").accepts()
    await exchange.serves(flow=SERVICE)
    call = exchange.dials().presses("110001")
    await call.connected(ann)
    record = await call.hangs_up(after_s=5).over()
    assert record.answers == {"service": "repair", "zip": "10001"}
    assert record.durations_ms.ivr < 3_000


async def test_who_presses_what_is_not_there_is_asked_again_and_then_told_goodbye(exchange: Exchange) -> None:
    ann = exchange.agent("ann")
    await exchange.serves(flow=SERVICE)
    call = exchange.dials().presses("7").presses("8", after_s=3)
    record = await call.over()
    assert (record.disposition, record.end_source) == ("flow_ended", "system")
    assert call.heard == ["sound:service", "sound:service", "sound:goodbye"]
    assert ann.times_rung == 0


async def test_who_presses_nothing_is_told_goodbye(exchange: Exchange) -> None:
    exchange.agent("ann")
    await exchange.serves(flow=SERVICE)
    call = exchange.dials()
    record = await call.over()
    assert record.disposition == "flow_ended"
    assert call.heard == ["sound:service", "sound:service", "sound:goodbye"]


# They leave


async def test_a_caller_who_leaves_in_the_ivr_has_abandoned_it(exchange: Exchange) -> None:
    ann = exchange.agent("ann")
    await exchange.serves(flow=SERVICE)
    record = await exchange.dials().hangs_up(after_s=1).over()
    assert (record.disposition, record.end_source) == ("abandoned_ivr", "caller")
    assert ann.times_rung == 0


async def test_a_caller_who_leaves_while_phones_ring_has_abandoned_the_queue(exchange: Exchange) -> None:
    ann, bob = exchange.agent("ann"), exchange.agent("bob").answers(after_s=1)
    await exchange.serves()
    record = await exchange.dials().hangs_up(after_s=6).over()
    assert (record.disposition, record.end_source) == ("abandoned_queue", "caller")
    assert {leg.outcome for leg in record.legs} == {"cancelled"}
    assert (ann.is_on_the_line, bob.is_on_the_line) == (False, False)


async def test_a_caller_who_leaves_as_the_agent_accepts_leaves_nobody_behind(exchange: Exchange) -> None:
    ann = exchange.agent("ann").answers(after_s=2).presses("1", after_s=1)
    await exchange.serves()
    record = await exchange.dials().hangs_up(after_s=3).over()
    assert record.disposition == "abandoned_queue"
    assert record.durations_ms.connected == 0
    assert not ann.is_on_the_line


@pytest.mark.parametrize("after_s", [0.01, 0.5, 30.0])
async def test_a_caller_who_hangs_up_ends_the_conversation_and_frees_the_agent(
    exchange: Exchange, after_s: float
) -> None:
    ann, call = await exchange.talks("ann")
    record = await call.hangs_up(after_s=after_s).over()
    assert (record.disposition, record.end_source) == ("connected", "caller")
    assert record.durations_ms.connected == pytest.approx(after_s * 1000, abs=15)
    assert not ann.is_on_the_line


async def test_a_caller_out_of_the_networks_reach_has_hung_up(exchange: Exchange) -> None:
    ann, call = await exchange.talks("ann")
    record = await call.vanishes(after_s=20).over()
    assert record.end_source == "caller"
    assert not ann.is_on_the_line


async def test_a_caller_who_leaves_in_the_fallback_was_not_answered(exchange: Exchange) -> None:
    exchange.agent("ann").is_busy()
    await exchange.serves(fallback={"play": "sound:sorry"})
    call = exchange.dials()
    await call.hears("sound:sorry")
    record = await call.hangs_up(after_s=0.5).over()
    assert (record.disposition, record.end_source) == ("no_answer", "caller")


async def test_a_caller_who_leaves_while_told_goodbye_has_hung_up(exchange: Exchange) -> None:
    exchange.agent("ann")
    await exchange.serves(flow=SERVICE)
    call = exchange.dials().presses("7").presses("8", after_s=3)
    await call.hears("sound:goodbye")
    record = await call.hangs_up(after_s=0.5).over()
    assert record.end_source == "caller"


async def test_a_caller_who_leaves_as_the_call_comes_in_is_recorded(exchange: Exchange) -> None:
    exchange.agent("ann")
    await exchange.serves()
    record = await exchange.dials().hangs_up().over()
    assert record.end_source == "caller"
    assert record.disposition in ("abandoned_ivr", "abandoned_queue")


# Recorded


def recorded(**consent: Any) -> dict[str, Any]:
    return {"recording": {"consent": {"prompt": "sound:recorded", **consent}, "keep": "30d"}}


async def test_a_caller_who_is_told_and_stays_is_recorded_from_the_bridge_on(exchange: Exchange) -> None:
    ann = exchange.agent("ann").accepts()
    await exchange.serves(campaign=recorded(everywhere=True))
    call = exchange.dials()
    await call.hears("sound:recorded")
    await exchange.passes(1)
    assert ann.times_rung == 0 and exchange.recorder.told == []
    await call.connected(ann)
    record = await call.hangs_up(after_s=30).over()
    assert exchange.recorder.told == ["start"]
    steps = timeline(record)
    assert steps.index("connected") < steps.index("recording started")
    assert record.recording is not None


async def test_a_caller_from_where_nobody_need_be_told_is_not_told(exchange: Exchange) -> None:
    ann = exchange.agent("ann").accepts()
    await exchange.serves(campaign=recorded())
    call = exchange.dials()
    await call.connected(ann)
    record = await call.hangs_up(after_s=30).over()
    assert media("sound:recorded") not in call.heard
    assert record.recording is not None


async def test_a_caller_who_leaves_at_the_announcement_is_not_recorded(exchange: Exchange) -> None:
    exchange.agent("ann")
    await exchange.serves(campaign=recorded(everywhere=True))
    call = exchange.dials()
    await call.hears("sound:recorded")
    record = await call.hangs_up(after_s=0.5).over()
    assert record.recording is None and exchange.recorder.told == []


async def test_the_recording_stops_while_the_call_is_offered_again(exchange: Exchange) -> None:
    ann = exchange.agent("ann").accepts().vanishes(after_s=4)
    bob = exchange.agent("bob").then().accepts(after_s=4)
    await exchange.serves(campaign=recorded())
    call = exchange.dials()
    await call.connected(ann)
    await call.connected(bob)
    await call.hangs_up(after_s=20).over()
    assert exchange.recorder.told == ["start", "stop", "again"]


# The longest time of a flow


ROUND = {  # who says nothing is asked again for ever, as far as its tries go
    "start": "hello",
    "longest": "20s",
    "nodes": {
        "hello": {"play": "sound:hello", "next": "service"},
        "service": SERVICE["nodes"]["service"] | {"tries": 10},
        "zip": SERVICE["nodes"]["zip"],
        "offer": {"offer": True},
        "goodbye": {"play": "sound:goodbye", "hangup": True},
    },
}


@pytest.mark.parametrize(("hello_s", "at"), [(60, "hello"), (2, "service")])
async def test_a_flow_ends_when_it_has_lasted_its_longest_wherever_the_caller_is(
    exchange: Exchange, hello_s: float, at: str
) -> None:
    exchange.asterisk.sounds_s["sound:hello"] = hello_s
    exchange.agent("ann")
    await exchange.serves(flow=ROUND)
    call = exchange.dials()
    record = await call.over()
    assert (record.disposition, record.end_source) == ("flow_ended", "system")
    [why] = [event for event in record.events if event.what == "flow ended"]
    assert why.detail == f"at {at}: longest time reached"
    assert record.answered_at is not None
    assert why.at - record.answered_at == pytest.approx(20_000, abs=50)
    assert call.heard[-1] == "sound:goodbye"


async def test_a_switch_that_takes_over_gives_a_caller_in_the_flow_no_more_time(exchange: Exchange) -> None:
    exchange.agent("ann")
    await exchange.serves(flow=ROUND)
    call = exchange.dials()
    await call.hears("sound:service")
    await exchange.passes(10)
    await exchange.hands_over()
    record = await call.over()
    assert record.answered_at is not None and record.ended_at is not None
    assert record.ended_at - record.answered_at < 30_000
    assert [event.detail for event in record.events if event.what == "flow ended"] == [
        "at service: longest time reached"
    ]


async def test_who_is_offered_in_time_is_not_hurried(exchange: Exchange) -> None:
    ann = exchange.agent("ann").accepts(after_s=25)
    await exchange.serves(flow=HELLO | {"longest": "20s"})
    call = exchange.dials()
    await call.connected(ann)
    assert (await call.hangs_up(after_s=30).over()).disposition == "connected"
