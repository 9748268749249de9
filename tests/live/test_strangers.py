"""Paid calls with telephones that nobody here wrote."""

import asyncio

import pytest

from ari_app.lab.sipp import talk_ms
from tests.kit.interop import interop
from tests.live.baresip import TONE_HZ, baresip
from tests.live.exchange import marketplace

pytestmark = pytest.mark.live


@interop("D20", "baresip as an agent, by UDP", does="it accepts by its key, holds, resumes and is paid for")
async def test_an_agent_with_baresip_accepts_by_its_key_holds_and_is_paid_for(
    lab, exchange, calling, tmp_path
):
    secret = (lab.home / "secrets" / "phones" / "agent-101").read_text()
    account = f"<sip:agent-101@{lab.sip}>;auth_pass={secret};dtmfmode=rtpevent;regint=60"
    async with baresip(account, tmp_path / "baresip") as phone:
        async with asyncio.timeout(10):
            while (await lab.ask("GET", "endpoints/PJSIP/agent-101"))["state"] != "online":
                await asyncio.sleep(0.05)  # it may have registered before it could tell us
        document = marketplace(
            {"agent": {"extension": "agent-101"}},
            accept_prompt="sound:beep",
            qualify=[{"connected_at_least": "1s"}],
        )
        exchange.apply(document)
        async with calling(plan=[talk_ms(60_000)]) as who:
            await phone.until("CALL_INCOMING")
            phone.do("accept")
            await phone.until("CALL_ESTABLISHED")
            phone.do("sndcode", "1")
            await exchange.connected()
            phone.do("hold")
            await asyncio.sleep(0.7)  # as long as a person holds
            phone.do("resume")
            async with asyncio.timeout(10):
                while who.call.heard_ms(TONE_HZ) < 500:
                    await asyncio.sleep(0.05)
            await who.hang_up()
            await phone.until("CALL_CLOSED")
            record = await exchange.record()
    assert (record.disposition, record.winner, record.end_source) == ("connected", "agent", "caller")
    assert record.money is not None
    assert (record.money.charged, record.money.paid) == (4200, 3000)
