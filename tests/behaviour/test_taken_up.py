"""The next switch takes up what the one before had no time to write down, and judges by what the call began with."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from ari_app.ari.errors import AriTimeout
from ari_app.ari.transport import Request
from ari_app.domain.calls.stage import Stage
from ari_app.domain.routing.recovery import UnderWay
from ari_app.domain.terms.wire import pack_under_way
from ari_app.store.calls import calls
from ari_app.store.calls.calls import Settlement
from ari_app.store.calls.journal import Journal
from tests.behaviour.exchange import Exchange, outcomes, timeline
from tests.behaviour.test_callers import HELLO, SERVICE, recorded
from tests.behaviour.test_recovery import dies_for

NORMAL, ELSEWHERE = 16, 26
DID_OF_LOS_ANGELES = "+13105550101"
ONE_A_DAY = {"caps": [{"max": 1, "per": "day"}]}


def had_written(exchange: Exchange, change: Callable[[UnderWay], None]) -> UnderWay:
    """Takes from what the dead switch has written of its one call what it is to have had no time for."""
    folder = exchange.home / "journal"
    [left] = Journal(folder).left()
    change(left)
    [path] = folder.glob("*.jsonl")
    path.write_bytes(pack_under_way(left) + b"\n")
    return left


def wrote_version_1(exchange: Exchange) -> None:
    """What the dead switch has written is as a switch of before wrote it."""
    [path] = (exchange.home / "journal").glob("*.jsonl")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if call := line.get("call"):
            parties = call.pop("parties")
            call |= {"channel_id": parties["caller"], "agent_channel_id": parties.get("agent")}
            del call["stage"], call["is_lent"]
            line["version"] = 1
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def not_that_they_talk(left: UnderWay) -> None:
    left.stage = Stage.BRIDGING
    left.record.winner = left.record.connected_at = left.record.disposition = None


def not_that_it_is_awarded(left: UnderWay) -> None:
    not_that_they_talk(left)
    left.stage = Stage.WAITING
    del left.parties["agent"]
    for leg in left.record.legs:
        leg.outcome = leg.accepted_at = leg.ended_at = leg.lost_by_ms = leg.hangup_cause = None


# They talk


async def test_who_is_together_has_the_call_though_nobody_had_time_to_write_that_it_is_awarded(
    exchange: Exchange,
) -> None:
    """Nor to silence the other phone: it is silenced as one whose call another has, and is no end of the call."""
    ann, bob = exchange.agent("ann").accepts(after_s=3), exchange.agent("bob")
    await exchange.serves()
    call = exchange.dials()

    def leave_bob(request: Request) -> None:
        if str(request) == f"DELETE channels/{bob.channel.id}":
            raise AriTimeout("no answer in 5 s")

    await exchange.passes(1)
    exchange.asterisk.before = leave_bob
    await call.connected(ann)
    exchange.dies()
    left = had_written(exchange, not_that_it_is_awarded)
    exchange.asterisk.before = lambda request: None
    await exchange.passes(5)
    await exchange.starts()
    await exchange.passes(5)
    assert bob.causes == [ELSEWHERE]
    assert exchange.asterisk.partners(call.channel) == {ann.channel.id}
    assert exchange.switch.status()["capacity_in_use"] == {"ann": 1}
    await dies_for(exchange, 5)  # what it found out it has written down
    record = await call.hangs_up(after_s=40).over()
    assert (record.winner, record.disposition, record.end_source) == ("ann", "connected", "caller")
    assert outcomes(record) == {"ann": "won", "bob": "lost"}
    won, lost = sorted(record.legs, key=lambda leg: leg.destination)
    assert record.connected_at == won.accepted_at == lost.ended_at
    assert record.connected_at is not None and record.connected_at >= left.record.events[-1].at
    assert record.durations_ms.connected == pytest.approx(55_000, abs=1_200)
    assert timeline(record).count("taken up again") == 2


async def test_who_was_awarded_the_call_has_it_from_when_they_accepted(exchange: Exchange) -> None:
    """They were put together, and nobody had time to write that down."""
    _, call = await exchange.talks("ann")
    exchange.dies()
    left = had_written(exchange, not_that_they_talk)
    await exchange.starts()
    record = await call.hangs_up(after_s=40).over()
    assert (record.winner, record.disposition) == ("ann", "connected")
    assert record.connected_at == left.record.legs[0].accepted_at == record.legs[0].accepted_at
    assert record.durations_ms.connected == pytest.approx(40_000, abs=300)


async def test_a_caller_whose_agent_left_before_it_was_written_that_they_talk_is_offered_again(
    exchange: Exchange,
) -> None:
    ann, bob = exchange.agent("ann").accepts(), exchange.agent("bob").then().accepts()
    await exchange.serves()
    call = exchange.dials()
    await call.connected(ann)
    exchange.dies()
    had_written(exchange, not_that_they_talk)
    ann.hangs_up()
    await exchange.passes(5)
    await exchange.starts()
    await exchange.passes(1.5)
    [waiting] = exchange.journal.left()
    assert (waiting.agent, waiting.record.winner) == (None, None)
    await call.connected(bob)
    assert list(exchange.asterisk.bridges) == [f"{waiting.record.id}-r1-bridge"]
    record = await call.hangs_up(after_s=40).over()
    assert ("ann", "failed") in [(leg.destination, leg.outcome) for leg in record.legs]
    assert record.winner == "bob"


async def test_a_conversation_that_is_too_long_when_it_is_taken_up_is_ended_at_once(
    exchange: Exchange,
) -> None:
    ann, call = await exchange.talks("ann", max_duration="5m")
    exchange.dies()
    await exchange.passes(301)
    assert call.is_on_the_line
    limits: list[str] = []

    def look(request: Request) -> None:
        if request.uri.endswith("/variable") and request.query:
            limits.append(request.query["value"])

    exchange.asterisk.before = look
    await exchange.starts()
    record = await call.over()
    assert limits == ["3.000"]
    assert "longest duration reached" in timeline(record)
    assert (record.disposition, record.end_source) == ("connected", "system")
    assert ann.causes == [NORMAL]


async def test_an_agent_whose_end_is_told_late_talked_until_they_left(exchange: Exchange) -> None:
    ann, call = await exchange.talks("ann")
    await dies_for(exchange, 5)
    ann.presses("5")  # what is told at once tells how late the rest is
    await exchange.passes(10)
    exchange.asterisk.events_take_s = 4
    ann.hangs_up(after_s=20)
    record = await call.over()
    assert record.end_source == "agent"
    assert record.durations_ms.connected == pytest.approx(35_000, abs=300)


async def test_an_agent_who_left_while_the_connection_was_broken_is_seen_to_be_gone(
    exchange: Exchange,
) -> None:
    ann, call = await exchange.talks("ann")
    await dies_for(exchange, 5)
    await exchange.passes(10)
    exchange.asterisk.is_down = True
    exchange.asterisk.breaks()
    ann.hangs_up(after_s=3)
    await exchange.passes(10)
    exchange.asterisk.is_down = False
    record = await call.over()
    assert record.end_source == "agent"
    assert record.durations_ms.connected == pytest.approx(15_000, abs=300)


async def test_the_cap_of_a_destination_that_lost_has_room_again_when_the_winner_is_taken_up(
    exchange: Exchange,
) -> None:
    """Once the call could not be offered again: as if the switch had never died."""
    ann, bob = exchange.agent("ann").accepts(), exchange.agent("bob").then().accepts()
    await exchange.serves(also={"destinations": {name: deepcopy(ONE_A_DAY) for name in ("ann", "bob")}})
    first = exchange.dials()
    await first.connected(ann)
    await exchange.passes(1)
    await dies_for(exchange, 1)
    assert (await exchange.dials().over()).disposition == "no_route"
    await exchange.passes(8)
    second = exchange.dials()
    await second.connected(bob)
    await second.hangs_up(after_s=1).over()
    await first.hangs_up().over()


# They are judged


@pytest.mark.parametrize(
    ("caller", "where"),
    [
        ({}, ("CA", "zip")),  # where the caller said that they are, whatever their number is
        ({"keys": None}, ("NY", "ani")),
        ({"keys": None, "ani": None}, ("CA", "did")),
    ],
)
async def test_a_conversation_that_is_taken_up_is_judged_by_where_the_caller_is(
    exchange: Exchange, caller: dict[str, Any], where: tuple[str, str]
) -> None:
    ann = exchange.agent("ann").accepts()
    keys = caller.get("keys", "190210")
    numbers = {DID_OF_LOS_ANGELES: {"campaign": "plumbing", "publisher": "homefix"}}
    await exchange.serves(
        flow=SERVICE if keys else None,
        qualify=[{"caller_in": {"states": [where[0]]}}],
        also={"numbers": numbers},
    )
    call = exchange.dials(
        DID_OF_LOS_ANGELES, **{name: value for name, value in caller.items() if name != "keys"}
    )
    if keys:
        call.presses(keys)
    await call.connected(ann)
    await dies_for(exchange, 5)
    record = await call.hangs_up(after_s=40).over()
    assert (record.place.state, record.place.from_) == where
    assert record.money is not None and record.money.charged == 4200


# The caller waits


async def test_a_caller_who_left_the_ivr_of_a_dead_switch_has_abandoned_it(exchange: Exchange) -> None:
    exchange.agent("ann")
    await exchange.serves(flow=SERVICE)
    call = exchange.dials()
    await call.hears("sound:service")
    call.hangs_up(after_s=1)
    await dies_for(exchange, 5)
    record = await call.over()
    assert (record.disposition, record.end_source) == ("abandoned_ivr", "caller")


async def test_a_call_ended_no_earlier_than_the_last_that_is_written_of_it(exchange: Exchange) -> None:
    exchange.agent("ann")
    await exchange.serves(flow=HELLO)
    call = exchange.dials()
    await exchange.passes(5)
    exchange.dies()

    def not_when_it_was_last_seen(left: UnderWay) -> None:
        left.last_seen = left.record.started_at
        told = left.record.events
        del told[[event.what for event in told].index("located") + 1 :]

    left = had_written(exchange, not_when_it_was_last_seen)
    call.hangs_up()
    await exchange.passes(5)
    await exchange.starts()
    assert (await call.over()).ended_at == left.record.events[-1].at > left.record.events[-2].at


async def test_a_caller_who_waits_is_not_turned_away_by_the_place_in_a_cap_that_is_theirs(
    exchange: Exchange,
) -> None:
    ann = exchange.agent("ann").then().accepts()
    await exchange.serves(campaign=ONE_A_DAY)
    call = exchange.dials()
    await exchange.passes(3)
    await dies_for(exchange, 5)
    await call.connected(ann)
    assert (await call.hangs_up(after_s=10).over()).disposition == "connected"
    assert (await exchange.dials().over()).disposition == "capped"


# Recorded


async def test_a_call_that_is_begun_again_is_recorded(exchange: Exchange) -> None:
    ann = exchange.agent("ann").then().accepts()
    await exchange.serves(campaign=recorded())
    call = exchange.dials()
    await exchange.passes(3)
    await dies_for(exchange, 5)
    await call.connected(ann)
    record = await call.hangs_up(after_s=30).over()
    assert exchange.recorder.told == ["start"]
    assert record.recording is not None


async def test_the_recording_of_a_conversation_that_is_taken_up_goes_on(exchange: Exchange) -> None:
    _, call = await exchange.talks("ann", campaign=recorded())
    await exchange.passes(5)
    await dies_for(exchange, 5)
    record = await call.hangs_up(after_s=30).over()
    assert record.recording is not None
    assert "recording went on" in timeline(record)


async def test_a_conversation_may_be_recorded_though_nobody_had_time_to_write_that_it_is(
    exchange: Exchange,
) -> None:
    _, call = await exchange.talks("ann", campaign=recorded())
    await exchange.passes(5)
    exchange.dies()

    def not_that_it_is_recorded(left: UnderWay) -> None:
        left.record.recording = None

    had_written(exchange, not_that_it_is_recorded)
    await exchange.starts()
    record = await call.hangs_up(after_s=30).over()
    assert record.recording is not None


async def test_a_conversation_that_was_over_is_not_charged_until_the_switch_was_last_seen(
    exchange: Exchange,
) -> None:
    """The agent vanished, nobody else took the call, and the caller hears the fallback when the switch is replaced."""
    ann = exchange.agent("ann").accepts().vanishes(after_s=5)
    exchange.asterisk.sounds_s["sound:sorry"] = 60
    await exchange.serves(fallback={"play": "sound:sorry"}, ring_timeout="10s")
    call = exchange.dials()
    await call.connected(ann)
    ann.is_known = False
    await call.hears("sound:sorry")
    await exchange.passes(20)
    await exchange.hands_over()
    record = await call.over()
    assert (record.disposition, record.winner) == ("connected", "ann")
    assert record.durations_ms.connected == pytest.approx(5_000, abs=100)


# It is over


async def test_who_is_there_of_a_call_that_is_saved_already_is_no_new_call(exchange: Exchange) -> None:
    """The switch died in the moment between the two."""
    ann, call = await exchange.talks("ann")
    exchange.dies()
    [left] = Journal(exchange.home / "journal").left()
    calls.save(exchange.engine, [Settlement(left.record)])
    await exchange.starts()
    await exchange.passes(5)
    assert exchange.switch.status()["calls"] == 0
    assert (call.is_on_the_line, ann.is_on_the_line) == (False, False)
    assert len(list(calls.every(exchange.engine))) == 1


# It was an older one


async def test_an_upgrade_takes_up_who_talks_who_waits_and_who_is_asked(exchange: Exchange) -> None:
    ann, bob = exchange.agent("ann").accepts(), exchange.agent("bob").then().then().accepts()
    await exchange.serves(flow=SERVICE)
    talking = exchange.dials().presses("110001")
    await talking.connected(ann)
    waiting = exchange.dials().presses("110001")
    await exchange.asterisk.until(lambda: bob.times_rung == 2)
    asked = exchange.dials().presses("1")
    await asked.hears("sound:zip")
    await exchange.passes(1)
    exchange.dies()
    wrote_version_1(exchange)
    await exchange.passes(1)
    await exchange.starts()
    await waiting.connected(bob)
    assert exchange.asterisk.partners(talking.channel) == {ann.channel.id}
    await exchange.asterisk.until(lambda: asked.heard.count("sound:zip") == 2)
    assert asked.heard.count("sound:service") == 1
    records = [await call.hangs_up(after_s=5).over() for call in (talking, waiting, asked)]
    assert [record.disposition for record in records] == ["connected", "connected", "abandoned_ivr"]
    assert [record.winner for record in records] == ["ann", "bob", None]
