"""The switch dies, is replaced, or loses sight of Asterisk: the calls go on."""

from __future__ import annotations

import time
from copy import deepcopy

import pytest

from ari_app.ari.errors import AriError, AriOverload, AriTimeout, AriUnavailable
from ari_app.ari.transport import Request
from tests.behaviour.exchange import Exchange, timeline, uri
from tests.behaviour.test_callers import SERVICE
from tests.kit.market import DID, marketplace

NORMAL = 16
OTHER_DID = "+18005550102"


async def dies_for(exchange: Exchange, seconds: float) -> None:
    """The switch is killed, and another starts so much later."""
    exchange.dies()
    await exchange.passes(seconds)
    await exchange.starts()


# It dies


async def test_a_caller_in_the_ivr_is_asked_again_what_they_were_asked(exchange: Exchange) -> None:
    ann = exchange.agent("ann").accepts()
    await exchange.serves(flow=SERVICE)
    call = exchange.dials().presses("1")
    await call.hears("sound:zip")
    await dies_for(exchange, 5)
    await exchange.asterisk.until(lambda: call.heard.count("sound:zip") == 2)
    call.presses("10001")
    await call.connected(ann)
    record = await call.hangs_up(after_s=100).over()
    assert call.heard.count("sound:service") == 1
    assert record.answers == {"service": "repair", "zip": "10001"}
    assert record.disposition == "connected"


async def test_a_call_for_which_phones_rang_is_offered_again(exchange: Exchange) -> None:
    ann = exchange.agent("ann").then().accepts()
    bob = exchange.agent("bob")
    await exchange.serves()
    call = exchange.dials()
    await exchange.passes(3)
    await dies_for(exchange, 5)
    await call.connected(ann)
    record = await call.hangs_up(after_s=100).over()
    assert (record.disposition, record.winner) == ("connected", "ann")
    assert (ann.times_rung, bob.times_rung) == (2, 2)
    assert "begun again" in timeline(record)


async def test_a_conversation_goes_on_and_all_of_it_counts(exchange: Exchange) -> None:
    ann = exchange.agent("ann").accepts()
    await exchange.serves(qualify=[{"connected_at_least": "90s"}])
    call = exchange.dials()
    await call.connected(ann)
    await exchange.passes(40)
    await dies_for(exchange, 20)
    record = await call.hangs_up(after_s=40).over()
    assert (record.disposition, record.winner, record.end_source) == ("connected", "ann", "caller")
    assert record.durations_ms.connected == pytest.approx(100_000, abs=200)
    assert record.money is not None and record.money.charged == 4200
    assert "taken up again" in timeline(record)


async def test_two_conversations_are_charged_by_what_they_began_with_whoever_has_their_numbers_now(
    exchange: Exchange,
) -> None:
    """One number is released and one is another campaign's, at another price, when the switch is killed."""
    exchange.agent("ann").accepts()
    exchange.agent("bob").accepts()
    numbers = {did: {"campaign": "plumbing", "publisher": "homefix"} for did in (DID, OTHER_DID)}
    await exchange.serves(also={"numbers": numbers})
    kept, released = exchange.dials(DID), exchange.dials(OTHER_DID)
    await kept.connected()
    await released.connected()
    document = marketplace({name: uri(name) for name in exchange.agents})
    roofing = deepcopy(document["campaigns"]["plumbing"]) | {"price": "9.00", "payout": "5.00"}
    document["campaigns"]["roofing"] = roofing
    document["numbers"] = {DID: {"campaign": "roofing", "publisher": "homefix"}}
    exchange.applies(document)
    await dies_for(exchange, 5)
    records = [await call.hangs_up(after_s=30).over() for call in (kept, released)]
    assert [record.campaign for record in records] == ["plumbing", "plumbing"]
    assert [record.money and record.money.charged for record in records] == [4200, 4200]
    assert all(record.durations_ms.connected > 30_000 for record in records)


async def test_an_agent_whose_caller_hangs_up_after_that_is_hung_up_and_free(exchange: Exchange) -> None:
    ann, call = await exchange.talks("ann")
    await dies_for(exchange, 5)
    await exchange.passes(5)
    assert ann.is_on_the_line
    await call.hangs_up().over()
    await exchange.passes(1)
    assert ann.causes == [NORMAL]
    again = exchange.dials()
    await again.connected(ann)
    await again.hangs_up().over()


async def test_an_agent_who_talks_for_the_call_before_is_not_rung_for_the_next(exchange: Exchange) -> None:
    ann = exchange.agent("ann").accepts()
    await exchange.serves()
    first = exchange.dials()
    await first.connected(ann)
    await dies_for(exchange, 1)
    second = exchange.dials()
    await exchange.passes(10)
    assert ann.times_rung == 1
    await first.hangs_up().over()
    await second.connected(ann)
    await second.hangs_up(after_s=1).over()


async def test_an_agent_who_hangs_up_after_that_ends_the_call(exchange: Exchange) -> None:
    ann, call = await exchange.talks("ann")
    await dies_for(exchange, 5)
    ann.hangs_up(after_s=30)
    record = await call.over()
    assert record.end_source == "agent"
    assert record.durations_ms.connected == pytest.approx(35_000, abs=1_500)


async def test_a_conversation_taken_up_again_ends_at_its_longest_duration(exchange: Exchange) -> None:
    ann = exchange.agent("ann").accepts()
    await exchange.serves(max_duration="5m")
    call = exchange.dials()
    await call.connected(ann)
    await exchange.passes(60)
    await dies_for(exchange, 60)
    record = await call.over()
    assert record.end_source == "system"
    assert record.durations_ms.connected == pytest.approx(300_000, abs=200)
    assert not ann.is_on_the_line


async def test_asterisk_ends_a_conversation_at_its_longest_duration_while_no_switch_is_there(
    exchange: Exchange,
) -> None:
    ann = exchange.agent("ann").accepts()
    await exchange.serves(max_duration="5m")
    call = exchange.dials()
    await call.connected(ann)
    await exchange.passes(60)
    exchange.dies()
    await exchange.passes(400)
    assert not call.is_on_the_line
    await exchange.starts()
    record = await call.over()
    assert (record.disposition, record.winner) == ("connected", "ann")
    assert record.durations_ms.connected <= 300_000
    await exchange.passes(1)
    assert not ann.is_on_the_line


async def test_a_conversation_that_ended_meanwhile_lasted_until_the_switch_was_last_seen(
    exchange: Exchange,
) -> None:
    ann, call = await exchange.talks("ann")
    await exchange.passes(40)
    call.hangs_up(after_s=5)
    await dies_for(exchange, 30)
    record = await call.over()
    await exchange.passes(1)
    assert (record.disposition, record.winner) == ("connected", "ann")
    assert record.durations_ms.connected == pytest.approx(40_000, abs=200)
    assert not ann.is_on_the_line


async def test_a_caller_who_left_while_phones_rang_for_a_dead_switch_is_recorded(exchange: Exchange) -> None:
    ann = exchange.agent("ann")
    await exchange.serves()
    call = exchange.dials()
    await exchange.passes(3)
    call.hangs_up(after_s=1)
    await dies_for(exchange, 5)
    record = await call.over()
    await exchange.passes(1)
    assert (record.disposition, record.end_source) == ("abandoned_queue", "caller")
    assert not ann.is_on_the_line


async def test_a_call_that_was_being_offered_again_is_offered_once_more(exchange: Exchange) -> None:
    """Nobody has it: an agent who vanished is not the winner."""
    ann = exchange.agent("ann").accepts().vanishes(after_s=3)
    bob = exchange.agent("bob").then().then().accepts()
    await exchange.serves()
    call = exchange.dials()
    await call.connected(ann)
    await exchange.passes(6)
    assert bob.times_rung == 2
    await dies_for(exchange, 2)
    await call.connected(bob)
    record = await call.hangs_up(after_s=60).over()
    assert (record.winner, record.end_source) == ("bob", "caller")
    assert record.durations_ms.connected == pytest.approx(60_000, abs=200)


async def test_a_trunks_place_is_taken_up_again_and_given_back(exchange: Exchange) -> None:
    ann = exchange.agent("ann").accepts()
    await exchange.serves(also={"trunks": {"carrier": {"concurrent": 1}}})
    first = exchange.dials()
    await first.connected(ann)
    await dies_for(exchange, 1)
    assert (await exchange.dials().over()).disposition == "capped"
    await first.hangs_up().over()
    assert exchange.switch.status()["on_trunks"] == {}


async def test_a_caller_who_came_while_no_switch_heard_of_it_is_served(exchange: Exchange) -> None:
    ann = exchange.agent("ann").accepts()
    await exchange.serves()
    exchange.dies()
    call = exchange.dials()
    await exchange.passes(2)
    await exchange.starts()
    await call.connected(ann)
    assert (await call.hangs_up(after_s=5).over()).disposition == "connected"


# It is replaced


async def test_a_conversation_handed_over_goes_on(exchange: Exchange) -> None:
    ann, bob = exchange.agent("ann").accepts(), exchange.agent("bob").then().accepts()
    await exchange.serves()
    talking = exchange.dials()
    await talking.connected(ann)
    waiting = exchange.dials()
    await exchange.passes(3)
    await exchange.hands_over()
    await waiting.connected(bob)
    assert exchange.asterisk.partners(talking.channel) == {ann.channel.id}
    assert (await waiting.hangs_up(after_s=5).over()).winner == "bob"
    record = await talking.hangs_up(after_s=60).over()
    assert (record.winner, record.disposition) == ("ann", "connected")


async def test_a_switch_that_drains_finishes_its_calls_and_hands_new_ones_back(exchange: Exchange) -> None:
    _, call = await exchange.talks("ann")
    exchange.switch.take_no_more()
    late = exchange.dials()
    await exchange.passes(1)
    assert late.channel.continued_at == "unserved"
    assert (await call.hangs_up(after_s=60).over()).disposition == "connected"
    await exchange.switch.drained()


async def test_a_switch_that_stops_ends_its_calls_and_records_them(exchange: Exchange) -> None:
    _, call = await exchange.talks("ann")
    await exchange.passes(30)
    await exchange.switch.drain()
    record = await call.over()
    assert (record.disposition, record.end_source) == ("connected", "system")
    assert record.durations_ms.connected == pytest.approx(30_000, abs=200)


async def test_a_switch_that_stops_ends_a_conversation_that_it_took_up(exchange: Exchange) -> None:
    ann, call = await exchange.talks("ann")
    await dies_for(exchange, 5)
    await exchange.passes(25)
    await exchange.switch.drain()
    record = await call.over()
    assert (record.disposition, record.end_source) == ("connected", "system")
    assert record.durations_ms.connected == pytest.approx(30_000, abs=200)
    assert ann.causes == [NORMAL]


async def test_a_conversation_that_is_stopped_lasts_no_longer_though_asterisk_does_not_answer(
    exchange: Exchange,
) -> None:
    _, call = await exchange.talks("ann")
    await exchange.passes(30)

    def fail(request: Request) -> None:
        if request.method == "DELETE":
            raise AriTimeout("no answer in 5 s")

    exchange.asterisk.before = fail
    await exchange.switch.drain()
    exchange.asterisk.before = lambda request: None
    record = await call.over()
    assert record.durations_ms.connected == pytest.approx(30_000, abs=200)
    exchange.asterisk.restarts()  # what was not to be hung up


# Asterisk does not say at once what is there


@pytest.mark.parametrize("uri", ["applications/callrace", "channels", "bridges"])
async def test_a_conversation_is_taken_up_though_asterisk_says_only_later_what_is_there(
    exchange: Exchange, uri: str
) -> None:
    _, call = await exchange.talks("ann")
    errors: list[AriError] = [
        AriTimeout("no answer in 5 s"),
        AriOverload("256 others wait"),
        AriUnavailable("lost"),
    ]

    def fail(request: Request) -> None:
        if str(request) == f"GET {uri}" and errors:
            raise errors.pop(0)

    exchange.asterisk.before = fail
    await dies_for(exchange, 5)
    record = await call.hangs_up(after_s=60).over()
    assert errors == []
    assert (record.disposition, record.end_source) == ("connected", "caller")
    assert record.durations_ms.connected == pytest.approx(65_000, abs=300)


async def test_a_switch_is_stopped_at_once_though_asterisk_never_says_what_is_there(
    exchange: Exchange,
) -> None:
    _, call = await exchange.talks("ann")

    def fail(request: Request) -> None:
        if str(request) == "GET channels":
            raise AriTimeout("no answer in 5 s")

    exchange.asterisk.before = fail
    exchange.asterisk.breaks()
    await exchange.passes(20)
    began = time.monotonic()
    await exchange.switch.drain()
    assert time.monotonic() - began < 2
    record = await call.over()
    assert record.disposition == "connected"
    assert record.durations_ms.connected < 1_000
