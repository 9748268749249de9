"""Who is put into a conversation by somebody else's SIP is thrown out: nobody would count what they talk."""

from __future__ import annotations

import pytest

from tests.behaviour.exchange import Exchange, timeline


async def test_who_takes_an_agents_place_in_the_conversation_is_hung_up(exchange: Exchange) -> None:
    ann, call = await exchange.talks("ann")
    await exchange.passes(20)
    intruder = exchange.asterisk.replaces(ann.channel)
    await exchange.passes(1)
    assert intruder.id not in exchange.asterisk.channels
    record = await call.hangs_up().over()
    assert "intruder hung up" in timeline(record)
    assert record.durations_ms.connected == pytest.approx(20_000, abs=300)


async def test_who_takes_the_callers_place_is_hung_up_and_the_call_ends(exchange: Exchange) -> None:
    ann, call = await exchange.talks("ann")
    await exchange.passes(20)
    intruder = exchange.asterisk.replaces(call.channel)
    record = await call.over()
    await exchange.passes(1)
    assert intruder.id not in exchange.asterisk.channels
    assert (record.end_source, ann.is_on_the_line) == ("caller", False)
    assert record.durations_ms.connected == pytest.approx(20_000, abs=300)


async def test_a_switch_that_was_started_anew_hangs_them_up_too(exchange: Exchange) -> None:
    ann, call = await exchange.talks("ann")
    await exchange.passes(1)
    exchange.dies()
    await exchange.passes(2)
    await exchange.starts()
    await exchange.passes(5)
    intruder = exchange.asterisk.replaces(ann.channel)
    await exchange.passes(1)
    assert intruder.id not in exchange.asterisk.channels
    await call.hangs_up().over()
