"""Who gets the call."""

from __future__ import annotations

from tests.behaviour.exchange import Exchange, outcomes


async def test_the_first_to_accept_has_the_call_and_the_others_stop_ringing(exchange: Exchange) -> None:
    ann, bob = exchange.agent("ann").accepts(after_s=3), exchange.agent("bob")
    await exchange.serves()
    call = exchange.dials()
    await call.connected(ann)
    record = await call.hangs_up(after_s=90).over()
    assert (record.disposition, record.winner, record.end_source) == ("connected", "ann", "caller")
    assert abs(record.durations_ms.connected - 90_000) < 100
    assert outcomes(record) == {"ann": "won", "bob": "lost"}
    assert (ann.causes, bob.causes) == ([16], [26])
