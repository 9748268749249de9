"""How a call ends that neither party ended, and what is told of a call while it is under way."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from ari_app import logs
from ari_app.ari.errors import http_error
from ari_app.ari.testing import Phone
from ari_app.ari.transport import Request
from ari_app.domain.calls.record import CallRecord
from tests.behaviour.exchange import Exchange, timeline
from tests.behaviour.test_callers import SERVICE
from tests.kit.market import marketplace

BY_HOUR = {
    "start": "hour",
    "nodes": {
        "hour": {
            "branch": [{"when": {"within_hours": {"open": ["mon 11:00-13:00"]}}, "next": "offer"}],
            "otherwise": "goodbye",
        },
        "offer": {"offer": True},
        "goodbye": {"play": "sound:goodbye", "hangup": True},
    },
}
FIRST = {"no_repeat_within": {"window": "30d", "basis": "any"}}


def ended(record: CallRecord) -> tuple[str | None, str | None]:
    return record.disposition, record.end_source


async def test_who_waits_as_asterisk_restarts_has_failed_and_has_not_abandoned_the_call(
    exchange: Exchange,
) -> None:
    exchange.agent("ann")
    await exchange.serves()
    call = exchange.dials()
    await exchange.passes(5)
    exchange.asterisk.restarts()
    assert ended(await call.over()) == ("failed", "system")


async def test_who_waits_as_the_switch_is_stopped_has_failed(exchange: Exchange) -> None:
    exchange.agent("ann")
    await exchange.serves()
    call = exchange.dials()
    await exchange.passes(5)
    await exchange.switch.drain()
    record = await call.over()
    assert ended(record) == ("failed", "system")
    assert "switch stopped" in timeline(record)


async def test_what_asterisk_refuses_ends_the_call_and_is_told_in_its_own_words(
    exchange: Exchange, caplog: pytest.LogCaptureFixture
) -> None:
    exchange.agent("ann")
    await exchange.serves()

    def refuse(request: Request) -> None:
        if request.uri.endswith("/answer"):
            raise http_error(500, "out of channels", "POST", request.uri)

    exchange.asterisk.before = refuse
    about: list[str | None] = []

    class Listener(logging.Handler):
        def emit(self, entry: logging.LogRecord) -> None:
            if entry.getMessage().startswith("call failed"):
                about.append(logs._call.get())

    listener = Listener()
    logging.getLogger("ari_app.switch.session").addHandler(listener)
    record = await exchange.dials().over()
    logging.getLogger("ari_app.switch.session").removeHandler(listener)
    assert ended(record) == ("failed", "system")
    [failed] = [event.detail for event in record.events if event.what == "failed"]
    assert "out of channels" in failed
    assert about == [record.id]


async def test_operators_see_in_which_phase_a_call_is(exchange: Exchange) -> None:
    ann = exchange.agent("ann").answers(after_s=4)
    await exchange.serves(flow=SERVICE, ring_timeout="10s", fallback={"play": "sound:sorry"})
    call = exchange.dials()

    def phase() -> Any:
        [shown] = exchange.switch.live()
        return shown["phase"]

    await call.hears("sound:service")
    assert phase() == "ivr"
    call.presses("110001")
    await exchange.asterisk.until(lambda: ann.times_rung)
    assert phase() == "race"
    await call.hears("sound:sorry")
    assert phase() == "ending"
    assert ended(await call.over()) == ("no_answer", "system")


@pytest.mark.parametrize("timezone", ["America/New_York", "Asia/Tokyo"])
async def test_a_flow_looks_at_the_hour_where_the_advertiser_is(exchange: Exchange, timezone: str) -> None:
    """It is Monday noon in New York."""
    exchange.agent("ann").accepts()
    advertiser = {"acme": {"timezone": timezone}}
    await exchange.serves(flow=BY_HOUR, also={"advertisers": advertiser})
    call = exchange.dials()
    if timezone == "America/New_York":
        await call.connected()
        call.hangs_up(after_s=1)
    record = await call.over()
    assert record.disposition == ("connected" if timezone == "America/New_York" else "flow_ended")


async def test_a_caller_who_calls_beside_a_call_of_their_own_is_a_repeat_caller(exchange: Exchange) -> None:
    ann, bob = exchange.agent("ann").accepts(), exchange.agent("bob").then().accepts()
    await exchange.serves(qualify=[FIRST])
    first = exchange.dials(ani="+12125550142")
    await first.connected(ann)
    await exchange.passes(2)
    second = exchange.dials(ani="+12125550142")
    await second.connected(bob)
    record = await second.hangs_up(after_s=60).over()
    assert record.money is not None and record.money.charged == 0
    record = await first.hangs_up(after_s=1).over()
    assert record.money is not None and record.money.charged == 4200


@pytest.mark.parametrize("basis", ["any", "connected", "qualified"])
async def test_who_calls_again_after_a_call_that_was_paid_is_a_repeat_caller_on_every_basis(
    exchange: Exchange, basis: str
) -> None:
    ann = exchange.agent("ann").accepts()
    await exchange.serves(qualify=[{"no_repeat_within": {"window": "30d", "basis": basis}}])
    charged = []
    for _ in range(2):
        call = exchange.dials(ani="+12125550142")
        await call.connected(ann)
        record = await call.hangs_up(after_s=60).over()
        charged.append(record.money and record.money.charged)
        await exchange.passes(5)
    assert charged == [4200, 0]


async def test_a_trunk_without_a_limit_dials_for_as_many_as_come(exchange: Exchange) -> None:
    phone = exchange.asterisk.phones["PJSIP/+12125550100@carrier"] = Phone().accepts()
    by_trunk: dict[str, str | dict[str, str]] = {"ann": {"phone": "+12125550100", "trunk": "carrier"}}
    exchange.applies(marketplace(by_trunk, destination={"capacity": 3}))
    await exchange.starts()
    for _ in range(3):
        call = exchange.dials()
        await call.connected()
        call.hangs_up(after_s=30)
    assert phone.times_rung == 3
    await exchange.passes(40)


async def test_a_hang_up_that_asterisk_refuses_is_told_in_its_own_words(exchange: Exchange) -> None:
    exchange.agent("ann")
    await exchange.serves(ring_timeout="5s")
    call = exchange.dials()

    def refuse(request: Request) -> None:
        if str(request) == f"DELETE channels/{call.channel.id}":
            raise http_error(500, "out of order", "DELETE", request.uri)

    await exchange.passes(1)
    exchange.asterisk.before = refuse
    record = await call.over()
    [detail] = [event.detail for event in record.events if event.what == "hang-up failed"]
    assert "out of order" in detail
    exchange.asterisk.before = lambda request: None
    call.hangs_up()
