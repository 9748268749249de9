"""A switch loses sight of Asterisk, and sees it again; or Asterisk restarts."""

from __future__ import annotations

from typing import Any

import pytest

from ari_app.domain.ivr.prompts import media
from tests.behaviour.exchange import Exchange, outcomes, timeline
from tests.behaviour.test_callers import SERVICE
from tests.behaviour.test_recovery import dies_for


async def test_a_conversation_survives_a_broken_connection_of_events(exchange: Exchange) -> None:
    ann, call = await exchange.talks("ann")
    exchange.asterisk.breaks()
    await exchange.passes(10)
    assert exchange.asterisk.partners(call.channel) == {ann.channel.id}
    record = await call.hangs_up(after_s=50).over()
    assert record.end_source == "caller"
    assert record.durations_ms.connected == pytest.approx(60_000, abs=300)


async def test_who_hung_up_while_nobody_looked_is_not_charged_for_longer(exchange: Exchange) -> None:
    ann, call = await exchange.talks("ann")
    await exchange.passes(30)
    exchange.asterisk.is_down = True
    exchange.asterisk.breaks()
    call.hangs_up(after_s=5)
    await exchange.passes(20)
    exchange.asterisk.is_down = False
    record = await call.over()
    assert record.disposition == "connected"
    assert record.durations_ms.connected == pytest.approx(30_000, abs=300)
    await exchange.passes(1)
    assert not ann.is_on_the_line


async def test_an_agent_who_went_while_nobody_looked_talked_until_then_though_the_call_is_offered_again(
    exchange: Exchange,
) -> None:
    ann = exchange.agent("ann").accepts()
    await exchange.serves(ring_timeout="5s")
    call = exchange.dials()
    await call.connected(ann)
    await exchange.passes(2)
    exchange.asterisk.is_down = True
    exchange.asterisk.breaks()
    ann.vanishes(after_s=1)
    ann.is_known = False
    await exchange.passes(1.2)  # a longer break would outlast the time in which a call is offered again
    exchange.asterisk.is_down = False
    record = await call.over()
    assert "vanished" in timeline(record)
    assert (record.disposition, record.winner) == ("connected", "ann")
    assert record.durations_ms.connected == pytest.approx(2_000, abs=300)


async def test_an_agent_of_whose_end_only_the_beginning_was_told_is_seen_to_be_gone(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asterisk tells of a leg's end twice: that it left Stasis, and that it is gone."""
    ann = exchange.agent("ann").accepts().hangs_up(after_s=30)
    await exchange.serves()
    tell = exchange.asterisk.tell

    def break_between(kind: str, channel: Any = None, **more: object) -> None:
        if kind == "ChannelDestroyed" and channel is ann.channel:
            exchange.asterisk.breaks()
        tell(kind, channel, **more)

    monkeypatch.setattr(exchange.asterisk, "tell", break_between)
    call = exchange.dials()
    record = await call.over()
    assert (record.disposition, record.end_source) == ("connected", "agent")
    assert record.durations_ms.connected == pytest.approx(30_000, abs=300)


async def test_an_agent_who_answered_while_nobody_looked_is_asked(exchange: Exchange) -> None:
    ann = exchange.agent("ann").answers(after_s=5).presses("1", after_s=15)
    await exchange.serves()
    call = exchange.dials()
    await exchange.passes(4)
    exchange.asterisk.is_down = True
    exchange.asterisk.breaks()
    await exchange.passes(3)
    exchange.asterisk.is_down = False
    await call.connected(ann)
    record = await call.hangs_up(after_s=10).over()
    assert outcomes(record) == {"ann": "won"}


async def test_a_caller_who_came_while_nobody_looked_is_served(exchange: Exchange) -> None:
    ann = exchange.agent("ann").accepts()
    await exchange.serves()
    exchange.asterisk.is_down = True
    exchange.asterisk.breaks()
    await exchange.passes(1)
    call = exchange.dials()
    await exchange.passes(2)
    exchange.asterisk.is_down = False
    await call.connected(ann)
    assert (await call.hangs_up(after_s=5).over()).disposition == "connected"


async def test_calls_end_with_an_asterisk_that_restarts(exchange: Exchange) -> None:
    ann = exchange.agent("ann").accepts()
    await exchange.serves(flow=SERVICE)
    talking = exchange.dials().presses("110001")
    await talking.connected(ann)
    asked = exchange.dials()
    await asked.hears("sound:service")
    await exchange.passes(20)
    exchange.asterisk.restarts()
    record = await talking.over()
    assert (record.disposition, record.end_source) == ("connected", "system")
    assert record.durations_ms.connected >= 19_000
    assert (await asked.over()).end_source == "system"
    again = exchange.dials()
    await again.hears("sound:service")
    await again.hangs_up().over()
    assert media("sound:service") in again.heard


async def test_what_asterisk_ended_with_is_told_though_the_longest_duration_was_over_meanwhile(
    exchange: Exchange,
) -> None:
    _, call = await exchange.talks("ann", max_duration="30s")
    await exchange.passes(25)
    exchange.asterisk.is_down = True
    exchange.asterisk.breaks()
    await exchange.passes(7)
    exchange.asterisk.is_down = False
    exchange.asterisk.restarts()
    record = await call.over()
    assert record.end_source == "system"
    assert "Asterisk restarted" in timeline(record)
    assert record.durations_ms.connected == pytest.approx(25_000, abs=500)


async def test_a_conversation_taken_up_that_ended_unseen_is_not_counted_up_to_its_longest_duration(
    exchange: Exchange,
) -> None:
    _, call = await exchange.talks("ann", max_duration="30s")
    await exchange.passes(1)
    await dies_for(exchange, 2)
    await exchange.passes(5)
    exchange.asterisk.is_down = True
    exchange.asterisk.breaks()
    call.hangs_up(after_s=5)
    await exchange.passes(40)
    exchange.asterisk.is_down = False
    record = await call.over()
    assert record.disposition == "connected"
    assert "longest duration reached" not in timeline(record)
    assert record.durations_ms.connected == pytest.approx(8_000, abs=500)


async def test_a_conversation_that_reaches_its_longest_duration_in_a_break_is_ended_as_soon_as_asterisk_is_back(
    exchange: Exchange,
) -> None:
    ann, call = await exchange.talks("ann", max_duration="30s")
    await exchange.passes(29)
    exchange.asterisk.is_down = True
    exchange.asterisk.breaks()
    await exchange.passes(1.2)
    exchange.asterisk.is_down = False
    record = await call.over()
    assert record.end_source == "system"
    assert "longest duration reached" in timeline(record)
    assert 30_000 <= record.durations_ms.connected < 33_000
    await exchange.passes(1)
    assert not ann.is_on_the_line
