"""What a call comes to, in its record and in the ledger."""

from __future__ import annotations

import asyncio

import pytest

from ari_app.ari.testing import JumpingLoop
from ari_app.domain.ledger.transfers import deposit
from ari_app.store.ledger import ledger
from ari_app.views.explain import explain
from tests.behaviour.exchange import MONDAY_NOON_MS, Call, Exchange

NINETY_SECONDS = [{"connected_at_least": "90s"}]


async def talk(exchange: Exchange, seconds: float, ani: str = "") -> Call:
    """A call whose caller talks so long, and hangs up."""
    call = exchange.dials(ani=ani)
    await call.connected()
    return call.hangs_up(after_s=seconds)


@pytest.mark.parametrize(("seconds", "charged", "paid"), [(89, 0, 0), (90.1, 4200, 3000)])
async def test_a_call_is_paid_from_the_second_that_its_terms_say(
    exchange: Exchange, seconds: float, charged: int, paid: int
) -> None:
    exchange.agent("ann").accepts()
    await exchange.serves(qualify=NINETY_SECONDS)
    record = await (await talk(exchange, seconds)).over()
    assert record.money is not None
    assert (record.money.charged, record.money.paid) == (charged, paid)
    assert exchange.balance("advertiser:acme") == -charged
    assert exchange.balance("publisher:homefix") == paid


async def test_what_the_caller_waited_for_is_not_paid(exchange: Exchange) -> None:
    exchange.agent("ann").accepts(after_s=25)
    await exchange.serves(qualify=NINETY_SECONDS)
    record = await (await talk(exchange, 80)).over()
    assert record.money is not None and record.money.charged == 0


async def test_a_repeat_caller_is_paid_once(exchange: Exchange) -> None:
    exchange.agent("ann").accepts()
    await exchange.serves(qualify=[*NINETY_SECONDS, {"no_repeat_within": "30d"}])
    charged = []
    for _ in range(2):
        call = await talk(exchange, 100, ani="+12125550142")
        record = await call.over()
        assert record.money is not None
        charged.append(record.money.charged)
        await exchange.passes(3600)
    assert charged == [4200, 0]
    assert exchange.balance("advertiser:acme") == -4200


async def test_another_caller_is_no_repeat(exchange: Exchange) -> None:
    exchange.agent("ann").accepts()
    await exchange.serves(qualify=[*NINETY_SECONDS, {"no_repeat_within": "30d"}])
    for _ in range(2):
        await (await talk(exchange, 100)).over()
    assert exchange.balance("advertiser:acme") == -8400


async def test_a_call_by_the_minute_is_charged_for_each_minute_begun(exchange: Exchange) -> None:
    exchange.agent("ann").accepts()
    rate = {"per_minute": "1.20"}
    await exchange.serves(campaign={"price": rate, "payout": "0.50"})
    record = await (await talk(exchange, 61)).over()
    assert record.money is not None
    assert (record.money.charged, record.money.paid) == (240, 50)


async def test_a_call_by_the_minute_that_reaches_the_longest_duration_costs_what_was_reserved(
    exchange: Exchange,
) -> None:
    exchange.agent("ann").accepts()
    rate = {"per_minute": "1.20"}
    await exchange.serves(campaign={"price": rate, "payout": "0.50"}, max_duration="5m")
    record = await exchange.dials().over()
    assert record.money is not None and record.money.charged == 600


async def test_a_hang_up_that_comes_late_costs_no_increment_more_than_was_reserved(
    exchange: Exchange,
) -> None:
    exchange.agent("ann").accepts()
    ledger.post(exchange.engine, deposit("1", "acme", 100, "USD", MONDAY_NOON_MS))  # 2 s at 0.50 a second
    by_the_second = {"per_minute": "30.00", "increment": "1s"}
    caps = [{"max_amount": "1.00", "per": "day"}]
    await exchange.serves(
        campaign={"price": by_the_second, "payout": "0", "caps": caps},
        max_duration="2s",
        also={"advertisers": {"acme": {"billing": {"model": "prepaid"}}}},
    )
    call = exchange.dials()
    await call.connected()
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    loop.call_later(1.9, loop.be_busy, 0.2)
    record = await call.over()
    assert record.durations_ms.connected == pytest.approx(2_100, abs=10)
    assert record.money is not None and record.money.charged == 100
    assert exchange.balance("advertiser:acme") == 0
    told = [
        line
        for section in explain(record, ledger.of_call(exchange.engine, record.id))
        for line in section.lines
    ]
    assert any(line.startswith("- Of the conversation is billed: 2 s of 2.") for line in told)


async def test_of_a_call_that_was_offered_again_the_longer_conversation_is_paid(exchange: Exchange) -> None:
    exchange.agent("ann").accepts().vanishes(after_s=9)
    exchange.agent("bob").then().accepts(after_s=4).hangs_up(after_s=100)
    await exchange.serves(qualify=NINETY_SECONDS)
    record = await exchange.dials().over()
    assert record.money is not None
    assert (record.winner, record.money.charged) == ("bob", 4200)
