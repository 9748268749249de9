"""A line that dies in a conversation is found, and counts until it died; who is mute or on hold is not cut."""

from __future__ import annotations

from typing import Any

import pytest

from ari_app.domain.calls.record import CallRecord, LegRecord
from tests.behaviour.exchange import Exchange, outcomes, timeline
from tests.behaviour.test_recovery import dies_for

NINETY: dict[str, Any] = {"qualify": [{"connected_at_least": "90s"}]}


def winner(record: CallRecord) -> LegRecord:
    return next(leg for leg in record.legs if leg.outcome == "won")


def is_qualified(record: CallRecord) -> bool:
    return record.qualification is not None and record.qualification.qualified


async def test_an_agents_line_that_dies_is_found_and_silence_is_not_paid_for(exchange: Exchange) -> None:
    agent, call = await exchange.talks("ann", reoffer_within="1s", **NINETY)
    agent.dies(after_s=5)
    call.hangs_up(after_s=100)
    record = await call.over()
    assert record.connected_at is not None and record.ended_at is not None
    assert 15_000 < record.ended_at - record.connected_at < 5_000 + 20_000
    assert 4_900 <= record.durations_ms.connected <= 5_100
    line = winner(record).line
    assert line is not None and line.died_at == record.connected_at + record.durations_ms.connected
    assert line.last_packet_at == line.died_at
    assert record.line is not None and record.line.died_at is None
    assert (record.end_source, is_qualified(record)) == ("agent", False)
    assert "line dead" in timeline(record) and "agent hung up" not in timeline(record)
    assert exchange.balance("advertiser:acme-plumbing:receivable") == 0


async def test_a_callers_line_that_dies_is_found_and_the_call_ends_with_it(exchange: Exchange) -> None:
    agent, call = await exchange.talks("ann", **NINETY)
    call.dies(after_s=60)
    record = await call.over()
    assert record.connected_at is not None
    assert 59_900 <= record.durations_ms.connected <= 60_100
    assert record.ended_at == record.connected_at + record.durations_ms.connected
    assert record.line is not None and record.line.died_at == record.ended_at
    assert (record.end_source, is_qualified(record)) == ("caller", False)
    assert "caller hung up" not in timeline(record)
    assert agent.causes == [16]


async def test_an_agent_who_dies_at_once_gives_the_call_back(exchange: Exchange) -> None:
    bob = exchange.agent("bob").accepts(after_s=3)
    ann, call = await exchange.talks("ann", **NINETY)
    ann.dies(after_s=3)
    await call.connected(bob)
    record = await call.hangs_up(after_s=120).over()
    assert record.winner == "bob"
    assert is_qualified(record)
    assert outcomes(record) == {"ann": "won", "bob": "won"}  # bob lost the first race


@pytest.mark.parametrize("who", ["agent", "caller"])
async def test_who_is_mute_or_has_the_other_on_hold_is_not_cut(exchange: Exchange, who: str) -> None:
    agent, call = await exchange.talks("ann", **NINETY)
    one = agent if who == "agent" else call
    one.holds(after_s=5).mutes(after_s=0).unmutes(after_s=150).unholds(after_s=0)
    record = await call.hangs_up(after_s=200 if who == "agent" else 45).over()
    assert 199_000 < record.durations_ms.connected < 201_000
    line = winner(record).line if who == "agent" else record.line
    assert line is not None and line.died_at is None
    assert 149_000 < line.held_ms < 151_000
    assert is_qualified(record)
    asked = set(exchange.asterisk.asked)
    assert asked == {(agent if who == "agent" else call).channel.id}


async def test_a_line_that_dies_on_hold_is_found_too(exchange: Exchange) -> None:
    agent, call = await exchange.talks("ann", **NINETY)
    agent.holds(after_s=30).mutes(after_s=0).dies(after_s=60)
    record = await call.hangs_up(after_s=300).over()
    assert 75_000 < record.durations_ms.connected <= 95_000
    line = winner(record).line
    assert line is not None and line.held_ms > 40_000


async def test_who_hangs_up_while_mute_counts_until_then(exchange: Exchange) -> None:
    _, call = await exchange.talks("ann", **NINETY)
    record = await call.mutes(after_s=80).hangs_up(after_s=18).over()
    assert 97_500 < record.durations_ms.connected < 98_500
    assert is_qualified(record)
    assert "caller hung up" in timeline(record)


async def test_a_line_that_dies_is_found_by_the_next_switch(exchange: Exchange) -> None:
    agent, call = await exchange.talks("ann", **NINETY)
    agent.dies(after_s=20)
    await exchange.passes(27)  # it is asked, and has not answered yet
    await dies_for(exchange, 3)
    record = await call.hangs_up(after_s=200).over()
    assert 19_900 <= record.durations_ms.connected <= 20_100
    assert not is_qualified(record)


async def test_a_line_that_dies_while_no_switch_runs_is_found(exchange: Exchange) -> None:
    agent, call = await exchange.talks("ann", **NINETY)
    await exchange.passes(10)
    agent.dies(after_s=1)
    await dies_for(exchange, 5)
    record = await call.hangs_up(after_s=200).over()
    assert 9_000 <= record.durations_ms.connected <= 12_500


async def test_hold_outlives_the_switch(exchange: Exchange) -> None:
    agent, call = await exchange.talks("ann", qualify=[{"held_at_most": "30s"}])
    agent.holds(after_s=10)
    await exchange.passes(20)
    await dies_for(exchange, 3)
    agent.unholds(after_s=30)
    record = await call.hangs_up(after_s=60).over()
    line = winner(record).line
    assert line is not None and 38_000 < line.held_ms < 45_000
    assert record.qualification is not None
    assert [c.name for c in record.qualification.clauses if not c.passed] == ["held_at_most"]


async def test_where_asterisk_tells_no_rtp_statistics_nobody_is_asked_or_cut(exchange: Exchange) -> None:
    agent, call = await exchange.talks("ann", **NINETY)
    agent.channel.up_at = call.channel.up_at = None
    record = await call.hangs_up(after_s=100).over()
    assert is_qualified(record)
    assert exchange.asterisk.asked == []
