"""Phones that do what the book does not say: forwarded, without sound, ringing with 183."""

from __future__ import annotations

import pytest

from tests.behaviour.exchange import Exchange, outcomes, timeline


async def test_a_phone_that_forwards_its_calls_is_done_with_at_once_and_nobody_is_rung_there(
    exchange: Exchange,
) -> None:
    exchange.agent("ann").forwards("\x1b+12125550199")
    bob = exchange.agent("bob").forwards()
    await exchange.serves()
    record = await exchange.dials().over()
    assert outcomes(record) == {"ann": "forwarded", "bob": "forwarded"}
    assert {leg.destination: leg.forwarded_to for leg in record.legs} == {"ann": "+12125550199", "bob": None}
    assert record.disposition == "no_answer"
    assert all(leg.ended_at - leg.offered_at < 1_000 for leg in record.legs if leg.ended_at)
    assert bob.times_rung == 1


async def test_a_phone_that_forwards_is_told_from_one_that_failed_though_asterisk_ends_it_without_a_cause(
    exchange: Exchange,
) -> None:
    exchange.agent("ann").forwards("+12125550199", cause=0, status=None)
    await exchange.serves()
    record = await exchange.dials().over()
    assert outcomes(record) == {"ann": "forwarded"}


@pytest.mark.parametrize("goes_to", [None, "(null)"])
@pytest.mark.parametrize("accept", ["answer", "press-1"])
async def test_an_answer_that_nobody_can_be_heard_on_accepts_nothing_and_the_others_ring_on(
    exchange: Exchange, accept: str, goes_to: str | None
) -> None:
    exchange.agent("ann").answers_soundlessly(goes_to, after_s=1).presses("1", after_s=0)
    bob = exchange.agent("bob").accepts(after_s=5)
    await exchange.serves(accept=accept)
    call = exchange.dials()
    await call.connected(bob)
    record = await call.hangs_up(after_s=60).over()
    assert outcomes(record) == {"ann": "failed", "bob": "won"}
    assert "answered without sound" in timeline(record)


async def test_an_answer_without_a_word_of_audio_accepts_nothing(exchange: Exchange) -> None:
    exchange.agent("ann").answers_without_sdp(after_s=1)
    bob = exchange.agent("bob").answers(after_s=5)
    await exchange.serves(accept="answer")
    call = exchange.dials()
    await call.connected(bob)
    record = await call.hangs_up(after_s=60).over()
    assert outcomes(record) == {"ann": "failed", "bob": "won"}


async def test_early_media_is_ringing(exchange: Exchange) -> None:
    exchange.agent("ann").has_early_media = True
    bob = exchange.agent("bob").accepts(after_s=5)
    await exchange.serves()
    call = exchange.dials()
    await call.connected(bob)
    record = await call.hangs_up(after_s=60).over()
    assert all(leg.ringing_at is not None for leg in record.legs)
