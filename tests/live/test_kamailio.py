"""A paid call with Kamailio as the carrier: it comes by it, and is transferred by it, by TLS, to another baresip."""

import asyncio

import pytest

from ari_app.lab.ports import free_udp_port
from ari_app.lab.sipp import Caller, Written, press, talk_ms, wait_ms
from tests.kit.interop import interop
from tests.live.baresip import TONE_HZ, baresip
from tests.live.exchange import DID, marketplace
from tests.live.kamailio import kamailio
from tests.live.secure import authority, trunk_port
from tests.live.test_callers import INTAKE
from tests.live.test_tls import accepted, account, encrypted, heard, paid_and_transferred, registered

pytestmark = pytest.mark.live

FORGED = (
    "P-Attestation-Indicator: A",
    "X-Callrace-Call: 001a2203d44d30af7d5c30c",
    "P-Asserted-Identity: <tel:+19005550100>",
)
NUMBER = "+12125550123"
SUBSCRIBER = f"<sip:{NUMBER}@127.0.0.1>;regint=0;mediaenc=srtp-mand;dtmfmode=rtpevent"


@pytest.fixture
def lab(secure_lab):
    return secure_lab


@interop(
    "D20",
    "Kamailio as the carrier, by TLS: it adds P-Asserted-Identity with two values, an attestation, Diversion, "
    "Record-Route and `;npdi=yes`, and strips what others claim",
    does="the call is taken as the carrier's, digits and hold pass, it is transferred by the carrier and paid for",
)
async def test_a_call_comes_and_leaves_by_kamailio_and_is_paid_for(lab, exchange, tmp_path):
    document = marketplace(
        {"agent": {"extension": "agent-101"}},
        flow=INTAKE,
        accept_prompt="sound:beep",
        qualify=[{"connected_at_least": "1s"}],
        campaign={"transfer": {"numbers": [NUMBER], "trunk": "main"}},
    )
    exchange.apply(document | {"trunks": {"main": {"identity": "pass"}}})
    async with (
        baresip(account(lab), tmp_path / "agent", authority(lab)) as phone,
        baresip(SUBSCRIBER, tmp_path / "subscriber") as subscriber,
        kamailio(
            free_udp_port(),
            trunk_port(lab),
            lab.sip_tls,
            subscriber.sip,
            authority(lab),
            tmp_path / "kamailio",
        ) as carrier,
    ):
        await registered(lab)
        plan = [press("1"), wait_ms(800), press("10001"), talk_ms(60_000)]
        async with Caller(DID, "+12125550142", plan, to=carrier, written=Written(headers=FORGED)) as who:
            await phone.until("CALL_INCOMING")
            phone.do("accept")
            await phone.until("CALL_ESTABLISHED")
            await accepted(exchange, lambda: phone.do("sndcode", "1"))
            before_ms = who.call.heard_ms(TONE_HZ)
            phone.do("hold")
            await asyncio.sleep(0.7)  # as long as a person holds
            phone.do("resume")
            await heard(who, before_ms + 500)
            phone.do("transfer", f"sip:{NUMBER}@{lab.sip}")
            await subscriber.until("CALL_INCOMING")
            subscriber.do("accept")
            await phone.until("CALL_CLOSED")
            assert (await encrypted(lab))["main"]
            before_ms = who.call.heard_ms(TONE_HZ)
            await heard(who, before_ms + 500)
            await who.hang_up()
            record = await exchange.record()
            await subscriber.until("CALL_CLOSED")
    assert (record.did, record.ani, record.attestation) == (DID, "+12125550142", "B")
    assert record.diversion == ["<sip:+13105550177@carrier.example>;reason=unconditional"]
    assert record.answers == {"service": "repair", "zip": "10001"}
    paid_and_transferred(record, NUMBER)
