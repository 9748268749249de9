"""What a killed switch left is damaged, or the clock is set: who talks goes on, and each other call is served."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.behaviour.exchange import Call, Exchange

Damage = Callable[[bytes], bytes]


async def two_talk(exchange: Exchange, **market: Any) -> tuple[Call, Call]:
    """Two conversations, three seconds old."""
    for name in ("ann", "bob"):
        exchange.agent(name).accepts()
    await exchange.serves(**market)
    calls = exchange.dials(), exchange.dials()
    for call in calls:
        await call.connected()
    await exchange.passes(3)
    return calls


def damage(exchange: Exchange, of: Call, how: Damage) -> None:
    """Damages what the journal has of a call."""
    [path] = (exchange.home / "journal").glob("*.jsonl")
    ani = (of.ani or "").encode()
    path.write_bytes(
        b"".join(how(line) if ani in line else line for line in path.read_bytes().splitlines(True))
    )


def older(line: bytes) -> bytes:
    return line.replace(b'"version":1}\n', b'"version":0}\n')


def cut_short(line: bytes) -> bytes:
    return line[: len(line) // 2] + b"\n"


def lost(_: bytes) -> bytes:
    return b""


def without_events(line: bytes) -> bytes:
    kept = json.loads(line)
    kept["call"]["record"]["events"] = []
    return json.dumps(kept).encode() + b"\n"


def connected(at: int) -> Damage:
    def how(line: bytes) -> bytes:
        kept = json.loads(line)
        kept["call"]["record"]["connected_at"] = at
        return json.dumps(kept).encode() + b"\n"

    return how


@pytest.mark.parametrize(
    "how", [older, cut_short, lost, without_events, connected(-1), connected(10**15), connected(10**30)]
)
async def test_who_talks_in_a_call_that_cannot_be_read_goes_on_and_so_do_the_others(
    exchange: Exchange, how: Damage
) -> None:
    unread, good = await two_talk(exchange, qualify=[{"no_repeat_within": "30d"}])
    exchange.dies()
    damage(exchange, unread, how)
    await exchange.starts()
    await exchange.passes(30)
    assert len(exchange.asterisk.partners(unread.channel)) == 1
    record = await good.hangs_up().over()
    assert record.money is not None and record.money.charged == 4200
    unread.hangs_up()
    await exchange.passes(1)
    assert not any(phone.is_on_the_line for phone in exchange.agents.values())


@pytest.mark.parametrize("then", ["dies", "hands over", "loses sight"])
async def test_who_talks_in_a_call_that_cannot_be_read_goes_on_whatever_comes_next(
    exchange: Exchange, then: str
) -> None:
    unread, good = await two_talk(exchange)
    exchange.dies()
    damage(exchange, unread, lost)
    await exchange.starts()
    await exchange.passes(5)
    if then == "dies":
        exchange.dies()
        await exchange.starts()
    elif then == "hands over":
        await exchange.hands_over()
    else:
        exchange.asterisk.breaks()
    await exchange.passes(30)
    assert len(exchange.asterisk.partners(unread.channel)) == 1
    partners = exchange.asterisk.partners(unread.channel)
    [agent] = [phone for phone in exchange.agents.values() if phone.channel.id in partners]
    agent.hangs_up()
    await exchange.passes(1)
    assert not unread.is_on_the_line
    await good.hangs_up().over()


async def test_who_talks_in_a_call_that_cannot_be_read_is_hung_up_when_the_switch_is_stopped(
    exchange: Exchange,
) -> None:
    unread, good = await two_talk(exchange)
    exchange.dies()
    damage(exchange, unread, lost)
    await exchange.starts()
    await exchange.passes(5)
    exchange.switch.take_no_more()
    await good.hangs_up().over()
    await exchange.passes(1)
    assert not exchange.switch._in_hand._drained.is_set()
    await exchange.switch.drain()
    assert not unread.is_on_the_line
    assert exchange.switch._in_hand._drained.is_set()


# The system's clock is set


@pytest.fixture
def set_clock(exchange: Exchange) -> Iterator[Callable[[float], None]]:
    """Sets the system's clock ahead by so many seconds; undone before the exchange's own is."""
    with pytest.MonkeyPatch.context() as patch:
        now_s = time.time
        yield lambda seconds: patch.setattr(time, "time", lambda: now_s() + seconds)


@pytest.mark.parametrize("step_s", [-3600.0, 3600.0])
@pytest.mark.parametrize("is_running", [True, False])
@pytest.mark.parametrize("is_there", [True, False])
async def test_a_conversation_is_as_long_as_it_was_though_the_clock_is_set_and_the_switch_dies(
    exchange: Exchange, set_clock: Callable[[float], None], step_s: float, is_running: bool, is_there: bool
) -> None:
    """The clock is set while the switch runs, or while none does; the caller leaves only then, or meanwhile."""
    ann = exchange.agent("ann").accepts()
    await exchange.serves(max_duration="30m")
    call = exchange.dials()
    await call.connected(ann)
    await exchange.passes(20)
    if is_running:
        set_clock(step_s)
    await exchange.passes(20)
    exchange.dies()
    set_clock(step_s)
    if not is_there:
        call.hangs_up()
    await exchange.passes(5)
    await exchange.starts()
    await exchange.passes(20)
    assert (call.is_on_the_line, ann.is_on_the_line) == (is_there, is_there)
    record = await call.hangs_up().over()
    assert record.durations_ms.connected == pytest.approx(65_000 if is_there else 40_000, abs=300)


@pytest.mark.parametrize("step_s", [-3600.0, 3600.0])
async def test_a_caller_who_waits_while_the_clock_is_set_has_waited_for_as_long_as_they_did(
    exchange: Exchange, set_clock: Callable[[float], None], step_s: float
) -> None:
    ann = exchange.agent("ann").then().accepts()
    await exchange.serves()
    call = exchange.dials()
    await exchange.passes(5)
    exchange.dies()
    set_clock(step_s)
    await exchange.passes(5)
    await exchange.starts()
    await call.connected(ann)
    record = await call.hangs_up(after_s=60).over()
    assert 70_000 < record.durations_ms.total < 80_000
    times = [event.at for event in record.events]
    assert times == sorted(times)


# It dies again


async def test_who_left_while_no_switch_ran_is_charged_no_longer_however_often_the_next_one_dies(
    exchange: Exchange,
) -> None:
    """Each of them dies before Asterisk has told it what is there."""
    _, call = await exchange.talks("ann")
    await exchange.passes(40)
    exchange.dies()
    call.hangs_up()
    for _ in range(3):
        await exchange.passes(60)
        await exchange.starts()
        exchange.dies()
    await exchange.starts()
    record = await call.over()
    assert record.durations_ms.connected == pytest.approx(40_000, abs=200)


async def test_who_leaves_under_the_next_switch_is_charged_until_that_was_last_seen(
    exchange: Exchange,
) -> None:
    _, call = await exchange.talks("ann")
    await exchange.passes(40)
    exchange.dies()
    await exchange.passes(60)
    await exchange.starts()
    await exchange.passes(20)
    exchange.dies()
    call.hangs_up(after_s=5)
    await exchange.passes(60)
    await exchange.starts()
    record = await call.over()
    assert record.durations_ms.connected == pytest.approx(120_000, abs=200)
