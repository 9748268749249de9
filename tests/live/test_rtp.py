"""What Asterisk tells of each party's line at its end, whoever ends the call, is what the line carried."""

import asyncio
import re

import pytest

from ari_app.lab.sipp import talk_ms
from ari_app.lab.sipp.rtp import FRAME_MS, PCMU, SAMPLES_PER_MS, packet
from tests.kit.interop import interop
from tests.live.exchange import marketplace
from tests.live.sip import party, sdp

pytestmark = pytest.mark.live

PACKETS = 300  # of 6 s: Asterisk counts what is lost each time that it reports by RTCP, every 5 s
SILENCE = b"\xff" * (FRAME_MS * SAMPLES_PER_MS)


async def speaks(port, invite):
    """Sends sound from a port to where the INVITE asks for it, and leaves out each tenth packet; how many it sent."""
    far_end = "127.0.0.1", int(re.search(r"m=audio (\d+)", invite.body)[1])
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        asyncio.DatagramProtocol, ("127.0.0.1", port)
    )
    sent, began = 0, asyncio.get_running_loop().time()
    try:
        for n in range(PACKETS):
            if n % 10:
                transport.sendto(packet(PCMU, n, n * FRAME_MS * SAMPLES_PER_MS, 7, SILENCE, n == 1), far_end)
                sent += 1
            await asyncio.sleep(began + n * FRAME_MS / 1000 - asyncio.get_running_loop().time())
    finally:
        transport.close()
    return sent


@interop(
    "B12",
    "A line that loses packets",
    does="packets, losses, jitter and an estimated MOS of each line are in the record",
)
@pytest.mark.parametrize("who", ["caller", "agent"])
async def test_packets_losses_and_an_estimate_are_in_the_record(lab, exchange, calling, who):
    async with party(lab.sip) as agent:
        exchange.apply(marketplace({"agent": agent.uri}, accept="answer"))
        async with calling(plan=[talk_ms(60_000)]) as caller:
            line = await agent.called()
            line.answer(line.invite, "200 OK", body=sdp(agent.rtp_port))
            await line.request("ACK")
            await exchange.connected()
            sent = await speaks(agent.rtp_port, line.invite)
            if who == "caller":
                await caller.hang_up()
                await line.request("BYE")
            else:
                assert (await line.ask("BYE")).status == 200
            record = await exchange.record()
    [leg] = record.legs
    assert leg.rtp.received == sent
    assert 20 <= leg.rtp.received_lost <= PACKETS // 10
    assert leg.rtp.mos < 4.0
    assert record.rtp.sent == sent or who == "agent"  # the caller waits for another, and hears that
    assert record.rtp.received >= leg.rtp.sent > 250
    assert record.rtp.received_lost == 0 and record.rtp.mos > 4.2
