"""What legs out by a trunk have talked, as its carrier counts it."""

from __future__ import annotations

from sqlalchemy import Engine

from ari_app.store import calls, spending
from tests.samples import BEGAN, make_call, settlement


def talked(engine: Engine, *destinations: str, since: int = BEGAN) -> int:
    return spending.talked_ms(engine, {"main": destinations}, {"main": since})["main"]


def test_legs_count_from_their_answer_to_their_end(engine: Engine) -> None:
    call = make_call(1)
    calls.save(engine, [settlement(call)])
    leg = call.legs[0]
    assert leg.ended_at is not None and leg.answered_at is not None
    assert talked(engine, "agent-1") == leg.ended_at - leg.answered_at
    assert talked(engine, "agent-1", "agent-2") > talked(engine, "agent-1")
    assert talked(engine, "agent-9") == 0


def test_a_leg_that_was_not_answered_costs_nothing(engine: Engine) -> None:
    call = make_call(1)
    call.legs[0].answered_at = None
    calls.save(engine, [settlement(call)])
    assert talked(engine, "agent-1") == 0


def test_calls_before_the_period_do_not_count(engine: Engine) -> None:
    calls.save(engine, [settlement(make_call(1)), settlement(make_call(2))])
    both = talked(engine, "agent-1")
    assert talked(engine, "agent-1", since=make_call(2).started_at) == both / 2
    assert spending.talked_ms(engine, {}, {}) == {}
