"""Phones that do what the book does not say, at a real Asterisk: forwarded, without sound, ringing with 183."""

import asyncio

import pytest

from ari_app.lab.ports import free_udp_port
from ari_app.lab.sipp import (
    Behaviour,
    accepts,
    answers,
    answers_oddly,
    forwards,
    rings_forever,
    talk_ms,
    wait_ms,
)
from ari_app.lab.sipp.scenario_parts import Answer
from ari_app.lab.sipp.steps import dial
from tests.kit.interop import interop
from tests.live.exchange import marketplace, phones, uris
from tests.live.test_destinations import register

pytestmark = pytest.mark.live

TALK = [talk_ms(60_000)]


@interop(
    "B10",
    "A phone that answers 302 or 301, with any Contact",
    does="its leg ends at once as `forwarded`, nobody is dialled there, the others ring on",
)
@pytest.mark.parametrize(
    ("contact", "status", "forwarded_to"),
    [
        ("sip:+12125550199@127.0.0.1", 302, "+12125550199"),
        ("sip:voice.mail@example.test", 301, "voice.mail"),
        ("sip:example.test", 302, None),
        ("tel:+12125550199", 302, None),
    ],
)
async def test_a_phone_that_is_forwarded_is_done_with_at_once(
    exchange, calling, contact, status, forwarded_to
):
    async with phones({"away": forwards(contact, status), "here": accepts(after_ms=300)}) as agents:
        exchange.apply(marketplace(uris(agents)))
        async with calling(plan=TALK) as who:
            await exchange.connected()
            await who.hang_up()
            record = await exchange.record()
    legs = {leg.destination: leg for leg in record.legs}
    assert (legs["away"].outcome, legs["away"].forwarded_to) == ("forwarded", forwarded_to)
    assert legs["away"].ended_at - legs["away"].offered_at < 1_000
    assert record.winner == "here"


async def test_where_all_are_forwarded_nobody_is_waited_for(exchange, calling):
    async with phones({"away": forwards("sip:+18005550100@127.0.0.1")}) as agents:
        exchange.apply(marketplace(uris(agents)))
        async with calling(plan=TALK):
            record = await exchange.record(timeout_s=20)
    assert [leg.outcome for leg in record.legs] == ["forwarded"]
    assert record.disposition == "no_answer"
    assert record.durations_ms.wait < 3_000


@interop(
    "B11",
    "A 200 without SDP",
    "A 200 with no codec of ours, with and without telephone-event",
    "A 200 with port 0, with c=0.0.0.0 or inactive",
    does="it accepts nothing, and the others ring on",
)
@pytest.mark.parametrize("answer", ["no sdp", "no codec", "only keys", "port 0", "held", "inactive"])
async def test_an_answer_without_sound_is_none_and_the_others_ring_on(exchange, calling, answer: Answer):
    async with phones({"deaf": answers_oddly(answer), "other": answers(ring_ms=700)}) as agents:
        exchange.apply(marketplace(uris(agents), accept="answer"))
        async with calling(plan=TALK) as who:
            await exchange.connected()
            await who.hang_up()
            record = await exchange.record()
    assert {leg.destination: leg.outcome for leg in record.legs} == {"deaf": "failed", "other": "won"}
    assert record.winner == "other"


@interop("B14", "A phone that answers 183 and never 180", does="it rings, from then on")
async def test_183_without_180_is_ringing(exchange, calling):
    early = Behaviour((), None, ringing=183)
    async with phones({"early": early, "plain": rings_forever()}) as agents:
        exchange.apply(marketplace(uris(agents), ring_timeout="5s"))
        async with calling(plan=TALK):
            record = await exchange.record()
    legs = {leg.destination: leg for leg in record.legs}
    assert abs(legs["early"].ringing_at - legs["plain"].ringing_at) < 1_000
    assert [event.detail for event in record.events if event.what == "ringing"].count("early") == 1


async def is_off(lab, phone):
    """Whether Asterisk knows that nobody answers where a phone has registered."""
    told = await asyncio.to_thread(lab.run, "rx", "pjsip show contacts")
    return any(f"{phone}/" in line and "Unavail" in line for line in told.stdout.splitlines())


@interop(
    "B14",
    "A registered phone that is off, alone in its wave",
    does="it is known to be within seconds; it is not dialled, and the next wave rings at once",
)
async def test_a_phone_that_is_off_holds_up_nobody(lab, exchange, calling, tmp_path):
    password = (lab.home / "secrets" / "phones" / "agent-102").read_text()
    assert await register(lab, tmp_path, free_udp_port(), password) == 0
    async with asyncio.timeout(15):
        while not await is_off(lab, "agent-102"):
            await asyncio.sleep(0.2)
    async with phones({"here": answers()}) as agents:
        waves = [{"destinations": ["off"]}, {"destinations": ["here"], "after": "60s"}]
        where = {"off": {"extension": "agent-102"}} | uris(agents)
        exchange.apply(marketplace(where, waves=waves, accept="answer"))
        async with calling(plan=TALK) as who:
            await exchange.connected()
            await who.hang_up()
            record = await exchange.record()
    assert record.winner == "here"
    assert record.durations_ms.wait < 20_000


ENTER = {
    "start": "code",
    "nodes": {
        "code": {
            "collect": {"prompt": "sound:beep", "digits": 5, "as": "code"},
            "next": "offer",
            "on_no_input": "offer",
            "on_invalid": "offer",
        },
        "offer": {"offer": True},
    },
}


@interop(
    "B13",
    "Digits of 40 and 50 ms with gaps of 40 ms (RFC 4733), also the same one five times",
    does="each is heard once",
)
@pytest.mark.parametrize("digits", ["10023", "11111", "99887"])
@pytest.mark.parametrize(("on_ms", "off_ms"), [(50, 40), (40, 40), (100, 60)])
async def test_digits_are_heard_as_they_were_sent(exchange, calling, digits, on_ms, off_ms):
    async with phones({"agent": rings_forever()}) as agents:
        exchange.apply(marketplace(uris(agents), flow=ENTER))
        async with calling(plan=[wait_ms(600), dial(digits, on_ms, off_ms), *TALK]) as who:
            await agents["agent"].wait_for("invited", timeout_s=15)
            await who.hang_up()
            record = await exchange.record()
    assert record.answers == {"code": digits}
