"""A conversation ends at its campaign's longest duration, and costs no more than was reserved for it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import yaml

from ari_app.ari.transport import Request
from ari_app.domain.document.reading import parse
from ari_app.domain.ledger.transfers import deposit
from ari_app.serving.clock import CallClock
from ari_app.store.ledger import ledger
from ari_app.store.market import marketplaces
from ari_app.views.explain import explain
from tests.kit.market import marketplace
from tests.unit.switch.test_calls_at_the_edge import FLOW, INCOMING, Running, finish_prompt, is_dialling
from tests.unit.switch.test_calls_at_the_edge import running as running

TOLD_LATE_S = 0.03


def moment() -> str:
    """Now, as Asterisk writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


async def test_a_hang_up_that_is_told_late_costs_no_increment_more_than_was_reserved(
    running: Running,
) -> None:
    engine, now = running.switch._engine, CallClock().now()
    agents, price = {"agent": "sip:agent@127.0.0.1:5999"}, {"per_minute": "30.00", "increment": "1s"}
    caps = [{"max_amount": "1.00", "per": "day"}]
    campaign = {"price": price, "payout": "0", "caps": caps}
    document = marketplace(agents, flow=FLOW, accept="answer", max_duration="2s", campaign=campaign)
    document["advertisers"]["acme"]["billing"] = {"model": "prepaid"}
    marketplaces.apply(engine, parse(yaml.safe_dump(document, sort_keys=False), "t.yaml"), now)
    ledger.post(engine, deposit("d1", "acme", 100, "USD", now))  # one call of 2 s at 0.50 a second
    running.switch.load()

    def asterisk(request: Request) -> None:
        finish_prompt(running, request)
        name = request.uri.rpartition("/")[2]
        if is_dialling(request):
            running.tell("StasisStart", channel_id=name, args=[], timestamp=moment())
        if request.method == "DELETE" and "-leg-" in name:
            gone = {"channel_id": name, "cause": 16, "cause_txt": "Normal Clearing"}
            loop = asyncio.get_running_loop()
            loop.call_later(TOLD_LATE_S, lambda: running.tell("ChannelDestroyed", **gone, timestamp=moment()))

    running.transport.before_answer = asterisk
    running.tell("StasisStart", **INCOMING, timestamp=moment())
    record = await running.record()
    assert record.durations_ms.connected >= 2_000
    assert record.money is not None and record.money.charged == 100
    assert ledger.balances(engine)["advertiser:acme", "USD"].posted == 0
    told = [line for section in explain(record, ledger.of_call(engine, record.id)) for line in section.lines]
    assert any(line.startswith("- Of the conversation is billed: 2 s of 2.") for line in told)
