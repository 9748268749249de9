"""Real races: SIPp agents on real RTP, answered, accepted, declined and abandoned through a real Asterisk."""

import asyncio
from itertools import islice

import pytest

from ari_app.lab.sipp import (
    accepts,
    answers,
    answers_silently,
    busy,
    declines,
    hang_up,
    hangs_up,
    presses,
    rings_forever,
    talk_ms,
)
from tests.live.exchange import marketplace, phones, uris

pytestmark = pytest.mark.live

TALK = [talk_ms(60_000)]
BEEP = "sound:beep"


def outcomes(record):
    return {leg.destination: leg.outcome for leg in record.legs}


def leg_of(record, destination):
    return next(leg for leg in record.legs if leg.destination == destination)


async def test_a_voicemail_that_answers_first_does_not_win(exchange, calling):
    async with phones({"voicemail": answers_silently(), "person": accepts(after_ms=2000)}) as agents:
        exchange.apply(marketplace(uris(agents)))
        async with calling(plan=TALK) as who:
            await agents["person"].wait_for("pressed")
            await agents["voicemail"].wait_for("bye")
            await exchange.connected()
            await who.hang_up()
            record = await exchange.record()
        assert record.winner == "person"
        assert outcomes(record) == {"voicemail": "lost", "person": "won"}
        assert leg_of(record, "voicemail").answered_at < leg_of(record, "person").accepted_at


async def test_the_first_of_two_acceptances_at_the_same_moment_wins(exchange, calling):
    async with phones({"left": answers_silently(), "right": answers_silently()}) as agents:
        exchange.apply(marketplace(uris(agents)))
        async with calling(plan=TALK) as who:
            await asyncio.gather(*(agent.wait_for("established") for agent in agents.values()))
            await asyncio.gather(*(agent.call.press("1") for agent in agents.values()))
            await asyncio.wait([asyncio.ensure_future(a.wait_for("bye")) for a in agents.values()],
                               return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
            await who.hang_up()
            record = await exchange.record()
        assert sorted(outcomes(record).values()) == ["lost", "won"]
        loser = next(leg for leg in record.legs if leg.outcome == "lost")
        assert loser.lost_by_ms is not None and loser.lost_by_ms <= 5
        assert agents[loser.destination].of("bye")[0].cause == 26


@pytest.mark.timeout(400)
async def test_eight_agents_who_press_together_fifty_times_never_make_two_winners(exchange, calling):
    async with phones({f"agent-{n}": answers_silently() for n in range(8)}) as agents:
        exchange.apply(marketplace(uris(agents), qualify=[], reoffer_times=0))
        for round_ in range(50):
            async with calling(ani=f"+1212555{round_:04d}", plan=TALK) as who:
                await asyncio.gather(
                    *(agent.wait_for("established", nth=round_ + 1) for agent in agents.values())
                )
                await asyncio.gather(*(agent.call.press("1") for agent in agents.values()))
                await _seven_byes(agents)
                await who.hang_up()
                record = await exchange.record()
            assert sorted(outcomes(record).values()) == ["lost"] * 7 + ["won"]
            for leg in record.legs:
                if leg.outcome == "lost":
                    assert leg.hangup_cause == 26
                    assert agents[leg.destination].call.of("bye")[0].cause == 26
        assert exchange.ledger_findings() == []


async def _seven_byes(agents):
    """Waits until all but one were let go."""
    waits = [asyncio.ensure_future(agent.call.wait_for("bye")) for agent in agents.values()]
    for wait in islice(asyncio.as_completed(waits), len(waits) - 1):
        await wait
    for wait in waits:
        wait.cancel()
    await asyncio.gather(*waits, return_exceptions=True)


async def test_phones_that_only_ring_are_cancelled_as_answered_elsewhere(exchange, calling):
    async with phones({"quick": accepts(), "slow-1": rings_forever(), "slow-2": rings_forever()}) as agents:
        exchange.apply(marketplace(uris(agents)))
        async with calling(plan=TALK) as who:
            cancels = [await agents[name].wait_for("cancelled") for name in ("slow-1", "slow-2")]
            await exchange.connected()
            await who.hang_up()
            record = await exchange.record()
        assert [cancel.cause for cancel in cancels] == [26, 26]
        assert outcomes(record) == {"quick": "won", "slow-1": "lost", "slow-2": "lost"}


async def test_where_answering_is_accepting_the_first_to_pick_up_wins(exchange, calling):
    async with phones({"slow": answers(ring_ms=1500), "quick": answers(ring_ms=300)}) as agents:
        exchange.apply(marketplace(uris(agents), accept="answer"))
        async with calling(plan=TALK) as who:
            assert (await agents["slow"].wait_for("cancelled")).cause == 26
            await exchange.connected()
            await who.hang_up()
            record = await exchange.record()
        assert record.winner == "quick"


async def test_an_agent_who_declines_leaves_the_call_to_the_others(exchange, calling):
    async with phones({"unwilling": declines(), "willing": accepts(after_ms=1500)}) as agents:
        exchange.apply(marketplace(uris(agents)))
        async with calling(plan=TALK) as who:
            await exchange.connected()
            await who.hang_up()
            record = await exchange.record()
        assert outcomes(record)["unwilling"] == "declined"
        assert leg_of(record, "unwilling").ended_at < leg_of(record, "willing").accepted_at


async def test_busy_unreachable_and_unanswered_phones_end_in_the_fallback(exchange, calling):
    async with phones({"busy": busy(), "silent": rings_forever()}) as agents:
        addresses = {
            **uris(agents),
            "mute": "sip:nobody@127.0.0.1:9",
            "unreachable": {"extension": "agent-101"},
        }
        exchange.apply(marketplace(addresses, ring_timeout="2s", fallback={"play": BEEP}))
        async with calling(plan=TALK) as who:
            record = await exchange.record()
            assert (await who.outcome()).ended_by == "remote"
        assert record.disposition == "no_answer"
        assert outcomes(record) == {
            "busy": "busy",
            "silent": "no_answer",
            "mute": "no_answer",
            "unreachable": "failed",
        }
        assert record.qualification.qualified is False


@pytest.mark.parametrize("behaviour", [presses("5"), answers_silently()], ids=["a wrong key", "no key"])
async def test_an_agent_who_presses_no_right_key_is_asked_three_times_and_let_go(
    exchange, calling, behaviour
):
    async with phones({"confused": behaviour}) as agents:
        exchange.apply(marketplace(uris(agents), accept_prompt=BEEP, fallback={"play": BEEP}))
        async with calling(plan=TALK):
            record = await exchange.record()
        assert outcomes(record) == {"confused": "no_answer"}
        assert record.disposition == "no_answer"


async def test_an_agent_who_hangs_up_at_once_gives_the_call_back_to_the_others(exchange, calling):
    async with phones({"hasty": hangs_up(after_ms=500), "patient": accepts(after_ms=3000)}) as agents:
        exchange.apply(marketplace(uris(agents), accept_prompt=BEEP))
        async with calling(plan=TALK) as who:
            await agents["patient"].wait_for("established", nth=2)
            await agents["patient"].wait_for("pressed")
            await exchange.connected()
            await who.hang_up()
            record = await exchange.record()
        assert [(leg.destination, leg.outcome) for leg in record.legs][-1] == ("patient", "won")
        assert "vanished" in [event.what for event in record.events]


async def test_the_next_wave_rings_after_its_delay_beside_the_first(exchange, calling):
    waves = [{"destinations": ["first"]}, {"destinations": ["overflow"], "after": "1s"}]
    async with phones({"first": rings_forever(), "overflow": accepts()}) as agents:
        exchange.apply(marketplace(uris(agents), waves=waves))
        async with calling(plan=TALK) as who:
            await agents["first"].wait_for("cancelled")
            await exchange.connected()
            await who.hang_up()
            record = await exchange.record()
        assert record.winner == "overflow"
        gap_ms = leg_of(record, "overflow").offered_at - leg_of(record, "first").offered_at
        assert 1000 <= gap_ms < 1500


async def test_an_agent_on_a_call_is_rung_for_the_next_one_when_free(exchange, calling):
    async with phones({"only": accepts()}) as agents:
        exchange.apply(marketplace(uris(agents)))
        async with (
            calling(ani="+12125550001", plan=TALK) as first,
            calling(ani="+12125550002", plan=TALK) as second,
        ):
            await agents["only"].wait_for("pressed")
            await asyncio.gather(first.wait_for("answered"), second.wait_for("answered"))
            assert len(agents["only"].of("invited")) == 1
            in_call = first if _talks_to(agents["only"], "+12125550001") else second
            await in_call.hang_up()
            await exchange.record()
            await agents["only"].wait_for("pressed", nth=2)
            await exchange.connected()
            await (second if in_call is first else first).hang_up()
            record = await exchange.record()
        assert record.winner == "only"


def _talks_to(agent, ani):
    return ani in agent.of("invited")[-1].detail["from"]


async def test_twenty_calls_at_once_each_get_one_agent(exchange, crowd):
    async with phones({f"agent-{n}": accepts(ring_ms=200) for n in range(4)}) as agents:
        exchange.apply(marketplace(uris(agents), destination={"capacity": 20}, accept_prompt=BEEP))
        async with crowd(20, plan=[talk_ms(6000), hang_up]):
            records = await exchange.records(20)
        assert [record.disposition for record in records] == ["connected"] * 20
        assert all(list(outcomes(record).values()).count("won") == 1 for record in records)
        assert exchange.ledger_findings() == []


async def test_a_whisper_is_heard_before_the_agent_is_asked(exchange, calling):
    async with phones({"agent": answers_silently()}) as agents:
        exchange.apply(
            marketplace(uris(agents), whisper="tts:A plumbing call from {state}.", accept_prompt=BEEP)
        )
        async with calling(plan=TALK) as who:
            await agents["agent"].wait_for("established")
            async with asyncio.timeout(10):
                while agents["agent"].call.audio.sound_ms() < 1500:  # a beep alone is a quarter of a second
                    await asyncio.sleep(0.05)  # audio has no events
            await agents["agent"].call.press("1")
            await exchange.connected()
            await who.hang_up()
            record = await exchange.record()
        assert record.winner == "agent"


async def test_an_agent_may_accept_in_the_middle_of_the_whisper(exchange, calling):
    async with phones({"agent": accepts(after_ms=300)}) as agents:
        exchange.apply(
            marketplace(uris(agents), whisper="tts:A plumbing call from {state}, and so on and on.")
        )
        async with calling(plan=TALK) as who:
            await agents["agent"].wait_for("pressed")
            await exchange.connected()
            await who.hang_up()
            record = await exchange.record()
        (leg,) = record.legs
        assert record.connected_at - leg.accepted_at < 500
