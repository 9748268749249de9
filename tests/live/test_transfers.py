"""Who may transfer a call, and what becomes of it: with telephones that nobody here wrote, and word for word."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from ari_app.lab.sipp import Agent, answers, busy, rings_forever, talk_ms
from ari_app.views.explain import explain
from tests.kit.interop import interop
from tests.live.baresip import baresip
from tests.live.exchange import DID, marketplace
from tests.live.sip import party, sdp
from tests.live.test_dialogs import hears

pytestmark = pytest.mark.live

NUMBER = "+16465550123"
CALLER_HZ = 400
FOLLOW = {"transfer": {"numbers": ["+1646*"], "trunk": "main"}}


@asynccontextmanager
async def registered(lab, home, phone="agent-101"):
    """A baresip that takes calls as this phone."""
    secret = (lab.home / "secrets" / "phones" / phone).read_text()
    account = f"<sip:{phone}@{lab.sip}>;auth_pass={secret};dtmfmode=rtpevent;regint=60"
    async with baresip(account, home) as made:
        async with asyncio.timeout(10):
            while (await lab.ask("GET", f"endpoints/PJSIP/{phone}"))["state"] != "online":
                await asyncio.sleep(0.05)  # it may have registered before it could tell us
        yield made


async def takes_the_call(phone, exchange):
    await phone.until("CALL_INCOMING")
    phone.do("accept")
    await exchange.connected()


async def told(exchange, what):
    """Waits until the one call's timeline ends with this event."""
    async with asyncio.timeout(10):
        while not any(call["stage"] == what for call in exchange.switch.live()):
            await asyncio.sleep(0.01)


def on_the_trunk(lab, behaviour):
    """Whoever the trunk `main` leads to."""
    return Agent("desk", behaviour, port=int(lab.environment["CALLRACE_TRUNK_MAIN"].rpartition(":")[2]))


async def both_talk(exchange, carrier, agent):
    """The carrier's dialog and the agent's of a call in which the two talk."""
    exchange.apply(marketplace({"agent": agent.uri}, accept="answer"))
    line = carrier.call(DID)
    invite = line.send("INVITE", body=sdp(carrier.rtp_port))
    desk = await agent.called()
    desk.answer(desk.invite, "200 OK", body=sdp(agent.rtp_port))
    assert (await line.final("INVITE", invite)).status == 200
    line.send("ACK", cseq=invite)
    await exchange.connected()
    return line, desk


@interop(
    "B9",
    "An INVITE with Replaces (RFC 3891), by the carrier, for the caller's or the agent's dialog",
    does="it is hung up as soon as Asterisk has put it in the party's place, which the party has again",
)
@pytest.mark.parametrize("whose", ["caller", "agent"])
async def test_who_takes_a_partys_place_by_an_invite_with_replaces_is_hung_up(lab, exchange, whose):
    async with party(lab.sip, "127.0.0.2") as agent, party(lab.sip) as carrier:
        line, desk = await both_talk(exchange, carrier, agent)
        taken = {"caller": line, "agent": desk}[whose]
        intruder = carrier.call(DID)
        tags = f"Replaces: {taken.call_id};to-tag={taken.peer_tag};from-tag={taken.tag}"
        await intruder.ask("INVITE", "Require: replaces", tags, body=sdp(carrier.rtp_port))
        await intruder.request("BYE")
        async with asyncio.timeout(10):
            while [len(bridge["channels"]) for bridge in await lab.ask("GET", "bridges")] != [2]:
                await asyncio.sleep(0.05)  # nobody is told when the party is there again
        line.send("BYE")
        record = await exchange.record()
    assert "intruder hung up" in [event.what for event in record.events]
    assert (record.disposition, record.end_source) == ("connected", "caller")


@interop(
    "B9",
    "REFER, blind or attended, with and without Refer-Sub, of an agent or of the carrier, under `transfer: refuse`",
    does="603 at once, and the call goes on",
)
async def test_whoever_wants_to_transfer_a_call_is_refused_at_once(lab, exchange):
    async with party(lab.sip, "127.0.0.2") as agent, party(lab.sip) as carrier:
        line, desk = await both_talk(exchange, carrier, agent)
        blind = f"Refer-To: <sip:{NUMBER}@{lab.sip}>"
        attended = f"Refer-To: <sip:{NUMBER}@{lab.sip}?Replaces=abc%3Bto-tag%3D1%3Bfrom-tag%3D2>"
        for one in (line, desk):
            for wanted in (blind, attended):
                assert (await one.ask("REFER", wanted)).status == 603
            assert (await one.ask("REFER", blind, "Refer-Sub: false")).status == 603
            assert (await one.ask("OPTIONS")).status == 200
        assert (await line.ask("BYE")).status == 200
        record = await exchange.record()
    assert (record.disposition, record.winner, record.transfers) == ("connected", "agent", [])


@interop("B9", "baresip that wants to transfer and may not", does="it is told 603, and hangs up by itself")
async def test_a_baresip_that_may_not_transfer_is_told_so(lab, exchange, calling, tmp_path):
    """Version 1.0.0 then hangs up by itself."""
    async with registered(lab, tmp_path / "baresip") as phone:
        exchange.apply(
            marketplace({"agent": {"extension": "agent-101"}}, accept="answer", reoffer_within="0s")
        )
        async with calling(plan=[talk_ms(60_000)]):
            await takes_the_call(phone, exchange)
            phone.do("transfer", f"sip:{NUMBER}@{lab.sip}")
            assert (await phone.until("TRANSFER_FAILED"))["param"] == "603 Decline"
            record = await exchange.record()
    assert (record.disposition, record.end_source, record.transfers) == ("connected", "agent", [])


@interop("B9", "baresip that transfers to a PSTN number", does="one call, one record, which explains itself")
async def test_a_baresip_transfers_its_caller_to_a_number_in_one_call(lab, exchange, calling, tmp_path):
    async with registered(lab, tmp_path / "baresip") as phone, on_the_trunk(lab, answers()) as desk:
        document = marketplace(
            {"agent": {"extension": "agent-101"}},
            accept="answer",
            campaign=FOLLOW,
        )
        exchange.apply(document)
        async with calling(plan=[talk_ms(60_000)]) as who:
            await takes_the_call(phone, exchange)
            phone.do("transfer", f"sip:{NUMBER}@{lab.sip}")
            await phone.until("CALL_CLOSED")
            await told(exchange, "gone")
            async with asyncio.timeout(10):
                while desk.call.heard_ms(CALLER_HZ) < 500:
                    await asyncio.sleep(0.05)
            await who.hang_up()
            record = await exchange.record()
    assert (record.disposition, record.winner, record.end_source) == ("connected", "agent", "caller")
    assert [(one.to, one.trunk, one.outcome) for one in record.transfers] == [(NUMBER, "main", "connected")]
    assert record.durations_ms.first < record.durations_ms.connected
    assert (record.money.charged, record.money.paid) == (4200, 3000)
    text = "\n".join(line for section in explain(record) for line in section.lines)
    assert f"asked for a transfer to {NUMBER}" in text


@asynccontextmanager
async def talking(lab, exchange, calling, **campaign):
    """An agent whose phone says word for word what a test has it say, and a caller, when they talk."""
    async with party(lab.sip, "127.0.0.2") as agent:
        rules = FOLLOW | campaign
        exchange.apply(marketplace({"agent": agent.uri}, accept="answer", campaign=rules, ring_timeout="5s"))
        async with calling(plan=[talk_ms(60_000)]) as who:
            line = await agent.called()
            line.answer(line.invite, "200 OK", body=sdp(agent.rtp_port))
            await line.request("ACK")
            await exchange.connected()
            yield line, who, agent.rtp_port


async def notified(line):
    """What the phone is told of its transfer, from the first word to the last."""
    said = []
    while not said or said[-1] == 100:
        message = await line.request("NOTIFY")
        said.append(int(message.body.split()[1]))
    return said


@interop(
    "B9",
    "REFER to a number that is busy, or that may not be reached",
    does="NOTIFY 503 or 603, and caller and agent talk on",
)
async def test_a_transfer_that_fails_leaves_the_caller_with_the_agent(lab, exchange, calling):
    async with talking(lab, exchange, calling) as (line, who, port), on_the_trunk(lab, busy()):
        assert (await line.ask("REFER", f"Refer-To: <sip:{NUMBER}@anywhere.example>")).status == 202
        assert (await notified(line))[-1] == 503
        assert (await line.ask("OPTIONS")).status == 200
        await hears(port)
        assert (await line.ask("REFER", "Refer-To: <sip:+12125550199@anywhere.example>")).status == 202
        assert (await notified(line))[-1] == 603
        await hears(port)
        await who.hang_up()
        await line.request("BYE")
        record = await exchange.record()
    assert [one.outcome for one in record.transfers] == ["busy", "refused"]
    assert (record.end_source, record.durations_ms.first) == ("caller", None)


@interop("B9", "A phone that waits for what becomes of its REFER", does="NOTIFY 200, then BYE")
async def test_a_phone_that_waits_for_the_transfer_is_told_and_hung_up(lab, exchange, calling):
    async with talking(lab, exchange, calling) as (line, who, _), on_the_trunk(lab, answers()) as desk:
        assert (await line.ask("REFER", f"Refer-To: <sip:{NUMBER}@{lab.sip}>")).status == 202
        assert (await notified(line))[-1] == 200
        await line.request("BYE")
        async with asyncio.timeout(10):
            while desk.call.heard_ms(CALLER_HZ) < 500:
                await asyncio.sleep(0.05)
        await who.hang_up()
        record = await exchange.record()
    assert [one.outcome for one in record.transfers] == ["connected"]
    assert record.end_source == "caller"


@interop(
    "B9", "A phone that sends BYE behind its REFER", does="the caller waits for whom it is transferred to"
)
async def test_a_phone_that_hangs_up_as_it_transfers_leaves_the_caller_to_who_is_rung(lab, exchange, calling):
    async with (
        talking(lab, exchange, calling) as (line, who, _),
        on_the_trunk(lab, answers(ring_ms=1_000)) as desk,
    ):
        assert (await line.ask("REFER", f"Refer-To: <sip:{NUMBER}@{lab.sip}>")).status == 202
        assert (await line.ask("BYE")).status == 200
        await told(exchange, "transferred")
        async with asyncio.timeout(10):
            while desk.call.heard_ms(CALLER_HZ) < 500:
                await asyncio.sleep(0.05)
        await who.hang_up()
        record = await exchange.record()
    assert [one.outcome for one in record.transfers] == ["connected"]
    assert record.durations_ms.first < record.durations_ms.connected - 1_000


# The switch is killed with -9


@asynccontextmanager
async def transferring(lab, switch, calling):
    """An agent who asks for a transfer of the caller, under a switch that can be killed."""
    async with party(lab.sip, "127.0.0.2") as agent:
        switch.apply(marketplace({"agent": agent.uri}, accept="answer", campaign=FOLLOW))
        await switch.start()
        async with calling(plan=[talk_ms(60_000)]) as who:
            line = await agent.called()
            line.answer(line.invite, "200 OK", body=sdp(agent.rtp_port))
            await line.request("ACK")
            await switch.live("connected")
            assert (await line.ask("REFER", f"Refer-To: <sip:{NUMBER}@{lab.sip}>")).status == 202
            yield line, who, agent.rtp_port


async def ended(switch, who):
    await who.hang_up()
    record = await switch.record()
    assert (record.disposition, record.end_source) == ("connected", "caller")
    return [one.outcome for one in record.transfers]


@interop(
    "B9", "kill -9 of the switch while whom a caller is transferred to rings", does="caller and agent talk on"
)
async def test_killed_while_somebody_is_rung_it_leaves_the_caller_with_the_agent(lab, switch, calling):
    async with (
        on_the_trunk(lab, rings_forever()) as desk,
        transferring(lab, switch, calling) as (line, who, port),
    ):
        await desk.wait_for("invited")
        await switch.written(lambda call: call.transferee is not None)
        switch.kill()
        await switch.start()
        assert (await notified(line))[-1] == 503
        await hears(port)
        assert await ended(switch, who) == ["failed"]
        await line.request("BYE")


@interop("B9", "kill -9 of the switch while a transferred caller waits", does="the next switch rings again")
async def test_killed_while_the_caller_waits_it_rings_again(lab, switch, calling):
    async with (
        on_the_trunk(lab, answers(ring_ms=2_000)) as desk,
        transferring(lab, switch, calling) as (line, who, _),
    ):
        await desk.wait_for("invited")
        assert (await line.ask("BYE")).status == 200
        await switch.written(lambda call: call.transferee is not None and call.agent is None)
        switch.kill()
        await switch.start()
        await switch.live("transferred", timeout_s=30)
        assert await ended(switch, who) == ["connected"]


@interop("B9", "kill -9 of the switch while a transferred caller talks", does="they talk on")
async def test_killed_while_the_caller_talks_to_the_transferee_it_lets_them_talk(lab, switch, calling):
    async with (
        on_the_trunk(lab, answers()) as desk,
        transferring(lab, switch, calling) as (line, who, _),
    ):
        await switch.written(lambda call: call.record.transferee is not None)
        switch.kill()
        await switch.start()
        await line.request("BYE")  # which the one before had not sent, or had
        await switch.live("taken up again", timeout_s=30)
        heard = desk.call.heard_ms(CALLER_HZ)
        async with asyncio.timeout(10):
            while desk.call.heard_ms(CALLER_HZ) < heard + 300:
                await asyncio.sleep(0.05)
        assert await ended(switch, who) == ["connected"]
