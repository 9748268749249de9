"""How long a conversation was, whatever Asterisk's clock says and however late its events come."""

from __future__ import annotations

import pytest

from tests.behaviour.exchange import Exchange

AHEAD_S = [-3600.0, -5.0, 0.0, 5.0, 3600.0]


@pytest.mark.parametrize("ahead_s", AHEAD_S)
async def test_a_conversation_is_as_long_as_it_was_whatever_asterisks_clock_says(
    exchange: Exchange, ahead_s: float
) -> None:
    exchange.asterisk.clock_ahead_s = ahead_s
    exchange.agent("ann").accepts(after_s=3)
    await exchange.serves()
    call = exchange.dials()
    await call.connected()
    record = await call.hangs_up(after_s=92).over()
    assert record.durations_ms.connected == pytest.approx(92_000, abs=50)
    assert record.ended_at is not None and record.connected_at is not None
    assert record.ended_at - record.connected_at == pytest.approx(92_000, abs=50)


@pytest.mark.parametrize("ahead_s", AHEAD_S)
async def test_an_end_that_is_told_late_counts_from_when_it_was(exchange: Exchange, ahead_s: float) -> None:
    exchange.asterisk.clock_ahead_s = ahead_s
    exchange.agent("ann").accepts(after_s=3)
    await exchange.serves()
    call = exchange.dials()
    await call.connected()
    exchange.asterisk.events_take_s = 4.0
    record = await call.hangs_up(after_s=92).over()
    assert record.durations_ms.connected == pytest.approx(92_000, abs=50)


async def test_a_clock_that_is_set_during_a_conversation_takes_nothing_from_it(exchange: Exchange) -> None:
    exchange.agent("ann").accepts(after_s=3)
    await exchange.serves()
    call = exchange.dials()
    await call.connected()
    exchange.asterisk.clock_ahead_s = -3600.0
    record = await call.hangs_up(after_s=92).over()
    assert record.durations_ms.connected == pytest.approx(92_000, abs=50)
