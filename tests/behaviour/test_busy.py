"""Agents who are busy, and calls that wait for them: a place is one call's at a time."""

from __future__ import annotations

from tests.behaviour.exchange import Exchange, timeline


async def test_a_second_call_waits_until_the_agent_is_free(exchange: Exchange) -> None:
    ann = exchange.agent("ann").accepts()
    await exchange.serves()
    first = exchange.dials()
    await first.connected(ann)
    second = exchange.dials()
    assert ann.times_rung == 1
    await first.hangs_up(after_s=15).over()
    await second.connected(ann)
    record = await second.hangs_up(after_s=10).over()
    assert record.disposition == "connected"
    assert "at capacity" in timeline(record)
    assert ann.times_rung == 2


async def test_a_call_that_waits_for_a_busy_agent_in_vain_is_not_answered(exchange: Exchange) -> None:
    ann = exchange.agent("ann").accepts()
    await exchange.serves(ring_timeout="20s")
    first = exchange.dials()
    await first.connected(ann)
    second = exchange.dials()
    record = await second.over()
    assert (record.disposition, record.legs) == ("no_answer", [])
    assert [excluded.destination for excluded in record.excluded] == ["ann"]
    await first.hangs_up().over()


async def test_a_crowd_of_callers_is_served_by_a_few_one_after_the_other(exchange: Exchange) -> None:
    agents = [exchange.agent(f"agent-{n}").accepts() for n in range(5)]
    await exchange.serves(ring_timeout="20m")
    calls = []
    for _ in range(40):
        calls.append(exchange.dials())
        await exchange.passes(1)
    for _ in range(len(calls)):
        await exchange.asterisk.until(lambda: any(exchange.asterisk.partners(call.channel) for call in calls))
        [talking, *_] = [call for call in calls if exchange.asterisk.partners(call.channel)]
        record = await talking.hangs_up(after_s=20).over()
        assert record.disposition == "connected"
        calls.remove(talking)
    assert sum(agent.times_rung for agent in agents) >= 40


async def test_a_call_too_many_for_asterisk_is_turned_away_unanswered(exchange: Exchange) -> None:
    ann = exchange.agent("ann")
    await exchange.serves()
    exchange.transport.unanswered = 10_000
    record = await exchange.dials().over()
    assert (record.disposition, record.answered_at, ann.times_rung) == ("failed", None, 0)
