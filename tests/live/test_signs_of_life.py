"""Lines that die in a conversation, at a real Asterisk: found in time, and not paid for; who is only mute stays."""

import asyncio
import re

import pytest

from ari_app.lab.sipp import answers, talk_ms
from ari_app.lab.sipp.rtp import FRAME_MS, PCMU, SAMPLES_PER_MS, packet
from tests.live.exchange import DID, marketplace, phones, uris
from tests.live.sip import party, sdp

pytestmark = pytest.mark.live

SILENCE = b"\xff" * (FRAME_MS * SAMPLES_PER_MS)
SPEAKS_S = 4.0
FOUND_S = 20.0 + 10.0  # from the last packet; a loaded machine may take some longer
NINETY = [{"connected_at_least": "90s"}]


async def speaks(port, description, seconds=SPEAKS_S):
    """Sends sound from a port to where a session description asks for it."""
    far_end = "127.0.0.1", int(re.search(r"m=audio (\d+)", description)[1])
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, ("127.0.0.1", port))
    began = loop.time()
    try:
        for n in range(round(seconds * 1000 / FRAME_MS)):
            transport.sendto(packet(PCMU, n, n * FRAME_MS * SAMPLES_PER_MS, 7, SILENCE, n == 0), far_end)
            await asyncio.sleep(began + n * FRAME_MS / 1000 - loop.time())
    finally:
        transport.close()
    return loop.time()


def is_unpaid(record):
    return not record.qualification.qualified and (record.money.charged, record.money.paid) == (0, 0)


@pytest.mark.parametrize("answered", ["", "481 Call Does Not Exist"])
async def test_an_agents_line_that_dies_is_found_and_silence_is_not_charged(lab, exchange, calling, answered):
    async with party(lab.sip) as agent:
        exchange.apply(
            marketplace({"agent": agent.uri}, accept="answer", qualify=NINETY, reoffer_within="1s")
        )
        async with calling(plan=[talk_ms(100_000)]):
            line = await agent.called()
            line.answers_with = answered
            line.answer(line.invite, "200 OK", body=sdp(agent.rtp_port))
            await line.request("ACK")
            await exchange.connected()
            fell_silent = await speaks(agent.rtp_port, line.invite.body)
            record = await exchange.record(timeout_s=60)
    assert asyncio.get_running_loop().time() - fell_silent < FOUND_S
    [leg] = record.legs
    assert record.end_source == "agent"
    assert leg.line.died_at - record.connected_at == record.durations_ms.connected
    assert SPEAKS_S * 500 < record.durations_ms.connected < SPEAKS_S * 2_000
    assert is_unpaid(record)
    assert "line dead" in [event.what for event in record.events]


async def test_a_callers_line_that_dies_is_found_and_the_call_ended_then(lab, exchange):
    async with phones({"agent": answers()}) as agents, party(lab.sip) as carrier:
        exchange.apply(marketplace(uris(agents), accept="answer", qualify=NINETY))
        line = carrier.call(DID)
        answered = await line.ask("INVITE", body=sdp(carrier.rtp_port))
        await exchange.connected()
        line.answers_with = ""
        await speaks(carrier.rtp_port, answered.body)
        record = await exchange.record(timeout_s=60)
        await agents["agent"].wait_for("bye")
    assert record.end_source == "caller"
    assert record.line.died_at == record.ended_at
    assert SPEAKS_S * 500 < record.durations_ms.connected < SPEAKS_S * 2_000
    assert is_unpaid(record)


async def test_who_only_has_the_other_on_hold_and_sends_nothing_is_asked_and_stays(lab, exchange, calling):
    async with party(lab.sip) as agent:
        exchange.apply(marketplace({"agent": agent.uri}, accept="answer", qualify=[{"held_at_most": "5s"}]))
        async with calling(plan=[talk_ms(100_000)]) as who:
            line = await agent.called()
            line.answer(line.invite, "200 OK", body=sdp(agent.rtp_port))
            await line.request("ACK")
            await exchange.connected()
            assert (await line.ask("INVITE", body=sdp(agent.rtp_port, direction="sendonly"))).status == 200
            for answered in ("200 OK", "405 Method Not Allowed"):
                line.answers_with = answered
                assert "m=audio" in (await line.request("UPDATE", within_s=40)).body
            line.answers_with = "200 OK"
            await who.hang_up()
            await line.request("BYE")
            record = await exchange.record()
    [leg] = record.legs
    assert (record.end_source, leg.line.died_at) == ("caller", None)
    assert leg.line.held_ms > 9_000
    assert record.durations_ms.connected > 10_000
    assert [clause.name for clause in record.qualification.clauses if not clause.passed] == ["held_at_most"]
