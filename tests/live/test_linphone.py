"""A paid call with linphone as the agent's telephone, by TLS with SRTP."""

import pytest

from ari_app.lab.sipp import answers, talk_ms
from tests.kit.interop import interop
from tests.live.baresip import TONE_HZ
from tests.live.exchange import phones
from tests.live.linphone import linphone
from tests.live.secure import authority
from tests.live.test_tls import (
    accepted,
    encrypted,
    heard,
    hears,
    paid_and_transferred,
    registered,
    with_transfer,
)

pytestmark = pytest.mark.live


@pytest.fixture
def lab(secure_lab):
    return secure_lab


@interop(
    "D20",
    "linphone as an agent, by TLS with SRTP",
    does="it accepts by its key, holds, resumes, transfers and is paid for",
)
async def test_an_agent_with_linphone_accepts_by_its_key_holds_transfers_and_is_paid_for(
    lab, exchange, calling, tmp_path
):
    secret = (lab.home / "secrets" / "phones" / "agent-101").read_text()
    where = lab.sip_tls.replace("127.0.0.1", "localhost")  # it knows no addresses in certificates
    async with (
        phones({"desk": answers()}) as others,
        linphone("agent-101", secret, where, authority(lab), tmp_path / "linphone") as phone,
    ):
        exchange.apply(with_transfer(others))
        await registered(lab)
        async with calling(plan=[talk_ms(60_000)]) as who:
            await phone.until("Receiving new incoming call")
            phone.type("answer")
            await phone.until("connected")
            await accepted(exchange, lambda: phone.type("1"))
            assert await encrypted(lab) == {"carrier": False, "phones-transfer": True}
            phone.type("pause")
            await phone.until("paused")
            before_ms = who.call.heard_ms(TONE_HZ)
            phone.type("resume")
            await heard(who, before_ms + 1_000)
            phone.type(f"transfer sip:desk@{where}")
            await phone.until("ended")
            await hears(others["desk"], who)
            await who.hang_up()
            paid_and_transferred(await exchange.record(), "desk")
