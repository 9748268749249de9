"""What callers go through: the IVR, the announcements, hanging up at any moment, hearing an agent."""

import asyncio
import json

import pytest

from ari_app.desk import applications as desk
from ari_app.domain.numbers.inventory import Wanted
from ari_app.lab.sipp import (
    accepts,
    answers,
    answers_silently,
    hang_up,
    press,
    rings_forever,
    talk_ms,
    wait_ms,
)
from ari_app.views.record import record_json
from tests.kit.desk import site_at
from tests.live.exchange import DID, marketplace, phones, uris
from tests.samples import ADA

pytestmark = pytest.mark.live

TALK = [talk_ms(60_000)]
BEEP = "sound:beep"
NOBODY = {"agent": {"extension": "agent-101"}}  # a phone that has not registered
INTAKE = {
    "start": "service",
    "nodes": {
        "service": {
            "menu": {"prompt": BEEP},
            "choices": {"1": {"set": {"service": "repair"}, "next": "zip"}},
            "tries": 2,
            "on_no_input": "goodbye",
            "on_invalid": "goodbye",
            "timers": {"first_digit": "1s"},
        },
        "zip": {
            "collect": {"prompt": BEEP, "digits": 5, "as": "zip", "check": "us-zip"},
            "tries": 2,
            "next": "offer",
            "on_no_input": "goodbye",
            "on_invalid": "goodbye",
        },
        "offer": {"offer": True},
        "goodbye": {"play": "sound:vm-goodbye", "hangup": True},
    },
}


def happened(record):
    return [event.what for event in record.events]


async def test_what_the_caller_enters_is_answered_and_locates_the_call(exchange, calling):
    async with phones({"agent": answers()}) as agents:
        exchange.apply(marketplace(uris(agents), flow=INTAKE, accept="answer"))
        plan = [press("1"), wait_ms(800), press("10001"), *TALK]
        async with calling(ani="+13105550142", plan=plan) as who:
            await agents["agent"].wait_for("established")
            await who.hang_up()
            record = await exchange.record()
        assert record.answers == {"service": "repair", "zip": "10001"}
        assert (record.place.state, record.place.zip, record.place.from_) == ("NY", "10001", "zip")


async def test_a_caller_may_type_ahead(exchange, calling):
    async with phones({"agent": answers()}) as agents:
        exchange.apply(marketplace(uris(agents), flow=INTAKE, accept="answer"))
        async with calling(plan=[press("110001"), *TALK]) as who:
            await agents["agent"].wait_for("established")
            await who.hang_up()
            record = await exchange.record()
        assert record.answers == {"service": "repair", "zip": "10001"}


async def test_a_zip_that_does_not_exist_is_asked_for_again(exchange, calling):
    async with phones({"agent": answers()}) as agents:
        exchange.apply(marketplace(uris(agents), flow=INTAKE, accept="answer"))
        plan = [press("1"), wait_ms(800), press("00000"), wait_ms(800), press("10001"), *TALK]
        async with calling(plan=plan) as who:
            await agents["agent"].wait_for("established")
            await who.hang_up()
            record = await exchange.record()
        assert record.answers["zip"] == "10001"


async def test_a_caller_who_enters_nothing_hears_goodbye(exchange, calling):
    exchange.apply(marketplace(NOBODY, flow=INTAKE))
    async with calling(plan=TALK) as who:
        record = await exchange.record()
        assert (await who.outcome()).ended_by == "remote"
    assert record.disposition == "flow_ended"
    assert happened(record).count("entered nothing") == 2


async def test_a_suspended_publishers_caller_hears_that_it_is_closed_and_the_record_says_why(
    exchange, calling
):
    exchange.apply(marketplace(NOBODY, campaign={"screen": {"announce": BEEP}}))
    application = desk.submit(
        site_at(exchange.engine, 1), ADA, campaign="plumbing", publisher="homefix"
    ).application
    desk.approve(site_at(exchange.engine, 2), ADA, application.id, count=0, wanted=Wanted())
    desk.decide(site_at(exchange.engine, 3), ADA, application.id, "suspend", "bought traffic")
    exchange.switch.load()
    async with calling(plan=TALK) as who:
        record = await exchange.record()
        assert (await who.outcome()).ended_by == "remote"
    assert record.disposition == "closed"
    assert "the publisher is suspended: bought traffic" in [event.detail for event in record.events]
    assert record.legs == []


async def test_caller_and_agent_hear_each_other(exchange, calling):
    async with phones({"agent": accepts()}) as agents:
        exchange.apply(marketplace(uris(agents), accept_prompt=BEEP))
        async with calling(plan=TALK) as who:
            await agents["agent"].wait_for("pressed")
            async with asyncio.timeout(10):
                while not (agents["agent"].call.heard_ms(who.tone_hz) > 500
                           and who.call.heard_ms(agents["agent"].tone_hz) > 500):  # fmt: skip
                    await asyncio.sleep(0.05)  # audio has no events
            await who.hang_up()
            await exchange.record()


@pytest.mark.parametrize("wait", ["ringback", "music"])
async def test_a_caller_hears_something_while_waiting(exchange, calling, wait):
    async with phones({"agent": rings_forever()}) as agents:
        exchange.apply(marketplace(uris(agents), wait=wait))
        async with calling(plan=TALK) as who:
            await agents["agent"].wait_for("invited")
            async with asyncio.timeout(10):
                while not who.call.audio or who.call.audio.sound_ms() < 500:
                    await asyncio.sleep(0.05)  # audio has no events
            await who.hang_up()
            await exchange.record()


async def test_a_caller_who_hangs_up_during_a_prompt_has_abandoned_the_ivr(exchange, calling):
    exchange.apply(marketplace(NOBODY, flow=INTAKE))
    async with calling(plan=[wait_ms(300), hang_up]):
        record = await exchange.record()
    assert (record.disposition, record.end_source) == ("abandoned_ivr", "caller")


async def test_a_caller_who_hangs_up_while_phones_ring_silences_them(exchange, calling):
    async with phones({"one": rings_forever(), "two": rings_forever()}) as agents:
        exchange.apply(marketplace(uris(agents)))
        async with calling(plan=TALK) as who:
            await asyncio.gather(*(agent.wait_for("invited") for agent in agents.values()))
            await who.hang_up()
            await asyncio.gather(*(agent.wait_for("cancelled") for agent in agents.values()))
            record = await exchange.record()
        assert record.disposition == "abandoned_queue"
        assert {leg.outcome for leg in record.legs} == {"cancelled"}


async def test_a_caller_who_hangs_up_while_an_agent_decides_moves_no_money(exchange, calling):
    async with phones({"agent": answers_silently()}) as agents:
        exchange.apply(marketplace(uris(agents)))
        async with calling(plan=TALK) as who:
            await agents["agent"].wait_for("established")
            await who.hang_up()
            await agents["agent"].wait_for("bye")
            record = await exchange.record()
        assert record.disposition == "abandoned_queue"
        assert (record.money.charged, record.money.paid) == (0, 0)
        assert exchange.ledger_findings() == []


async def test_a_caller_who_hangs_up_while_talking_ends_the_agents_call(exchange, calling):
    async with phones({"agent": answers()}) as agents:
        exchange.apply(marketplace(uris(agents), accept="answer"))
        async with calling(plan=TALK) as who:
            await exchange.connected()
            await who.hang_up()
            await agents["agent"].wait_for("bye")
            record = await exchange.record()
        assert (record.disposition, record.end_source) == ("connected", "caller")


async def test_a_number_nobody_owns_is_refused_with_404(exchange, calling):
    exchange.apply(marketplace(NOBODY))
    async with calling(did="+18005550199", plan=TALK) as who:
        record = await exchange.record()
        assert (await who.outcome()).status == 404
    assert record.disposition == "unknown_number"


async def test_an_anonymous_caller_is_refused_where_the_campaign_says_so(exchange, calling):
    campaign = {"screen": {"anonymous": "refuse", "announce": BEEP}}
    exchange.apply(marketplace(NOBODY, campaign=campaign))
    async with calling(ani=None, plan=TALK):
        record = await exchange.record()
    assert (record.disposition, record.ani) == ("blocked", None)


async def test_a_rapid_redial_is_refused(exchange, calling):
    campaign = {"screen": {"redial_within": "60s", "announce": BEEP}}
    exchange.apply(marketplace(NOBODY, campaign=campaign, fallback={"play": BEEP}))
    records = []
    for _ in range(2):
        async with calling(plan=TALK):
            records.append(await exchange.record())
    assert [record.disposition for record in records] == ["no_answer", "blocked"]


async def test_a_repeat_caller_is_connected_and_not_paid_for(exchange, calling):
    async with phones({"agent": answers()}) as agents:
        document = marketplace(
            uris(agents),
            accept="answer",
            qualify=[{"no_repeat_within": "30d"}],
            campaign={"screen": {"redial_within": "1ms"}},
        )
        exchange.apply(document)
        records = []
        for _ in range(2):
            async with calling(plan=TALK) as who:
                await exchange.connected()
                await who.hang_up()
                records.append(await exchange.record())
        assert [record.qualification.qualified for record in records] == [True, False]
        assert [record.money.paid for record in records] == [3000, 0]
        assert exchange.ledger_findings() == []


async def test_a_caller_outside_the_area_is_offered_to_nobody_and_told_why_in_the_record(exchange, calling):
    document = marketplace(
        NOBODY,
        destination={"covers": {"states": ["NY"]}},
        fallback={"play": BEEP},
    )
    exchange.apply(document)
    async with calling(ani="+13105550142", plan=TALK):
        record = await exchange.record()
    assert record.disposition == "no_route"
    assert "California" in record.excluded[0].reason


async def test_a_conversation_ends_at_the_longest_duration(exchange, calling):
    async with phones({"agent": answers()}) as agents:
        exchange.apply(marketplace(uris(agents), accept="answer", max_duration="2s"))
        async with calling(plan=TALK) as who:
            record = await exchange.record()
            assert (await who.outcome()).ended_by == "remote"
        assert record.end_source == "system"
        assert 2000 <= record.durations_ms.connected < 2500


async def test_a_switch_that_stops_ends_its_calls_and_settles_them(exchange, calling):
    async with phones({"agent": answers()}) as agents:
        exchange.apply(marketplace(uris(agents), accept="answer"))
        async with calling(plan=TALK) as who:
            await exchange.connected()
            await exchange.switch.drain()
            record = await exchange.record()
            assert (await who.outcome()).ended_by == "remote"
        assert (record.disposition, record.end_source) == ("connected", "system")


@pytest.mark.parametrize("did", ["500%26PJSIP%2Fagents", "+1800555010", "911", "anonymous"])
async def test_what_is_no_telephone_number_is_refused_and_told(exchange, calling, did):
    exchange.apply(marketplace(NOBODY))
    async with calling(did=did, plan=TALK) as who:
        assert (await who.outcome()).status == 404
        record = await exchange.record()
    assert (record.disposition, record.legs) == ("unknown_number", [])


@pytest.mark.parametrize(
    "ani",
    [
        "1(System)&x",  # a dial string
        "+12125550142%0D%0AX-Evil:%20yes",  # a header
        "1'%20OR%20'1'='1",  # SQL
        "+1212555014200000000000000000000",
    ],
)
async def test_a_hostile_caller_number_is_anonymous(exchange, calling, ani):
    exchange.apply(marketplace(NOBODY, fallback={"play": BEEP}))
    async with calling(ani=ani, plan=TALK, did=DID):
        record = await exchange.record()
    assert record.ani is None
    assert record.disposition == "no_answer"


@pytest.mark.parametrize(
    "name",
    [
        '${SHELL(touch /tmp/owned)}"',
        "x'); DROP TABLE calls;--",
        "a&PJSIP/agents/sip:evil@127.0.0.1,30,g",
        "../../etc/passwd",
        "%n%n%s\\x1b",
        "Ж" * 60,
        "n" * 2_000,
    ],
)
async def test_a_hostile_display_name_harms_nothing_and_is_kept_nowhere(exchange, calling, caplog, name):
    """The carrier's word of who calls is taken for the number alone."""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    identity = f'P-Asserted-Identity: "{quoted}" <sip:+12125550177@127.0.0.1>'
    async with phones({"agent": answers()}) as agents:
        exchange.apply(marketplace(uris(agents), accept="answer"))
        async with calling(plan=[talk_ms(200), hang_up], invite_headers=[identity]) as who:
            assert (await who.outcome()).answered
            record = await exchange.record()
        told = agents["agent"].call.of("invited")[0].detail["from"]
    assert (record.disposition, record.ani) == ("connected", "+12125550177")
    part = name[:12]
    assert part not in json.dumps(record_json(record), ensure_ascii=False)
    assert part not in caplog.text
    assert part not in told
