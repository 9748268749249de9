"""What carriers and phones do in a call beside talking: it is answered as it should be, and the call goes on."""

import asyncio

import pytest

from ari_app.lab.sipp import answers, talk_ms
from tests.kit.interop import interop
from tests.live.exchange import DID, marketplace, phones, uris
from tests.live.sip import party, sdp

pytestmark = pytest.mark.live

FAX = "m=image 4000 udptl t38\r\na=T38FaxVersion:0\r\na=T38MaxBitRate:14400\r\n"


async def hears(port):
    """Waits for a packet of audio."""
    heard = asyncio.get_running_loop().create_future()

    class Ear(asyncio.DatagramProtocol):
        def datagram_received(self, data, address):
            if not heard.done() and data[1] & 0x7F == 0:  # PCMU
                heard.set_result(None)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Ear, ("127.0.0.1", port))
    try:
        async with asyncio.timeout(10):
            await heard
    finally:
        transport.close()


async def does_what_gateways_do(line, port):
    """In a call that is up: probes, session timers, late offer, fax, and each way to hold."""
    assert (await line.ask("OPTIONS")).status == 200
    refreshed = await line.ask("UPDATE", "Supported: timer", "Session-Expires: 1800;refresher=uac")
    assert (refreshed.status, refreshed["Session-Expires"]) == (200, "1800;refresher=uac")
    timer = "Supported: timer", "Session-Expires: 1800;refresher=uac"
    assert (await line.ask("INVITE", *timer, body=sdp(port))).status == 200
    assert (await line.ask("INVITE", body=sdp(port, media=FAX))).status == 488
    assert (await line.ask("INVITE", body=sdp(port))).status == 200  # the line is as it was
    for held, answered in (
        (sdp(port, direction="sendonly"), "recvonly"),
        (sdp(port, direction="inactive"), "inactive"),
        (sdp(port, address="0.0.0.0"), ""),
    ):
        on_hold = await line.ask("INVITE", body=held)
        assert on_hold.status == 200
        assert f"a={answered}" in on_hold.body
        resumed = await line.ask("INVITE", body=sdp(port))
        assert (resumed.status, "a=sendrecv" in resumed.body) == (200, True)
    offer = line.send("INVITE")
    offered = await line.final("INVITE", offer)
    assert (offered.status, "m=audio" in offered.body) == (200, True)
    line.send("ACK", cseq=offer, body=sdp(port))
    await hears(port)
    assert not [message.first for message in line.came if message.method == "BYE"]


@interop("A1", "OPTIONS in a call", does="200")
@interop(
    "B16",
    "A carrier, or an agent, who refreshes the session by UPDATE and re-INVITE (RFC 4028)",
    "A re-INVITE for T.38",
    "Hold by sendonly, inactive and 0.0.0.0",
    "A re-INVITE without an offer",
    does="it is answered as it should be (T.38 by 488), and the call goes on",
)
async def test_a_carrier_that_does_all_that_gateways_do_keeps_its_call(lab, exchange):
    async with phones({"agent": answers()}) as agents, party(lab.sip) as carrier:
        exchange.apply(marketplace(uris(agents), accept="answer"))
        line = carrier.call(DID)
        timer = "Supported: timer, 100rel", "Session-Expires: 1800;refresher=uac"
        answered = await line.ask("INVITE", *timer, body=sdp(carrier.rtp_port))
        assert (answered.status, answered["Session-Expires"]) == (200, "1800;refresher=uac")
        await exchange.connected()
        await does_what_gateways_do(line, carrier.rtp_port)
        assert (await line.ask("BYE")).status == 200
        record = await exchange.record()
    assert (record.disposition, record.winner, record.end_source) == ("connected", "agent", "caller")
    assert [leg.outcome for leg in record.legs] == ["won"]


@interop("B16", "An INVITE without an offer, that requires 100rel", does="it is connected, and heard")
async def test_a_carrier_that_offers_late_and_requires_reliable_answers_is_connected(lab, exchange):
    async with phones({"agent": answers()}) as agents, party(lab.sip) as carrier:
        exchange.apply(marketplace(uris(agents), accept="answer"))
        line = carrier.call(DID)
        invite = line.send("INVITE", "Require: 100rel", "Supported: 100rel")
        offered = await line.final("INVITE", invite)
        assert (offered.status, "m=audio" in offered.body) == (200, True)
        line.send("ACK", cseq=invite, body=sdp(carrier.rtp_port))
        await exchange.connected()
        await hears(carrier.rtp_port)
        assert (await line.ask("BYE")).status == 200
        assert (await exchange.record()).disposition == "connected"


@interop(
    "B16",
    "A phone that rings reliably (PRACK), and wants a session timer",
    does="PRACK comes, and the call goes on",
)
async def test_an_agent_who_does_all_that_gateways_do_keeps_the_call(lab, exchange, calling):
    async with party(lab.sip, "127.0.0.2") as agent:  # which is no address of the carrier's
        exchange.apply(marketplace({"agent": agent.uri}, accept="answer"))
        async with calling(plan=[talk_ms(60_000)]) as who:
            line = await agent.called()
            assert line.invite is not None
            line.answer(line.invite, "180 Ringing", "Require: 100rel", "RSeq: 1")
            assert (await line.request("PRACK"))["RAck"] == f"1 {line.invite['CSeq']}"
            timer = "Supported: timer", "Require: timer", "Session-Expires: 1800;refresher=uas"
            line.answer(line.invite, "200 OK", *timer, body=sdp(agent.rtp_port))
            await line.request("ACK")
            await exchange.connected()
            await does_what_gateways_do(line, agent.rtp_port)
            await who.hang_up()
            await line.request("BYE")
        record = await exchange.record()
    assert (record.disposition, record.winner, record.end_source) == ("connected", "agent", "caller")
    assert record.legs[0].ringing_at is not None
