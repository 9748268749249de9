"""Whose call is not taken, and what they hear; what a trunk takes; what caps and funds leave room for."""

from __future__ import annotations

from typing import Any

import pytest

from ari_app.domain.ivr.prompts import media
from ari_app.domain.ledger.transfers import deposit
from ari_app.domain.numbers.applications import Step
from ari_app.domain.routing.screening import CAPPED_PROMPT, CLOSED_PROMPT, REFUSED_PROMPT
from ari_app.store.db import revision
from ari_app.store.db.engine import writing
from ari_app.store.ledger import ledger
from ari_app.store.market import applications
from tests.behaviour.exchange import MONDAY_NOON_MS as NOW
from tests.behaviour.exchange import Exchange, outcomes, timeline

UNALLOCATED, REJECTED, NO_CIRCUIT = 1, 21, 34


async def turned_away(exchange: Exchange, **caller: Any) -> tuple[str, list[str], int | None]:
    """A call that rings nobody: its disposition, what the caller heard, and the cause that it ended with."""
    call = exchange.dials(**caller)
    record = await call.over()
    assert all(agent.times_rung == 0 for agent in exchange.agents.values())
    assert record.end_source == "system" and record.offered_at is None
    assert record.money is None or record.money.charged == 0
    return record.disposition, call.heard, call.channel.cause


async def test_a_number_nobody_owns(exchange: Exchange) -> None:
    exchange.agent("ann")
    await exchange.serves()
    assert await turned_away(exchange, did="+18005550199") == ("unknown_number", [], UNALLOCATED)


async def test_a_campaign_that_is_closed(exchange: Exchange) -> None:
    exchange.agent("ann")
    await exchange.serves(campaign={"hours": {"open": ["mon-fri 13:00-20:00"]}})
    assert await turned_away(exchange) == ("closed", [media(CLOSED_PROMPT)], 16)


async def test_a_campaign_that_is_paused(exchange: Exchange) -> None:
    exchange.agent("ann")
    await exchange.serves(campaign={"status": "paused"})
    assert await turned_away(exchange) == ("closed", [media(CLOSED_PROMPT)], 16)


async def test_a_caller_whom_the_campaign_blocks_is_told(exchange: Exchange) -> None:
    exchange.agent("ann")
    await exchange.serves(campaign={"screen": {"block": ["+1900*"]}})
    refused = await turned_away(exchange, ani="+19005550142")
    assert refused == ("blocked", [media(REFUSED_PROMPT)], 16)


async def test_a_caller_who_hangs_up_while_being_refused_has_hung_up(exchange: Exchange) -> None:
    exchange.agent("ann")
    await exchange.serves(campaign={"status": "paused"})
    record = await exchange.dials().hangs_up(after_s=1).over()
    assert (record.disposition, record.end_source) == ("closed", "caller")


async def test_a_caller_without_a_number_where_one_is_asked_for(exchange: Exchange) -> None:
    exchange.agent("ann")
    await exchange.serves(campaign={"screen": {"anonymous": "refuse", "announce": "sound:who"}})
    assert await turned_away(exchange, ani=None) == ("blocked", ["sound:who"], 16)


async def test_a_caller_whom_every_campaign_blocks_is_rejected_unanswered(exchange: Exchange) -> None:
    exchange.agent("ann")
    await exchange.serves(also={"screen": {"block": ["+1900*"]}})
    assert await turned_away(exchange, ani="+19005550142") == ("blocked", [], REJECTED)
    assert not [one for one in exchange.asterisk.requests if one.endswith("/answer")]


async def test_a_caller_whose_carrier_does_not_vouch_enough(exchange: Exchange) -> None:
    exchange.agent("ann")
    await exchange.serves(also={"screen": {"attestation": ["A", "B"]}})
    assert await turned_away(exchange, attestation="C") == ("blocked", [], REJECTED)


async def test_a_caller_who_redials_at_once(exchange: Exchange) -> None:
    ann = exchange.agent("ann")
    await exchange.serves()
    await exchange.dials(ani="+12125550142").hangs_up(after_s=0.5).over()
    again = exchange.dials(ani="+12125550142")
    assert (await again.over()).disposition == "blocked"
    assert ann.times_rung == 1


async def test_a_caller_who_calls_too_often(exchange: Exchange) -> None:
    ann = exchange.agent("ann")
    await exchange.serves(also={"screen": {"per_ani": {"max": 2, "within": "1m"}}})
    found = []
    for _ in range(3):
        call = exchange.dials(ani="+12125550142").hangs_up(after_s=5)
        found.append((await call.over()).disposition)
    assert found == ["abandoned_queue", "abandoned_queue", "blocked"]
    assert ann.times_rung == 2


async def test_a_campaign_that_has_nobody_for_this_caller(exchange: Exchange) -> None:
    ann = exchange.agent("ann")
    await exchange.serves(destination={"covers": {"states": ["CA"]}}, fallback={"play": "sound:sorry"})
    call = exchange.dials()
    record = await call.over()
    assert (record.disposition, call.heard, ann.times_rung) == ("no_route", ["sound:sorry"], 0)
    assert [excluded.destination for excluded in record.excluded] == ["ann"]


# Trunks


async def test_a_trunk_takes_so_many_callers_and_again_as_many_once_they_are_gone(exchange: Exchange) -> None:
    exchange.agent("ann").accepts()
    await exchange.serves(also={"trunks": {"carrier": {"concurrent": 1}}})
    first = exchange.dials()
    await first.connected()
    second = exchange.dials()
    record = await second.over()
    assert (record.disposition, second.heard, second.channel.cause) == ("capped", [], NO_CIRCUIT)
    await first.hangs_up().over()
    assert exchange.switch.status()["on_trunks"] == {}
    third = exchange.dials()
    await third.connected()
    assert (await third.hangs_up(after_s=1).over()).disposition == "connected"


async def test_a_caller_who_is_turned_away_has_no_place_on_the_trunk(exchange: Exchange) -> None:
    exchange.agent("ann")
    limits = {"trunks": {"carrier": {"concurrent": 1}}}
    await exchange.serves(also=limits, campaign={"screen": {"block": ["+1900*"]}})
    for _ in range(3):
        assert (await turned_away(exchange, ani="+19005550142"))[0] == "blocked"
        await exchange.passes(5)


# Caps and funds


async def test_a_campaign_with_a_cap_of_one_takes_one_of_two_at_once(exchange: Exchange) -> None:
    ann, bob = exchange.agent("ann").accepts(), exchange.agent("bob")
    await exchange.serves(campaign={"caps": [{"max": 1, "per": "day"}]})
    first = exchange.dials()
    await first.connected(ann)
    second = exchange.dials()
    record = await second.over()
    assert (record.disposition, record.legs) == ("capped", [])
    assert second.heard == [media(CAPPED_PROMPT)]
    assert bob.times_rung == 1  # for the first
    assert (await first.hangs_up(after_s=60).over()).disposition == "connected"


async def test_a_cap_that_is_used_up_is_known_before_the_call_is_answered(exchange: Exchange) -> None:
    ann = exchange.agent("ann").accepts()
    await exchange.serves(campaign={"caps": [{"max": 1, "per": "day"}]})
    first = exchange.dials()
    await first.connected(ann)
    await first.hangs_up(after_s=60).over()
    exchange.switch.load()
    call = exchange.dials()
    record = await call.over()
    assert (record.disposition, call.heard) == ("capped", [media(CAPPED_PROMPT)])
    assert (record.offered_at, ann.times_rung) == (None, 1)
    assert "located" not in timeline(record)


async def test_a_call_that_did_not_count_leaves_the_cap_as_it_was(exchange: Exchange) -> None:
    ann = exchange.agent("ann").accepts()
    qualify = [{"connected_at_least": "30s"}]
    await exchange.serves(campaign={"caps": [{"max": 1, "per": "day"}]}, qualify=qualify)
    for talked_s in (10, 60):
        call = exchange.dials()
        await call.connected(ann)
        record = await call.hangs_up(after_s=talked_s).over()
    assert record.qualification is not None and record.qualification.qualified


async def test_a_capped_destination_is_left_out_and_the_others_are_rung(exchange: Exchange) -> None:
    ann, bob = exchange.agent("ann").accepts(), exchange.agent("bob").accepts(after_s=4)
    await exchange.serves(also={"destinations": {"ann": {"caps": [{"max": 1, "per": "day"}]}}})
    winners = []
    for _ in range(2):
        call = exchange.dials()
        await call.connected()
        winners.append((await call.hangs_up(after_s=60).over()).winner)
    assert winners == ["ann", "bob"]
    assert (ann.times_rung, bob.times_rung) == (1, 2)


async def test_the_cap_of_a_destination_that_lost_has_room_again_while_the_winner_talks(
    exchange: Exchange,
) -> None:
    ann, bob = exchange.agent("ann").accepts(), exchange.agent("bob").then().accepts()
    once = {name: {"caps": [{"max": 1, "per": "day"}]} for name in ("ann", "bob")}
    await exchange.serves(also={"destinations": once})
    first = exchange.dials()
    await first.connected(ann)
    await exchange.passes(11)  # it can not be offered again any more
    second = exchange.dials()
    await second.connected(bob)
    record = await second.hangs_up(after_s=1).over()
    assert outcomes(record) == {"bob": "won"}
    assert [exclusion.destination for exclusion in record.excluded] == ["ann"]  # whose call it still is
    await first.hangs_up().over()


@pytest.mark.parametrize(
    ("paid_in", "disposition"), [(0, "no_route"), (4_199, "no_route"), (4_200, "connected")]
)
async def test_a_prepaid_advertiser_gets_the_calls_that_it_has_funds_for(
    exchange: Exchange, paid_in: int, disposition: str
) -> None:
    exchange.agent("ann").accepts()
    if paid_in:
        ledger.post(exchange.engine, deposit("1", "acme", paid_in, "USD", NOW))
    await exchange.serves(also={"advertisers": {"acme": {"billing": {"model": "prepaid"}}}})
    record = await exchange.dials().hangs_up(after_s=60).over()
    assert record.disposition == disposition
    assert exchange.balance("advertiser:acme") == (0 if disposition == "connected" else paid_in)


async def test_a_publisher_who_is_suspended_sends_no_calls(exchange: Exchange) -> None:
    exchange.agent("ann")
    await exchange.serves()
    with writing(exchange.engine) as connection:
        found = applications.add(connection, "plumbing", "homefix")
        applications.add_step(connection, found, Step(1, NOW - 3, "submit", "pending", None, "desk"))
        applications.add_step(connection, found, Step(2, NOW - 2, "approve", "approved", None, "desk"))
        applications.add_step(
            connection, found, Step(3, NOW - 1, "suspend", "suspended", "complaints", "desk")
        )
        revision.rise(connection)
    exchange.switch.load()
    disposition, heard, _ = await turned_away(exchange)
    assert (disposition, heard) == ("closed", [media(CLOSED_PROMPT)])


async def test_a_caller_of_an_area_code_that_the_marketplace_itself_places(exchange: Exchange) -> None:
    ann = exchange.agent("ann").accepts()
    own = {"geography": {"area_codes": {"621": "TX"}}}
    await exchange.serves(destination={"covers": {"states": ["TX"]}}, also=own)
    call = exchange.dials(ani="+16215550142")
    await call.connected(ann)
    record = await call.hangs_up(after_s=1).over()
    assert (record.place.state, record.place.from_) == ("TX", "ani")
