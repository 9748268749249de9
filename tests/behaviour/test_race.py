"""Who gets the call, and what becomes of those who do not."""

from __future__ import annotations

import time

import pytest

from ari_app.ari.transport import Request
from ari_app.domain.calls.stage import Stage
from ari_app.domain.ivr.prompts import ACCEPT_PROMPT, TAKEN_PROMPT, media
from tests.behaviour.exchange import Exchange, outcomes, timeline

ELSEWHERE = 26
NORMAL = 16


async def test_the_first_to_accept_has_the_call_and_the_others_stop_ringing(exchange: Exchange) -> None:
    ann, bob = exchange.agent("ann").accepts(after_s=3), exchange.agent("bob")
    await exchange.serves()
    call = exchange.dials()
    await call.connected(ann)
    record = await call.hangs_up(after_s=90).over()
    assert (record.disposition, record.winner, record.end_source) == ("connected", "ann", "caller")
    assert record.durations_ms.connected == pytest.approx(90_000, abs=100)
    assert outcomes(record) == {"ann": "won", "bob": "lost"}
    assert (ann.causes, bob.causes) == ([NORMAL], [ELSEWHERE])


async def test_who_is_asked_when_another_accepts_hears_that_the_call_is_taken_and_is_hung_up(
    exchange: Exchange,
) -> None:
    ann = exchange.agent("ann").answers(after_s=3).presses("1", after_s=1)
    bob = exchange.agent("bob").answers(after_s=3).presses("1", after_s=1.5)
    await exchange.serves()
    call = exchange.dials()
    await call.connected(ann)
    await exchange.passes(4)
    assert bob.heard == [media(ACCEPT_PROMPT), media(TAKEN_PROMPT)]
    assert bob.causes == [ELSEWHERE]
    assert ann.is_on_the_line
    record = await call.hangs_up(after_s=60).over()
    [lost] = [leg for leg in record.legs if leg.destination == "bob"]
    assert lost.outcome == "lost"
    assert lost.lost_by_ms == pytest.approx(500, abs=20)


async def test_a_call_is_bridging_from_the_award_until_the_two_talk(exchange: Exchange) -> None:
    exchange.agent("ann").answers(after_s=1).presses("1")
    await exchange.serves()
    call = exchange.dials()
    stages: list[Stage] = []

    def look(request: Request) -> None:
        if request.uri.endswith("/addChannel"):
            stages.extend(session.call.stage for session in exchange.switch._in_hand.sessions.values())

    exchange.asterisk.before = look
    await call.connected()
    await exchange.passes(1)
    assert stages == [Stage.BRIDGING]
    assert [told["phase"] for told in exchange.switch.live()] == ["connected"]
    await call.hangs_up().over()


async def test_a_goodbye_that_never_ends_is_cut_short(exchange: Exchange) -> None:
    ann = exchange.agent("ann").answers(after_s=3).presses("1", after_s=1)
    bob = exchange.agent("bob").answers(after_s=3)
    exchange.asterisk.sounds_s[media(TAKEN_PROMPT)] = 3600
    await exchange.serves()
    call = exchange.dials()
    await call.connected(ann)
    await exchange.passes(7)
    assert bob.causes == [ELSEWHERE]
    await call.hangs_up().over()


async def test_who_declines_is_let_go_and_the_others_go_on_ringing(exchange: Exchange) -> None:
    ann = exchange.agent("ann").answers(after_s=1).presses("2")
    bob = exchange.agent("bob").accepts(after_s=20)
    await exchange.serves()
    call = exchange.dials()
    await exchange.passes(5)
    assert ann.causes == [NORMAL]
    await call.connected(bob)
    record = await call.hangs_up(after_s=1).over()
    assert outcomes(record) == {"ann": "declined", "bob": "won"}


async def test_a_voicemail_that_presses_nothing_is_let_go_after_three_prompts(exchange: Exchange) -> None:
    machine = exchange.agent("machine").answers(after_s=1)
    await exchange.serves()
    record = await exchange.dials().over()
    assert machine.heard == 3 * [media(ACCEPT_PROMPT)]
    assert outcomes(record) == {"machine": "no_answer"}
    assert record.disposition == "no_answer"


async def test_the_next_wave_rings_when_its_time_comes_beside_the_first(exchange: Exchange) -> None:
    ann, bob = exchange.agent("ann"), exchange.agent("bob").accepts(after_s=3)
    await exchange.serves(waves=[{"destinations": ["ann"]}, {"destinations": ["bob"], "after": "12s"}])
    call = exchange.dials()
    await exchange.passes(11.9)
    assert (ann.times_rung, bob.times_rung) == (1, 0)
    await exchange.passes(0.2)
    assert bob.times_rung == 1 and ann.is_on_the_line
    await call.connected(bob)
    record = await call.hangs_up(after_s=1).over()
    assert [(leg.destination, leg.wave) for leg in record.legs] == [("ann", 1), ("bob", 2)]


async def test_the_next_wave_rings_at_once_when_nobody_of_the_first_is_left(exchange: Exchange) -> None:
    exchange.agent("ann").is_busy()
    bob = exchange.agent("bob").accepts(after_s=3)
    await exchange.serves(waves=[{"destinations": ["ann"]}, {"destinations": ["bob"], "after": "25s"}])
    call = exchange.dials()
    await exchange.passes(1)
    assert bob.times_rung == 1
    await call.connected(bob)
    record = await call.hangs_up(after_s=1).over()
    assert outcomes(record) == {"ann": "busy", "bob": "won"}


async def test_a_phone_that_is_not_reachable_ends_no_race(exchange: Exchange) -> None:
    exchange.agent("ann").is_known = False
    bob = exchange.agent("bob").accepts()
    await exchange.serves()
    call = exchange.dials()
    await call.connected(bob)
    record = await call.hangs_up(after_s=1).over()
    assert outcomes(record) == {"ann": "failed", "bob": "won"}


async def test_who_is_to_have_what_answers_first_is_asked_nothing(exchange: Exchange) -> None:
    ann = exchange.agent("ann").answers(after_s=3)
    await exchange.serves(accept="answer")
    call = exchange.dials()
    await call.connected(ann)
    assert ann.heard == []
    await call.hangs_up(after_s=1).over()


async def test_nobody_answers_and_the_caller_hears_the_fallback_to_its_end(exchange: Exchange) -> None:
    ann = exchange.agent("ann")
    await exchange.serves(ring_timeout="20s", fallback={"play": "sound:sorry"})
    call = exchange.dials()
    record = await call.over()
    assert (record.disposition, record.end_source) == ("no_answer", "system")
    assert record.durations_ms.total == pytest.approx(22_000, abs=200)  # the ringing, and the fallback
    assert call.heard == ["sound:sorry"]
    assert ann.causes == [NORMAL]


async def test_no_more_phones_ring_at_once_than_the_route_allows(exchange: Exchange) -> None:
    agents = [exchange.agent(name).refuses(after_s=5) for name in ("ann", "bob", "cid", "dan", "eve")]
    await exchange.serves(max_legs=2)
    call = exchange.dials()
    rung = []
    for _ in range(3):
        await exchange.passes(4)
        rung.append(sum(agent.times_rung for agent in agents))
    assert rung == [2, 4, 5]
    await call.hangs_up().over()


async def test_an_agent_hears_the_whisper_before_being_asked(exchange: Exchange) -> None:
    ann = exchange.agent("ann").answers(after_s=1).presses("1", after_s=6)
    await exchange.serves(whisper="tts:A call about plumbing.")
    call = exchange.dials()
    await call.connected(ann)
    assert len(ann.heard) == 2 and ann.heard[-1] == media(ACCEPT_PROMPT)
    await call.hangs_up(after_s=1).over()


@pytest.mark.parametrize(("wait", "sound"), [("music", "moh"), ("ringback", "ring")])
async def test_the_caller_hears_music_or_ringing_until_somebody_has_accepted(
    exchange: Exchange, wait: str, sound: str
) -> None:
    ann = exchange.agent("ann").accepts(after_s=5)
    await exchange.serves(wait=wait)
    call = exchange.dials()
    await exchange.passes(3)
    assert call.channel.hears == sound
    await call.connected(ann)
    await exchange.passes(0.1)
    assert call.channel.hears is None
    await call.hangs_up(after_s=1).over()


# The bridge


async def test_the_bridge_waits_until_the_winners_prompt_has_stopped(exchange: Exchange) -> None:
    """Asked for before, it would hold up every other request of the call until then."""
    ann = exchange.agent("ann").answers(after_s=3).presses("1", after_s=0.5)
    await exchange.serves()
    asked_while_playing = []

    def look(request: object) -> None:
        if str(request).endswith("/addChannel"):
            asked_while_playing.append([one.sounds for one in exchange.asterisk.playbacks.values()])

    exchange.asterisk.before = look
    call = exchange.dials()
    await call.connected(ann)
    assert asked_while_playing == [[]]
    assert ann.heard == [media(ACCEPT_PROMPT)]
    await call.hangs_up(after_s=1).over()


async def test_a_prompt_that_does_not_stop_holds_the_bridge_up_for_a_second(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ari_app.ari.testing.asterisk.STOPPING_S", 5.0)
    exchange.agent("ann").answers(after_s=3).presses("1", after_s=0.5)
    exchange.asterisk.sounds_s[media(ACCEPT_PROMPT)] = 600
    await exchange.serves()
    asked_at: dict[str, float] = {}

    def look(request: Request) -> None:
        asked_at[request.uri.rpartition("/")[2] if request.method == "POST" else request.uri[:9]] = (
            time.time()
        )

    exchange.asterisk.before = look
    call = exchange.dials()
    await call.connected()
    assert asked_at["addChannel"] - asked_at["playbacks"] == pytest.approx(1.0, abs=0.05)
    await call.hangs_up(after_s=1).over()


async def test_a_conversation_ends_at_the_longest_duration(exchange: Exchange) -> None:
    ann = exchange.agent("ann").accepts()
    await exchange.serves(max_duration="5m")
    record = await exchange.dials().over()
    assert record.durations_ms.connected == pytest.approx(300_000, abs=100)
    assert record.end_source == "system"
    assert "longest duration reached" in timeline(record)
    assert ann.causes == [NORMAL]


async def test_an_agent_who_holds_the_line_keeps_the_call(exchange: Exchange) -> None:
    ann = exchange.agent("ann").accepts().holds(after_s=10).hangs_up(after_s=60)
    await exchange.serves()
    call = exchange.dials()
    await call.connected(ann)
    record = await call.over()
    assert record.end_source == "agent"
    assert record.durations_ms.connected == pytest.approx(70_000, abs=1_100)


# Offered again


async def test_a_call_whose_agent_vanishes_at_once_is_offered_again_to_who_lost(exchange: Exchange) -> None:
    ann = exchange.agent("ann").accepts().vanishes(after_s=3)
    bob = exchange.agent("bob").then().accepts(after_s=5)
    await exchange.serves(wait="music")
    call = exchange.dials()
    await call.connected(ann)
    await exchange.passes(4)
    assert exchange.switch.live()[0]["winner"] is None  # nobody has the call
    assert call.channel.hears == "moh"
    await call.connected(bob)
    record = await call.hangs_up(after_s=90).over()
    assert (record.winner, record.disposition) == ("bob", "connected")
    assert record.durations_ms.connected == pytest.approx(90_000, abs=100)
    assert ann.times_rung == 1


async def test_of_two_conversations_the_longer_one_counts(exchange: Exchange) -> None:
    ann = exchange.agent("ann").accepts().vanishes(after_s=9)
    bob = exchange.agent("bob").then().accepts(after_s=5).vanishes(after_s=4)
    await exchange.serves(reoffer_times=1)
    call = exchange.dials()
    await call.connected(ann)
    await call.connected(bob)
    record = await call.over()
    assert (record.disposition, record.winner) == ("connected", "ann")
    assert record.durations_ms.connected == pytest.approx(8_000, abs=1_100)


async def test_a_caller_who_leaves_while_the_call_is_offered_again_talked_as_long_as_before(
    exchange: Exchange,
) -> None:
    ann = exchange.agent("ann").accepts().vanishes(after_s=6)
    exchange.agent("bob")
    await exchange.serves()
    call = exchange.dials()
    await call.connected(ann)
    record = await call.hangs_up(after_s=20).over()
    assert (record.winner, record.end_source) == ("ann", "caller")
    assert record.durations_ms.connected == pytest.approx(5_500, abs=1_100)
    assert (record.ended_at or 0) - (record.connected_at or 0) == pytest.approx(20_000, abs=100)


async def test_a_call_is_offered_again_a_bounded_number_of_times(exchange: Exchange) -> None:
    agents = [exchange.agent(name).accepts().vanishes(after_s=2) for name in ("ann", "bob", "cid", "dan")]
    await exchange.serves(max_legs=1, reoffer_times=2)
    record = await exchange.dials().over()
    assert sorted(agent.times_rung for agent in agents) == [0, 1, 1, 1]
    assert timeline(record).count("vanished") == 2


async def test_a_phone_is_dialled_with_the_callers_number_and_ended_by_asterisk_should_no_switch_be_there(
    exchange: Exchange,
) -> None:
    requests: list[Request] = []
    exchange.asterisk.before = requests.append
    exchange.agent("ann").accepts()
    await exchange.serves(ring_timeout="20s", max_duration="5m")
    call = exchange.dials(ani=None)
    await call.connected()
    record = await call.hangs_up(after_s=1).over()
    [dialled] = [one for one in requests if one.method == "POST" and one.uri.endswith("-leg-000000")]
    assert dialled.query == {
        "endpoint": "PJSIP/agents/sip:ann@127.0.0.1:5999",
        "app": "callrace",
        "timeout": "30",  # as long as it may ring, and ten seconds more
        "callerId": "anonymous",
        "originator": call.channel.id,
    }
    assert dialled.body == {
        "variables": {
            "FORWARD_CONTEXT": "callrace-never-forwards",
            "TIMEOUT(absolute)": "333.000",
            "PJSIP_HEADER(add,X-Callrace-Call)": record.id,
        }
    }


async def test_nobody_talks_before_asterisk_knows_for_how_long(exchange: Exchange) -> None:
    """Should the switch die in that moment, the two are not left to talk for ever."""
    _, call = await exchange.talks("ann")
    asked = exchange.asterisk.requests
    limited = asked.index(f"POST channels/{call.channel.id}/variable")
    [joined] = [n for n, request in enumerate(asked) if request.endswith("/addChannel")]
    assert limited < joined
    await call.hangs_up().over()


async def test_the_caps_of_those_who_lost_have_room_again_when_the_last_agent_can_vanish_no_more(
    exchange: Exchange,
) -> None:
    """Not when the first could not any more, who has vanished."""
    ann, bob = (
        exchange.agent("ann").accepts().vanishes(after_s=5).then(),
        exchange.agent("bob").then().accepts(),
    )
    exchange.agent("cid")
    one_a_day = {name: {"caps": [{"max": 1, "per": "day"}]} for name in ("ann", "bob", "cid")}
    await exchange.serves(also={"destinations": one_a_day}, ring_timeout="6s")
    call = exchange.dials()
    await call.connected(ann)
    await call.connected(bob)
    await exchange.passes(5)  # 13 s after the first was connected, 5 s after the second
    assert (await exchange.dials().over()).disposition == "no_route"
    await exchange.passes(6)
    assert (await exchange.dials().over()).disposition == "no_answer"
    await call.hangs_up().over()
