"""A call that waits for its conversion, over real calls: it is charged when that is told, and a repeat caller then."""

from __future__ import annotations

import asyncio

import pytest

from ari_app.domain.terms.conversions import Told
from ari_app.lab.sipp import answers, hang_up, talk_ms
from ari_app.serving.clock import CallClock
from ari_app.store.ledger import ledger
from ari_app.store.money import conversions
from tests.live.exchange import marketplace, phones, uris

pytestmark = pytest.mark.live

TERMS = [
    {"converted_within": "7d"},
    {"no_repeat_within": {"window": "30d", "basis": "qualified"}},
]


async def test_a_converted_call_is_charged_and_its_caller_is_a_repeat_caller_from_then_on(exchange, calling):
    async with phones({"one": answers()}) as agents:
        campaign = {"caps": [{"max": 5, "per": "total"}], "screen": {"redial_within": "1ms"}}
        exchange.apply(marketplace(uris(agents), accept="answer", qualify=TERMS, campaign=campaign))
        keeping_up = asyncio.create_task(exchange.switch.keep_up_to_date())

        async def call():
            async with calling(plan=[talk_ms(300), hang_up]) as who:
                await who.outcome()
                return await exchange.record()

        try:
            first, second = await call(), await call()
            assert [one.qualification.waits_until is not None for one in (first, second)] == [True, True]
            assert ledger.balances(exchange.engine)["advertiser:acme", "USD"].held == -8400
            now = CallClock().now()
            [outcome] = conversions.tell(exchange.engine, [Told(first.id, now, "order-1")], now)
            assert outcome.record.money.charged == 4200
            async with asyncio.timeout(10):
                while (third := await call()).qualification.waits_until is not None:
                    pass  # the switch looks once a second
        finally:
            keeping_up.cancel()
    [repeat] = [clause for clause in third.qualification.clauses if clause.name == "no_repeat_within"]
    assert (repeat.passed, first.id in repeat.detail) == (False, True)
    assert exchange.ledger_findings() == []
