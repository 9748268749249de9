"""What the line of each who talked carried is in the record, whoever ends the call, and ending it waits for nothing."""

from __future__ import annotations

from typing import Any

import pytest

from ari_app.ari.errors import AriTimeout, http_error
from ari_app.ari.testing import Phone
from ari_app.ari.transport import Request
from ari_app.domain.calls.record import CallRecord, LegRecord
from tests.behaviour.exchange import Call, Exchange
from tests.behaviour.test_recovery import dies_for

TALK_S = 60


def winner(record: CallRecord) -> LegRecord:
    return next(leg for leg in record.legs if leg.outcome == "won")


def carried(record: CallRecord) -> tuple[bool, bool]:
    """Whether the caller's line, and the agent's, carried a minute or more, and the losses of each are right."""
    caller, agent = record.rtp, winner(record).rtp
    return (
        caller is not None and caller.received > 2900 and (caller.received_lost, caller.jitter_ms) == (30, 2),
        agent is not None and agent.received > 2900 and (agent.received_lost, agent.jitter_ms) == (7, 2),
    )


async def talking(exchange: Exchange, **market: Any) -> tuple[Phone, Call]:
    agent, call = await exchange.talks("ann", **market)
    call.channel.lost, agent.channel.lost = 30, 7
    return agent, call


async def test_where_the_caller_hangs_up(exchange: Exchange) -> None:
    exchange.agent("bob")
    _, call = await talking(exchange)
    record = await call.hangs_up(after_s=TALK_S).over()
    assert carried(record) == (True, True)
    assert [leg.rtp for leg in record.legs if leg.outcome != "won"] == [None] * (len(record.legs) - 1)
    assert not [request for request in exchange.asterisk.requests if "rtp_statistics" in request]


async def test_where_the_agent_hangs_up(exchange: Exchange) -> None:
    agent, call = await talking(exchange)
    agent.hangs_up(after_s=TALK_S)
    assert carried(await call.over()) == (True, True)
    asked = [request for request in exchange.asterisk.requests if "rtp_statistics" in request]
    assert asked == [f"GET channels/{call.channel.id}/rtp_statistics"]


async def test_where_callrace_ends_it(exchange: Exchange) -> None:
    _, call = await talking(exchange, max_duration="1m")
    assert carried(await call.over()) == (True, True)


@pytest.mark.parametrize("who", ["caller", "agent"])
async def test_where_it_was_taken_up_by_another_switch(exchange: Exchange, who: str) -> None:
    agent, call = await talking(exchange)
    await dies_for(exchange, 2)
    (call if who == "caller" else agent).hangs_up(after_s=TALK_S)
    assert carried(await call.over()) == (True, True)


async def test_of_a_caller_who_talked_to_nobody_nothing_is_asked(exchange: Exchange) -> None:
    exchange.agent("ann").is_busy()
    await exchange.serves()
    record = await exchange.dials().over()
    assert record.rtp is None
    assert not [request for request in exchange.asterisk.requests if "rtp_statistics" in request]


@pytest.mark.parametrize(
    "error",
    [
        http_error(404, "no RTP", "GET", "channels/x/rtp_statistics"),
        http_error(500, "out of memory", "GET", "channels/x/rtp_statistics"),
        AriTimeout("no answer within 5 s"),
    ],
)
async def test_what_asterisk_does_not_tell_ends_no_call_and_costs_nobody(
    exchange: Exchange, error: Exception
) -> None:
    agent, call = await talking(exchange)

    def refuse(request: Request) -> None:
        if request.uri.endswith("/rtp_statistics"):
            raise error

    exchange.asterisk.before = refuse
    agent.hangs_up(after_s=100)
    record = await call.over()
    assert (record.disposition, record.end_source, record.rtp) == ("connected", "agent", None)
    assert record.qualification is not None and record.qualification.qualified
    assert carried(record) == (False, True)
