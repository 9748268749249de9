"""The three ways to reach a destination: a SIP URI (everywhere else), a registered phone, the PSTN by trunk."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from ari_app.lab.ports import free_udp_port
from ari_app.lab.sipp import Agent, accepts, talk_ms
from tests.live.exchange import marketplace

pytestmark = pytest.mark.live

TALK = [talk_ms(60_000)]

REGISTER = """<?xml version="1.0"?>
<scenario name="register">
  <send><![CDATA[
REGISTER sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:agent-102@[remote_ip]>;tag=[call_number]
To: <sip:agent-102@[remote_ip]>
Call-ID: [call_id]
CSeq: 1 REGISTER
Contact: <sip:agent-102@127.0.0.1:{phone_port}>
Expires: 300
Content-Length: 0

]]></send>
  <recv response="401" auth="true"/>
  <send><![CDATA[
REGISTER sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:agent-102@[remote_ip]>;tag=[call_number]
To: <sip:agent-102@[remote_ip]>
Call-ID: [call_id]
CSeq: 2 REGISTER
Contact: <sip:agent-102@127.0.0.1:{phone_port}>
Expires: 300
[authentication username=agent-102 password={password}]
Content-Length: 0

]]></send>
  <recv response="200"/>
</scenario>
"""


async def register(lab, folder: Path, phone_port: int, password: str) -> int:
    """Registers the phone agent-102 at a port; SIPp's exit code, 0 when Asterisk took it."""
    scenario = folder / "register.xml"
    scenario.write_text(REGISTER.format(phone_port=phone_port, password=password))
    command = ["sipp", lab.sip, "-sf", str(scenario), "-m", "1", "-i", "127.0.0.1", "-p", str(free_udp_port()),
               "-nostdin", "-timeout", "10"]  # fmt: skip
    return (await asyncio.to_thread(subprocess.run, command, capture_output=True)).returncode


async def test_a_registered_phone_takes_a_call(exchange, lab, calling, tmp_path):
    password = (lab.home / "secrets" / "phones" / "agent-102").read_text()
    async with Agent("agent-102", accepts()) as agent:
        assert await register(lab, tmp_path, agent.port, password) == 0
        exchange.apply(marketplace({"phone": {"extension": "agent-102"}}, accept_prompt="sound:beep"))
        async with calling(plan=TALK) as who:
            await exchange.connected()
            await who.hang_up()
            record = await exchange.record()
        assert record.winner == "phone"


async def test_a_phone_with_a_wrong_password_is_not_registered(lab, tmp_path):
    assert await register(lab, tmp_path, free_udp_port(), "wrong") != 0


async def test_a_pstn_number_is_dialled_by_its_trunk(exchange, lab, calling):
    trunk_port = int(lab.environment["CALLRACE_TRUNK_MAIN"].rpartition(":")[2])
    async with Agent("carrier", accepts(), port=trunk_port) as carrier:
        exchange.apply(
            marketplace({"pstn": {"phone": "+12125550123", "trunk": "main"}}, accept_prompt="sound:beep")
        )
        async with calling(ani="+13105550142", plan=TALK) as who:
            await exchange.connected()
            await who.hang_up()
            record = await exchange.record()
        assert record.winner == "pstn"
        invited = carrier.of("invited")[0]
        assert "+12125550123" in invited.detail["to"]
        assert "+13105550142" in invited.detail["from"]
