"""The switch is killed with -9 at each stage of a call, and started again."""

import asyncio
from dataclasses import replace

import pytest

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.calls.stage import Stage
from ari_app.lab.sipp import accepts, answers, answers_silently, hang_up, rings_forever, talk_ms
from ari_app.store.calls import calls
from ari_app.switch.call import BACKSTOP_MS
from ari_app.switch.recovery import NEW_CALLS_S
from tests.live.exchange import marketplace, phones, uris

pytestmark = pytest.mark.live

TALK = [talk_ms(60_000)]
CALLER_HZ = 400
FLOW = {
    "start": "service",
    "nodes": {
        "service": {
            "menu": {"prompt": "sound:beep"},
            "choices": {"1": {"set": {"service": "repair"}, "next": "offer"}},
            "tries": 9,
        },
        "offer": {"offer": True},
    },
}
LONGER_FLOW = {
    "start": "service",
    "nodes": FLOW["nodes"]
    | {
        "service": FLOW["nodes"]["service"]
        | {"choices": {"1": {"set": {"service": "repair"}, "next": "zip"}}},
        "zip": {
            "collect": {"prompt": "sound:beep", "digits": 5, "as": "zip", "check": "us-zip"},
            "tries": 9,
            "next": "age",
        },
        "age": {"collect": {"prompt": "sound:beep", "digits": 2, "as": "age"}, "tries": 9, "next": "offer"},
    },
}


def told(record: CallRecord) -> list[str]:
    return [event.what for event in record.events]


async def test_who_talks_goes_on_talking_and_is_settled_with_the_whole_duration(switch, calling):
    async with phones({"agent": answers()}) as agents:
        terms = {"accept": "answer", "qualify": [{"connected_at_least": "2s"}]}
        switch.apply(marketplace(uris(agents), **terms))
        await switch.start()
        async with calling(plan=TALK) as who:
            before = await switch.live("connected")
            await switch.written(lambda call: call.record.winner is not None)
            switch.kill()
            await asyncio.sleep(1.5)  # nobody is there who could tell that they still talk
            assert agents["agent"].call.heard_ms(CALLER_HZ) > 1000
            switch.apply(marketplace(uris(agents), campaign={"price": "50.00"}, **terms))
            await switch.start()
            assert (await switch.live("taken up again"))["id"] == before["id"]
            assert switch.ask("/status")["capacity_in_use"] == {"agent": 1}
            await asyncio.sleep(1)
            await who.hang_up()
            record = await switch.record()
            talked_ms = (who.of("ended")[0].at - who.of("answered")[0].at) * 1000
        assert (record.id, record.disposition, record.end_source) == (before["id"], "connected", "caller")
        assert abs(record.durations_ms.connected - talked_ms) < 700
        assert record.qualification.qualified
        assert (record.terms_version, record.money.charged) == (1, 4200)  # those that it began with
        assert [(leg.destination, leg.outcome) for leg in record.legs] == [("agent", "won")]


async def test_while_no_switch_runs_nobody_talks_for_longer_than_was_reserved_for(switch, calling, lab):
    async with phones({"agent": answers()}) as agents:
        campaign = {"price": {"per_minute": "60.00", "increment": "1s"}, "payout": "0"}
        rules = {"accept": "answer", "max_duration": "2s", "ring_timeout": "1s"}
        switch.apply(marketplace(uris(agents), campaign=campaign, **rules))
        await switch.start()
        async with calling(plan=TALK) as who:
            await switch.live("connected")
            await switch.written(lambda call: call.record.winner is not None)
            switch.kill()
            outcome = await who.outcome()
            assert (outcome.ended_by, outcome.cause) == ("remote", 16)
            assert outcome.talk_ms < 2_000 + BACKSTOP_MS + 1_000
            async with asyncio.timeout(20):
                while await lab.ask("GET", "channels"):  # the agent's line ends by itself, too
                    await asyncio.sleep(0.05)
            await switch.start()
            record = await switch.record()
        assert record.disposition == "connected"
        assert record.money.charged <= 200


async def test_a_caller_in_the_ivr_goes_on_where_they_were(switch, calling):
    async with phones({"agent": rings_forever()}) as agents:
        switch.apply(marketplace(uris(agents), flow=LONGER_FLOW))
        await switch.start()
        async with calling(plan=TALK) as who:
            await switch.live("asked")
            await who.call.press("1")
            await who.call.press("90001")
            await switch.written(lambda call: call.node == "age")
            switch.kill()
            await switch.start()
            await switch.live("asked")
            await who.call.press("42")
            await agents["agent"].wait_for("invited")
            await who.hang_up()
            record = await switch.record()
        assert record.answers == {"service": "repair", "zip": "90001", "age": "42"}
        assert (record.place.zip, record.place.from_) == ("90001", "zip")
        assert [event.detail for event in record.events if event.what == "asked"] == [
            "service",
            "zip",
            "age",
            "age",
        ]


async def test_a_caller_who_was_offered_is_offered_again_and_not_asked_again(switch, calling):
    async with phones({"agent": rings_forever()}) as agents:
        switch.apply(marketplace(uris(agents), flow=FLOW))
        await switch.start()
        async with calling(plan=TALK) as who:
            await switch.live("asked")
            await who.call.press("1")
            await switch.written(lambda call: call.record.legs != [])
            switch.kill()
            await switch.start()
            await agents["agent"].wait_for("invited", nth=2)
            await who.hang_up()
            record = await switch.record()
        assert record.answers == {"service": "repair"}
        assert [event.what for event in record.events].count("asked") == 1


async def test_a_caller_who_was_asked_when_the_switch_died_is_connected(switch, calling):
    async with phones({"agent": answers()}) as agents:
        switch.apply(marketplace(uris(agents), accept="answer", flow=FLOW))
        await switch.start()
        async with calling(plan=TALK) as who:
            before = await switch.live("asked")
            await switch.written(lambda call: call.record.answered_at is not None)
            switch.kill()
            await switch.start()
            assert (await switch.live("asked"))["id"] == before["id"]
            await who.call.press("1")
            await switch.live("connected")
            await who.hang_up()
            record = await switch.record()
        assert record.id == before["id"]
        assert (record.disposition, record.answers) == ("connected", {"service": "repair"})
        assert "switch restarted" in told(record) and "begun again" in told(record)


async def test_a_caller_who_leaves_just_after_the_switch_is_back_is_recorded_once(switch, calling):
    async with phones({"agent": answers()}) as agents:
        switch.apply(marketplace(uris(agents), accept="answer", flow=FLOW))
        await switch.start()
        async with calling(plan=TALK) as who:
            before = await switch.live("asked")
            await switch.written(lambda call: call.record.answered_at is not None)
            switch.kill()
            await switch.start()
            await switch.live("asked")
            await who.hang_up()
            await switch.record()
        await asyncio.sleep(
            NEW_CALLS_S + 1
        )  # what is left over is looked at then, and of what is not nobody tells
        assert [record.id for record in calls.latest(switch.engine)] == [before["id"]]


@pytest.mark.parametrize("behaviour", [rings_forever(), answers_silently()], ids=["ringing", "answered"])
async def test_phones_that_ring_for_nobody_are_let_go_and_rung_again(switch, calling, behaviour):
    async with phones({"agent": behaviour}) as agents:
        switch.apply(marketplace(uris(agents)))
        await switch.start()
        async with calling(plan=TALK) as who:
            stage = "ringing" if behaviour.ring_ms is None else "answered"
            before = await switch.live(stage)
            await switch.written(lambda call: call.record.legs != [])
            switch.kill()
            await switch.start()
            await agents["agent"].wait_for("invited", nth=2)
            await who.hang_up()
            record = await switch.record()
        assert (record.id, record.disposition) == (before["id"], "abandoned_queue")
        assert [leg.outcome for leg in record.legs] == ["cancelled", "cancelled"]
        assert agents["agent"].of("cancelled") or agents["agent"].of("bye")


@pytest.mark.parametrize("leaver", ["caller", "agent"])
async def test_who_hangs_up_while_no_switch_runs_is_charged_no_longer_than_it_lived(switch, calling, leaver):
    async with phones({"agent": answers()}) as agents:
        switch.apply(marketplace(uris(agents), accept="answer", qualify=[{"connected_at_least": "5s"}]))
        await switch.start()
        async with calling(plan=TALK) as who:
            await switch.live("connected")
            await asyncio.sleep(1.5)
            switch.kill()
            if leaver == "caller":
                await who.hang_up()
            else:
                agents["agent"].call.hang_up()
                await agents["agent"].call.wait_for("ended")
            await asyncio.sleep(3)  # time that nobody is to pay for
            await switch.start()
            record = await switch.record()
        assert (record.disposition, record.end_source) == ("connected", leaver)
        assert 400 <= record.durations_ms.connected <= 3500
        assert record.money.charged == 0


async def test_of_twenty_calls_at_every_stage_none_is_lost_and_none_charged_twice(switch, crowd):
    behaviours = {f"agent-{n}": accepts(after_ms=150 * n, ring_ms=100) for n in range(8)}
    async with phones(behaviours) as agents:
        switch.apply(marketplace(uris(agents), accept_prompt="sound:beep", destination={"capacity": 3}))
        await switch.start()
        async with crowd(20, plan=[talk_ms(8_000), hang_up]) as callers:
            while len(switch.ask("/live")) < 20:
                await asyncio.sleep(0.02)
            switch.kill()
            await switch.start()
            await callers.outcomes()
            async with asyncio.timeout(20):
                while len(records := calls.latest(switch.engine, limit=100)) < 20:
                    await asyncio.sleep(0.05)
        assert len({record.ani for record in records}) == len(records) == 20
        assert {record.disposition for record in records} <= {"connected", "abandoned_queue", "no_answer"}


async def test_a_call_that_was_settled_but_not_saved_is_saved_as_it_was(switch, calling):
    async with phones({"agent": answers()}) as agents:
        switch.apply(marketplace(uris(agents), accept="answer"))
        await switch.start()
        async with calling(plan=TALK) as who:
            await switch.live("connected")
            await who.hang_up()
            settled = await switch.written(lambda call: call.record.ended_at is not None)
            switch.kill()  # before the writer has gathered a batch
            await switch.start()
            assert await switch.record() == settled.record
        assert settled.record.money.charged == 4200


async def test_a_caller_who_left_the_ivr_while_no_switch_ran_is_recorded(switch, calling):
    async with phones({"agent": answers()}) as agents:
        switch.apply(marketplace(uris(agents), accept="answer", flow=FLOW))
        await switch.start()
        async with calling(plan=TALK) as who:
            await switch.live("asked")
            await switch.written(lambda call: call.record.answered_at is not None)
            switch.kill()
            await who.hang_up()
            await switch.start()
            record = await switch.record()
        assert (record.disposition, record.end_source) == ("abandoned_ivr", "caller")


async def test_a_caller_of_whom_nothing_was_written_down_yet_is_served_as_a_new_one(switch, calling):
    async with phones({"agent": answers()}) as agents:
        switch.apply(marketplace(uris(agents), accept="answer", flow=FLOW))
        await switch.start()
        async with calling(plan=TALK) as who:
            before = await switch.live("asked")
            await switch.written(lambda call: call.record.answered_at is not None)
            switch.kill()
            switch.lose_journal()
            await switch.start()
            await switch.live("asked")
            await who.hang_up()
            record = await switch.record()
        assert record.id != before["id"]
        assert (record.disposition, record.ani, record.publisher) == (
            "abandoned_ivr",
            "+12125550142",
            "homefix",
        )


@pytest.mark.parametrize("leaver", ["caller", "agent"])
async def test_who_talks_but_is_in_no_journal_goes_on_until_one_of_them_leaves(switch, calling, leaver):
    async with phones({"agent": answers()}) as agents:
        switch.apply(marketplace(uris(agents), accept="answer"))
        await switch.start()
        async with calling(plan=TALK) as who:
            await switch.live("connected")
            switch.kill()
            switch.lose_journal()
            await switch.start()
            await asyncio.sleep(NEW_CALLS_S + 1)  # what belongs to no call is let go by then
            agent = agents["agent"]
            assert not who.call.of("bye") and not agent.call.of("bye")
            if leaver == "caller":
                await who.hang_up()
                await agent.wait_for("bye")
            else:
                agent.call.hang_up()
                await who.wait_for("bye")
        assert "of a call that nobody knows" in switch.log()


async def test_an_award_that_was_bridged_but_not_written_down_so_is_a_conversation(switch, calling):
    async with phones({"agent": answers()}) as agents:
        switch.apply(marketplace(uris(agents), accept="answer"))
        await switch.start()
        async with calling(plan=TALK) as who:
            await switch.live("connected")
            left = await switch.written(lambda call: call.record.winner is not None)
            switch.kill()
            changes = {"winner": None, "connected_at": None, "disposition": None}
            switch.rewrite_journal(Stage.BRIDGING, left.agent, **changes)
            await switch.start()
            await switch.live("taken up again")
            await who.hang_up()
            record = await switch.record()
        assert (record.disposition, record.winner) == ("connected", "agent")
        assert record.connected_at == record.legs[0].accepted_at


async def test_who_took_the_call_in_the_last_moment_before_a_kill_keeps_it(switch, calling):
    async with phones({"other": rings_forever(), "agent": answers(ring_ms=300)}) as agents:
        switch.apply(marketplace(uris(agents), accept="answer"))
        await switch.start()
        async with calling(plan=TALK) as who:
            left = await switch.written(lambda call: call.record.winner is not None)
            ringing = [
                replace(leg, outcome=None, accepted_at=None, ended_at=None) for leg in left.record.legs
            ]
            switch.kill()
            changes = {"winner": None, "connected_at": None, "disposition": None, "legs": ringing}
            switch.rewrite_journal(Stage.WAITING, None, **changes)
            await switch.start()
            await switch.live("taken up again")
            assert switch.ask("/status")["capacity_in_use"] == {"agent": 1}
            await who.hang_up()
            record = await switch.record()
        assert (record.disposition, record.winner) == ("connected", "agent")
        assert {leg.destination: leg.outcome for leg in record.legs} == {"agent": "won", "other": "lost"}
