"""Who takes a party's place in a conversation by somebody else's SIP is thrown out, and the conversation goes on."""

from __future__ import annotations

import pytest

from tests.behaviour.exchange import Exchange, timeline


@pytest.mark.parametrize("whose", ["agent", "caller"])
async def test_who_takes_a_partys_place_is_hung_up_and_the_party_has_it_again(
    exchange: Exchange, whose: str
) -> None:
    ann, call = await exchange.talks("ann")
    await exchange.passes(20)
    intruder = exchange.asterisk.replaces(ann.channel if whose == "agent" else call.channel)
    await exchange.passes(1)
    assert intruder.id not in exchange.asterisk.channels
    assert exchange.asterisk.partners(call.channel) == {ann.channel.id}
    record = await call.hangs_up(after_s=9).over()
    assert "intruder hung up" in timeline(record)
    assert record.durations_ms.connected == pytest.approx(30_000, abs=300)


async def test_so_it_is_in_a_conversation_that_a_switch_has_taken_up(exchange: Exchange) -> None:
    ann, call = await exchange.talks("ann")
    await exchange.passes(1)
    exchange.dies()
    await exchange.passes(2)
    await exchange.starts()
    await exchange.passes(5)
    intruder = exchange.asterisk.replaces(ann.channel)
    await exchange.passes(1)
    assert intruder.id not in exchange.asterisk.channels
    assert exchange.asterisk.partners(call.channel) == {ann.channel.id}
    await call.hangs_up().over()
