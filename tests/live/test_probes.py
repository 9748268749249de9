"""What a carrier is told who asks by OPTIONS whether calls are taken, and where its calls go while none are."""

import asyncio
import re
import time

import pytest

from ari_app.lab.sipp import answers, talk_ms
from tests.kit.interop import interop
from tests.live.exchange import marketplace, phones, uris
from tests.live.process import AgiProcess
from tests.live.sip import party, sdp

pytestmark = pytest.mark.live

WITHIN_S = 1.0
TALK = [talk_ms(60_000)]
# Who is asked for: the documented extension, nobody, a user that no dialplan has, a tracking number.
USERS = ("ready@", "", "ping@", "+18005550101@")


async def asked(lab, user):
    """The status that sipsak, which nobody here wrote, is answered an OPTIONS."""
    sipsak = await asyncio.create_subprocess_exec(
        "sipsak", "-vvv", "-s", f"sip:{user}{lab.sip}", stdout=-1, stderr=-1
    )
    said = b"".join(await sipsak.communicate()).decode()
    statuses = re.findall(r"^SIP/2\.0 (\d+)", said, re.MULTILINE)
    assert statuses, said
    return int(statuses[-1])


async def all_asked(lab):
    """The status for each of USERS, all at once."""
    return dict(zip(USERS, await asyncio.gather(*(asked(lab, user) for user in USERS)), strict=True))


async def becomes(lab, is_taken):
    """From a second from now on, at the latest, every OPTIONS says whether calls are taken."""
    since = time.monotonic()
    while True:
        began, found = time.monotonic(), await all_asked(lab)
        if all((status == 200) is is_taken for status in found.values()):
            return
        assert began - since < WITHIN_S, found
        assert set(found.values()) <= {200, 404, 503}, found
        assert 503 not in {
            status for user, status in found.items() if user
        }  # it says Retry-After, for minutes


@pytest.fixture
async def agi(switch, tmp_path):
    made = AgiProcess(switch.environment, tmp_path)
    await made.start()
    yield made
    assert await made.stop() in (0, None, -9)


def with_failover(agents):
    """A marketplace whose carrier has another route."""
    return marketplace(uris(agents), accept="answer") | {"trunks": {"carrier": {"failover": True}}}


async def failover_known(lab):
    """Waits until the dialplan knows of it."""
    async with asyncio.timeout(5):
        while (await lab.ask("GET", "asterisk/variable", variable="CALLRACE_FAILOVER"))[
            "value"
        ] != ",carrier,":
            await asyncio.sleep(0.02)


@interop("D20", "sipsak as the proxy that asks by OPTIONS", does="it is told the truth within a second")
@interop(
    "A1",
    "OPTIONS for `ready`",
    "OPTIONS for any other user, or a tracking number",
    "OPTIONS for no user",
    does="200 while a switch takes calls; a second after its end, kill -9 or hand-over 404, for no user 503",
)
async def test_every_options_says_whether_a_switch_takes_calls(lab, switch, agi):
    await becomes(lab, False)
    await switch.start()
    assert set((await all_asked(lab)).values()) <= {404, 503}  # connected, but no marketplace is in force
    switch.apply(marketplace({"agent": "sip:agent@127.0.0.1:9"}))
    async with asyncio.timeout(10):
        while switch.ask("/status")["not_ready"]:
            await asyncio.sleep(0.02)
    await becomes(lab, True)
    switch.kill()
    await becomes(lab, False)
    await switch.start()
    await becomes(lab, True)
    handed_over = await switch.callrace("switch", "hand-over")
    assert handed_over.returncode == 0, handed_over.stderr
    await switch.ended()
    await becomes(lab, False)
    await switch.start()
    await becomes(lab, True)
    await switch.stop()
    await becomes(lab, False)
    await switch.start()


@interop("A1", "OPTIONS while a switch drains", does="404, for no user 503, while the calls under way go on")
async def test_a_switch_that_drains_says_so_while_its_call_goes_on(lab, switch, agi, calling):
    async with phones({"agent": answers()}) as agents:
        switch.apply(marketplace(uris(agents), accept="answer"))
        await switch.start()
        async with calling(plan=TALK) as who:
            await switch.live("connected")
            await becomes(lab, True)
            draining = asyncio.create_task(switch.callrace("switch", "drain"))
            async with asyncio.timeout(10):
                while not switch.ask("/status")["draining"]:
                    await asyncio.sleep(0.01)
            await becomes(lab, False)
            await who.hang_up()
            assert (await draining).returncode == 0
        assert (await switch.record()).disposition == "connected"
        await switch.start()


async def test_a_switch_says_that_it_takes_calls_again_where_no_agi_server_does(lab, switch, agi):
    switch.apply(marketplace({"agent": "sip:agent@127.0.0.1:9"}))
    await becomes(lab, False)
    agi.kill()
    await switch.start()
    await becomes(lab, True)


@interop("A1", "OPTIONS from an address that is not the carrier's", does="401, whatever the switch does")
async def test_a_stranger_is_told_nothing(lab):
    async with party(lab.sip, "127.0.0.3") as stranger:
        for target in (f"sip:ready@{lab.sip}", f"sip:{lab.sip}"):
            line = stranger.call("ready")
            line.target = target
            assert (await line.final("OPTIONS", line.send("OPTIONS"))).status == 401


@interop("A1", "INVITE whose CSeq says OPTIONS", does="503, and nothing of it is left")
async def test_an_invite_that_looks_like_an_options_is_refused_and_nothing_of_it_is_left(
    lab, switch, nothing_left
):
    switch.apply(marketplace({"agent": "sip:agent@127.0.0.1:9"}))
    await switch.start()
    async with party(lab.sip) as carrier:
        while await asked(lab, "ready@") != 200:
            await asyncio.sleep(0.05)
        forged = carrier.call("ready")
        answer = await forged.final(
            "INVITE", forged.send("INVITE", "CSeq: 1 OPTIONS", body=sdp(carrier.rtp_port))
        )
        assert answer.status == 503
    await nothing_left()


@interop(
    "A1",
    "INVITE of a trunk that has another route (`failover`), while the switch drains",
    does="503 within a second, and a record",
)
async def test_calls_of_a_carrier_with_another_route_are_refused_at_once_while_a_switch_drains(
    lab, switch, calling
):
    async with phones({"agent": answers()}) as agents:
        switch.apply(with_failover(agents))
        await switch.start()
        async with calling(plan=TALK) as who:
            await switch.live("connected")
            draining = asyncio.create_task(switch.callrace("switch", "drain"))
            async with asyncio.timeout(10):
                while not switch.ask("/status")["draining"]:
                    await asyncio.sleep(0.01)
            began = time.monotonic()
            async with calling(ani="+12125550002", plan=TALK) as late:
                assert (await late.outcome()).status == 503
            assert time.monotonic() - began < WITHIN_S
            await who.hang_up()
            assert (await draining).returncode == 0
        await switch.start()
        found = await switch.records(2)
    assert found["+12125550142"].disposition == "connected"
    assert found["+12125550002"].disposition == "failed"
    assert "the switch is draining, and the carrier has another route" in [
        e.detail for e in found["+12125550002"].events
    ]


@interop(
    "A1",
    "INVITE of a trunk that has another route, while no switch runs",
    does="503 within a second, and a record when a switch is back",
)
async def test_so_they_are_when_no_switch_is_there_and_are_recorded(lab, switch, agi, calling):
    async with phones({"agent": answers()}) as agents:
        switch.apply(with_failover(agents))
        await switch.start()
        await failover_known(lab)
        switch.kill()
        began = time.monotonic()
        async with calling(plan=TALK) as who:
            assert (await who.outcome()).status == 503
        assert time.monotonic() - began < WITHIN_S
        record = await switch.record()
        assert (record.disposition, record.end_source) == ("failed", "system")
        assert "no switch was connected, and the carrier has another route" in [
            e.detail for e in record.events
        ]
        await switch.start()
        switch.apply(marketplace(uris(agents), accept="answer"))
        async with asyncio.timeout(10):
            while (await lab.ask("GET", "asterisk/variable", variable="CALLRACE_FAILOVER"))["value"]:
                await asyncio.sleep(0.02)
