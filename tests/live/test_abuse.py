"""What keeps abuse out: rate limits, blocks of the whole marketplace, attestation, the size of a trunk."""

from __future__ import annotations

import asyncio

import pytest

from ari_app.lab.sipp import Agent, accepts, answers, hang_up, talk_ms
from tests.kit.interop import interop
from tests.live.exchange import marketplace, phones, uris

pytestmark = pytest.mark.live

NOBODY = {"agent": {"extension": "agent-101"}}  # a phone that has not registered
TALK = [talk_ms(60_000)]
BEEP = "sound:beep"
PSTN = {
    "pstn": {"phone": "+12125550123", "trunk": "main"},
    "other": {"phone": "+12125550124", "trunk": "main"},
}


def reason(record) -> str:
    return next(event.detail for event in record.events if event.what == "refused")


async def test_a_caller_who_calls_too_often_is_rejected_unanswered_and_another_is_not(exchange, calling):
    document = marketplace(NOBODY, campaign={"screen": {"redial_within": "0s"}}, fallback={"play": BEEP})
    exchange.apply(document | {"screen": {"per_ani": {"max": 5, "within": "10m"}}})
    for _ in range(5):
        async with calling() as who:
            assert (await who.outcome()).answered
            await exchange.record()
    async with calling() as who:
        assert (await who.outcome()).status == 403
        record = await exchange.record()
    assert (record.disposition, record.answered_at, record.campaign) == ("blocked", None, "plumbing")
    assert reason(record) == "+12125550142 has called 5 times within 10m, as often as a caller may"
    async with calling(ani="+12125550143") as other:
        assert (await other.outcome()).answered
        await exchange.record()


async def test_a_caller_whom_no_campaign_takes_is_rejected_unanswered(exchange, calling):
    exchange.apply(marketplace(NOBODY) | {"screen": {"anonymous": "refuse"}})
    async with calling(ani=None) as who:
        assert (await who.outcome()).status == 403
        record = await exchange.record()
    assert (record.disposition, record.answered_at) == ("blocked", None)
    assert reason(record) == "anonymous callers are refused, in every campaign"


@pytest.mark.parametrize("level", ["A", "B", "C"])
async def test_the_carriers_attestation_is_recorded(exchange, calling, level):
    exchange.apply(marketplace(NOBODY, fallback={"play": BEEP}))
    async with calling(invite_headers=[f"P-Attestation-Indicator: {level}"]) as who:
        await who.outcome()
        record = await exchange.record()
    assert record.attestation == level


@interop(
    "A4",
    "A P-Attestation-Indicator that says something else",
    does="there is no attestation, and nothing else comes of it",
)
@pytest.mark.parametrize("hostile", ["AA", "a", "A):0,foo", '${HANGUPCAUSE}"', "A,in"])
async def test_what_is_no_attestation_is_none_and_harms_nothing(exchange, calling, hostile):
    exchange.apply(marketplace(NOBODY, fallback={"play": BEEP}))
    async with calling(invite_headers=[f"P-Attestation-Indicator: {hostile}"]) as who:
        await who.outcome()
        record = await exchange.record()
    assert (record.attestation, record.ani, record.disposition) == (None, "+12125550142", "no_answer")


async def test_a_caller_without_the_attestation_that_an_agent_asks_for_is_offered_to_the_others(
    exchange, calling
):
    async with phones({"picky": answers(), "other": answers()}) as agents:
        document = marketplace(uris(agents), accept="answer")
        document["destinations"]["picky"]["attestation"] = ["A"]
        exchange.apply(document)
        async with calling(plan=TALK, invite_headers=["P-Attestation-Indicator: C"]) as who:
            await exchange.connected()
            await who.hang_up()
            record = await exchange.record()
    assert record.winner == "other"
    assert [(e.destination, e.reason) for e in record.excluded] == [
        ("picky", "the caller's attestation is C, not A")
    ]


async def test_a_race_never_has_more_legs_on_a_trunk_than_it_takes(exchange, lab, calling):
    trunk_port = int(lab.environment["CALLRACE_TRUNK_MAIN"].rpartition(":")[2])
    async with Agent("carrier", accepts(), port=trunk_port) as carrier:
        exchange.apply(marketplace(PSTN, accept_prompt=BEEP) | {"trunks": {"main": {"concurrent": 1}}})
        async with calling(ani="+13105550142", plan=TALK) as who:
            await exchange.connected()
            assert exchange.switch.status()["on_trunks"] == {"main": 1}
            await who.hang_up()
            record = await exchange.record()
        assert len(carrier.of("invited")) == 1
    assert [e.reason for e in record.excluded] == ["trunk main full, or not reached before the race was over"]
    assert exchange.switch.status()["on_trunks"] == {}


async def test_a_call_that_finds_the_trunk_full_gets_its_leg_when_another_call_ends(exchange, lab, calling):
    trunk_port = int(lab.environment["CALLRACE_TRUNK_MAIN"].rpartition(":")[2])
    async with Agent("carrier", accepts(), port=trunk_port) as carrier:
        exchange.apply(
            marketplace(
                {"pstn": PSTN["pstn"]}, accept_prompt=BEEP, destination={"capacity": 5}, ring_timeout="20s"
            )
            | {"trunks": {"main": {"concurrent": 1}}}
        )
        async with calling(ani="+13105550142", plan=TALK) as first:
            await exchange.connected()
            async with calling(ani="+13105550143", plan=TALK) as second:
                await waiting(exchange, "trunk full")
                await first.hang_up()
                await exchange.record()
                await carrier.wait_for("invited", nth=2)
                await exchange.connected()
                await second.hang_up()
                record = await exchange.record()
    assert record.winner == "pstn"


async def test_a_trunk_that_has_spent_its_limit_rings_nobody_more(exchange, lab, calling):
    trunk_port = int(lab.environment["CALLRACE_TRUNK_MAIN"].rpartition(":")[2])
    limit = {"cost_per_minute": "1.00", "spend": {"max_amount": "0.01", "per": "month"}}
    async with Agent("carrier", answers(), port=trunk_port) as carrier:
        document = marketplace({"pstn": PSTN["pstn"]}, accept="answer", fallback={"play": BEEP})
        exchange.apply(document | {"trunks": {"main": limit}})
        keeping_up = asyncio.create_task(exchange.switch.keep_up_to_date())
        async with calling(ani="+13105550142", plan=[talk_ms(1_000), hang_up]) as who:
            await who.outcome()
            assert (await exchange.record()).winner == "pstn"
        async with asyncio.timeout(15):
            while "pstn" not in exchange.switch.market.snapshot.barred:
                await asyncio.sleep(0.1)  # it is looked at every five seconds
        keeping_up.cancel()
        async with calling(ani="+13105550143", plan=TALK):
            record = await exchange.record()
        assert len(carrier.of("invited")) == 1
    assert [e.reason for e in record.excluded] == ["trunk main has spent its 0.01 USD a month"]


async def test_a_call_that_comes_by_a_full_trunk_is_refused_for_the_carrier_to_try_another(exchange, calling):
    async with phones({"agent": answers()}) as agents:
        document = marketplace(uris(agents), accept="answer", campaign={"screen": {"redial_within": "0s"}})
        exchange.apply(document | {"trunks": {"carrier": {"concurrent": 1}}})
        async with calling(plan=TALK) as first:
            await exchange.connected()
            async with calling(ani="+12125550143") as second:
                assert (await second.outcome()).status == 503
                record = await exchange.record()
            await first.hang_up()
            await exchange.record()
        assert (record.disposition, record.answered_at) == ("capped", None)
        assert reason(record) == "trunk carrier has 1 call, as many as it takes"
        async with calling(plan=TALK) as third:
            await exchange.connected()
            await third.hang_up()
            await exchange.record()


async def waiting(exchange, what: str) -> None:
    """Waits until a call under way was told so."""
    async with asyncio.timeout(10):
        while not any(what in str(call["stage"]) for call in exchange.switch.live()):
            await asyncio.sleep(0.01)  # what operators see is looked up, not announced
