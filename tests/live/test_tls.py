"""SIP over TLS with SRTP: phones, a carrier's calls, the trunk out; who cannot encrypt; a renewed certificate."""

import asyncio
import ssl
from contextlib import suppress

import pytest

from ari_app.lab.sipp import Agent, accepts, answers, talk_ms
from ari_app.settings import Settings
from ari_app.watch.asteriskchecks import check_phones_in_clear
from tests.kit.certificates import make_authority
from tests.kit.interop import interop
from tests.live.baresip import TONE_HZ, baresip
from tests.live.exchange import DID, marketplace, phones, uris
from tests.live.secure import authority, renew, trunk_port
from tests.live.test_destinations import register

pytestmark = pytest.mark.live

TALK = [talk_ms(60_000)]
PSTN = {"phone": "+12125550123", "trunk": "main"}


@pytest.fixture
def lab(secure_lab):
    return secure_lab


def account(lab, *, how="srtp-mand"):
    """agent-101, by TLS."""
    secret = (lab.home / "secrets" / "phones" / "agent-101").read_text()
    return f"<sip:agent-101@{lab.sip_tls};transport=tls>;auth_pass={secret};dtmfmode=rtpevent;regint=60;mediaenc={how}"


async def registered(lab, phone="agent-101"):
    async with asyncio.timeout(10):
        while (await lab.ask("GET", f"endpoints/PJSIP/{phone}"))["state"] != "online":
            await asyncio.sleep(0.05)


async def encrypted(lab):
    """Which of the channels there are encrypt what is said, by the name of their endpoint."""
    found = {}
    for channel in await lab.ask("GET", "channels"):
        variable = {"variable": "CHANNEL(rtp,secure,audio)"}
        answer = await lab.ask("GET", f"channels/{channel['id']}/variable", **variable)
        found[channel["name"].partition("/")[2].rpartition("-")[0]] = answer["value"] == "1"
    return found


async def heard(who, ms=500):
    """The caller hears what the other says."""
    async with asyncio.timeout(10):
        while who.call.heard_ms(TONE_HZ) < ms:
            await asyncio.sleep(0.05)


async def accepted(exchange, press):
    """Presses a key until the call is connected: the first one may come before anybody listens to the agent."""
    async with asyncio.timeout(15):
        while not any(call["winner"] for call in exchange.switch.live()):
            press()
            with suppress(TimeoutError):
                await exchange.connected(timeout_s=1.5)


def with_transfer(others):
    """A market whose agent accepts by key, and may transfer to whoever else is there."""
    return marketplace(
        {"agent": {"extension": "agent-101"}, **uris(others)},
        waves=[{"destinations": ["agent"]}],
        accept_prompt="sound:beep",
        qualify=[{"connected_at_least": "1s"}],
        campaign={"transfer": "follow"},
    )


async def hears(agent, who):
    """Who was transferred to hears the caller."""
    async with asyncio.timeout(10):
        while not agent.calls or agent.call.heard_ms(who.tone_hz) < 500:
            await asyncio.sleep(0.05)


def paid_and_transferred(record, to):
    """What all strangers' calls come to."""
    assert (record.disposition, record.winner, record.end_source) == ("connected", "agent", "caller")
    assert [(one.to, one.outcome) for one in record.transfers] == [(to, "connected")]
    assert (record.money.charged, record.money.paid) == (4200, 3000)


@interop(
    "A6",
    "A telephone that registers by TLS and wants SRTP (SDES)",
    does="it is rung by TLS, and what is said is encrypted",
)
@interop(
    "D20",
    "baresip as an agent, by TLS with SRTP",
    does="it accepts by its key, holds, resumes, transfers and is paid for",
)
async def test_a_phone_by_tls_with_srtp_takes_a_paid_call(lab, exchange, calling, tmp_path):
    async with (
        phones({"desk": answers()}) as others,
        baresip(account(lab), tmp_path / "baresip", authority(lab)) as phone,
    ):
        exchange.apply(with_transfer(others))
        await registered(lab)
        async with calling(plan=TALK) as who:
            await phone.until("CALL_INCOMING")
            phone.do("accept")
            await phone.until("CALL_ESTABLISHED")
            await accepted(exchange, lambda: phone.do("sndcode", "1"))
            assert await encrypted(lab) == {"carrier": False, "phones-transfer": True}
            before_ms = who.call.heard_ms(TONE_HZ)
            phone.do("hold")
            await asyncio.sleep(0.7)  # as long as a person holds
            phone.do("resume")
            await heard(who, before_ms + 500)
            phone.do("transfer", f"sip:desk@{lab.sip}")
            await phone.until("CALL_CLOSED")
            await hears(others["desk"], who)
            await who.hang_up()
            paid_and_transferred(await exchange.record(), "desk")


@interop("A6", "A telephone that offers no SRTP, of the phones that may be plain", does="it is rung as ever")
async def test_a_phone_that_may_be_plain_takes_a_call_without_encryption(lab, exchange, calling, tmp_path):
    password = (lab.home / "secrets" / "phones" / "agent-102").read_text()
    async with Agent("agent-102", accepts()) as agent:
        assert await register(lab, tmp_path, agent.port, password) == 0
        exchange.apply(marketplace({"phone": {"extension": "agent-102"}}, accept_prompt="sound:beep"))
        async with calling(plan=TALK) as who:
            await exchange.connected()
            assert await encrypted(lab) == {"carrier": False, "agent-102": False}
            await who.hang_up()
            assert (await exchange.record()).winner == "phone"


@interop(
    "A6",
    "A telephone that wants SRTP, but registers by UDP",
    does="it is rung, and encrypts; the doctor says that its keys can be read",
)
async def test_a_phone_whose_keys_can_be_read_is_named(lab, exchange, calling, tmp_path):
    exchange.apply(marketplace({"agent": {"extension": "agent-101"}}, accept="answer"))
    by_udp = account(lab).replace(f"{lab.sip_tls};transport=tls", lab.sip)
    async with baresip(by_udp, tmp_path / "baresip") as phone:
        await registered(lab)
        async with calling(plan=TALK) as who:
            await phone.until("CALL_INCOMING")
            phone.do("accept")
            await exchange.connected()
            assert await encrypted(lab) == {"carrier": False, "agent-101": True}
            settings = Settings.from_env(lab.environment)
            [finding] = await asyncio.to_thread(lambda: [*check_phones_in_clear(settings)])
            assert finding.is_doubtful
            assert finding.detail.startswith("agent-101 encrypt what is said, but registered without TLS")
            await who.hang_up()
            assert (await exchange.record()).winner == "agent"


@interop(
    "A6",
    "A telephone that cannot encrypt, of the phones that have to",
    does="it is not connected, and the others ring on",
)
async def test_a_phone_that_cannot_encrypt_is_not_connected(lab, exchange, calling, tmp_path):
    async with (
        baresip(account(lab, how=""), tmp_path / "baresip", authority(lab)),
        phones({"other": answers(ring_ms=700)}) as others,
    ):
        await registered(lab)
        exchange.apply(marketplace(uris(others) | {"plain": {"extension": "agent-101"}}, accept="answer"))
        async with calling(plan=TALK) as who:
            await exchange.connected()
            await who.hang_up()
            record = await exchange.record()
    assert {leg.destination: leg.outcome for leg in record.legs} == {"plain": "failed", "other": "won"}


@interop("A6", "A carrier's call by TLS with SRTP", does="it is taken; one without is, too")
async def test_a_carriers_call_by_tls_with_srtp_is_taken(lab, exchange, tmp_path):
    calls = "<sip:+12125550142@127.0.0.1;transport=tls>;regint=0;mediaenc=srtp-mand"
    async with (
        phones({"agent": answers()}) as agents,
        baresip(calls, tmp_path / "carrier", authority(lab)) as carrier,
    ):
        exchange.apply(marketplace(uris(agents), accept="answer"))
        carrier.do("dial", f"sip:{DID}@{lab.sip_tls};transport=tls")
        await carrier.until("CALL_ESTABLISHED")
        await exchange.connected()
        assert await encrypted(lab) == {"carrier": True, "agents": False}
        async with asyncio.timeout(10):
            while agents["agent"].call.heard_ms(TONE_HZ) < 300:
                await asyncio.sleep(0.05)
        carrier.do("hangup")
        record = await exchange.record()
    assert (record.ani, record.disposition, record.end_source) == ("+12125550142", "connected", "caller")


GATEWAY = "<sip:+12125550123@127.0.0.1;transport=tls>;regint=0;mediaenc=srtp-mand"


@interop("A6", "A trunk that leads to a carrier by TLS with SRTP", does="its legs are dialled so")
async def test_a_trunk_leads_to_a_carrier_by_tls_with_srtp(lab, exchange, calling, tmp_path):
    exchange.apply(marketplace({"pstn": PSTN}, accept="answer"))
    async with (
        baresip(GATEWAY, tmp_path / "gateway", authority(lab), trunk_port(lab)) as gateway,
        calling(plan=TALK) as who,
    ):
        await gateway.until("CALL_INCOMING")
        gateway.do("accept")
        await exchange.connected()
        assert await encrypted(lab) == {"carrier": False, "main": True}
        await heard(who)
        await who.hang_up()
        assert (await exchange.record()).winner == "pstn"


@interop(
    "A6",
    "A trunk whose carrier shows a certificate of somebody else",
    does="nothing is sent to it, not even the number that is called",
)
async def test_a_carrier_that_cannot_prove_who_it_is_is_told_nothing(lab, exchange, calling, tmp_path):
    exchange.apply(marketplace({"pstn": PSTN}, accept="answer"))
    stranger = make_authority(tmp_path / "stranger")
    async with (
        baresip(GATEWAY, tmp_path / "gateway", stranger, trunk_port(lab)) as gateway,
        calling(plan=TALK),
    ):
        record = await exchange.record()
        assert [leg.outcome for leg in record.legs] == ["failed"]
        assert [event["type"] for event in gateway.events if "CALL" in str(event.get("type"))] == []


def shown(lab):
    """The certificate that whoever connects is shown."""
    host, _, port = lab.sip_tls.partition(":")
    return ssl.get_server_certificate((host, int(port)), timeout=10)


@interop(
    "A6",
    "A certificate that is renewed while a telephone talks",
    does="whoever connects is shown the new one within seconds, and the call goes on",
)
async def test_a_renewed_certificate_is_shown_without_a_restart(lab, switch, calling, tmp_path):
    switch.apply(marketplace({"agent": {"extension": "agent-101"}}, accept="answer"))
    await switch.start()
    async with baresip(account(lab), tmp_path / "baresip", authority(lab)) as phone:
        await registered(lab)
        async with calling(plan=TALK) as who:
            await phone.until("CALL_INCOMING")
            phone.do("accept")
            await switch.live("connected")
            renewed = await asyncio.to_thread(renew, lab)
            async with asyncio.timeout(20):
                while await asyncio.to_thread(shown, lab) != renewed.read_text():
                    await asyncio.sleep(0.1)
            before = who.call.heard_ms(TONE_HZ)
            await heard(who, before + 500)
            await who.hang_up()
            await phone.until("CALL_CLOSED")  # by the connection that it has had before
    assert (await switch.record()).disposition == "connected"
