"""Real recordings: two tracks by MixMonitor, begun behind the bridge, consented to where that is asked for."""

import asyncio
import stat
import wave
from array import array
from dataclasses import replace
from pathlib import Path

import pytest

from ari_app.domain.calls.record import CallRecord, track_files
from ari_app.lab.ports import free_tcp_ports
from ari_app.lab.sipp import accepts, answers, answers_silently, hangs_up, rings_forever, talk_ms
from ari_app.lab.sipp.rtp import FRAME_MS, SAMPLES_PER_MS, is_tone
from ari_app.settings import Settings
from ari_app.store.calls import calls, privacy, recordings
from ari_app.store.calls.spool import Spool
from ari_app.watch.recorder import Recorder
from tests.live.exchange import marketplace, phones, uris
from tests.live.process import switch_process

pytestmark = pytest.mark.live

TALK = [talk_ms(60_000)]
CALLER_HZ, AGENT_HZ, SECOND_HZ = 400, 800, 1000
NEW_YORK, CALIFORNIA = "+12125550142", "+13105550142"
RECORDED = {"recording": {"consent": {"prompt": "sound:beep"}, "keep": "30d"}}


def recorded(agents, **route):
    """A marketplace whose one campaign is recorded."""
    return marketplace(uris(agents), campaign=RECORDED, **route)


def told(record: CallRecord) -> list[str]:
    return [event.what for event in record.events]


class Track:
    """What one file of a recording holds."""

    def __init__(self, path: Path) -> None:
        with wave.open(str(path)) as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
            self._samples = array("h", file.readframes(file.getnframes()))

    @property
    def length_ms(self) -> float:
        return len(self._samples) / SAMPLES_PER_MS

    def heard_ms(self, hz: int) -> int:
        """Milliseconds of a tone."""
        size = FRAME_MS * SAMPLES_PER_MS
        frames = (self._samples[n : n + size] for n in range(0, len(self._samples) - size + 1, size))
        return sum(FRAME_MS for frame in frames if is_tone(frame, hz))


@pytest.fixture
def folder(lab) -> Path:
    """HOME/recordings of the tests' Asterisk."""
    return Settings.from_env(lab.environment).recordings


def paths(folder, call_id):
    return [folder / name for name in track_files(call_id).values()]


async def tracks(folder, call_id) -> tuple[Track, Track]:
    """The caller's and the agent's, once Asterisk has closed them: it says how long they are at the end."""
    caller, agent = paths(folder, call_id)
    async with asyncio.timeout(5):
        while not (caller.exists() and agent.exists() and Track(caller).length_ms and Track(agent).length_ms):
            await asyncio.sleep(0.02)  # a file tells nobody that it is closed
    return Track(caller), Track(agent)


async def under_way(exchange, step: str) -> str:
    """The id of the one call, once its last step was this one."""
    async with asyncio.timeout(10):
        while [call["stage"] for call in exchange.switch.live()] != [step]:
            await asyncio.sleep(0.01)
    return str(exchange.switch.live()[0]["id"])


async def test_each_party_is_on_a_track_of_its_own_and_the_two_are_aligned(exchange, calling, folder):
    async with phones({"agent": answers()}) as agents:
        exchange.apply(recorded(agents, accept="answer"))
        async with calling(plan=TALK) as who:
            await exchange.connected()
            await asyncio.sleep(2)  # what they say
            await who.hang_up()
            record = await exchange.record()
    caller, agent = await tracks(folder, record.id)
    assert caller.length_ms == agent.length_ms
    assert abs(caller.length_ms - record.durations_ms.connected) < 300
    assert caller.heard_ms(CALLER_HZ) > 1500 and agent.heard_ms(AGENT_HZ) > 1500
    assert caller.heard_ms(AGENT_HZ) == agent.heard_ms(CALLER_HZ) == 0
    assert record.recording.keep_until == record.recording.started_at + 30 * 86_400_000
    assert record.recording.started_at >= record.connected_at
    steps = told(record)
    assert steps.index("accepted") < steps.index("connected") < steps.index("recording started")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths(folder, record.id)} == {0o600}
    assert calls.get(exchange.engine, record.id) == record
    spool = Spool(folder.parent / "no-spool")
    assert privacy.erase_caller(exchange.engine, spool, folder, record.ani, record.ended_at) == 1
    assert not any(path.exists() for path in paths(folder, record.id))


async def test_a_campaign_that_does_not_ask_for_it_is_not_recorded(exchange, calling, folder):
    async with phones({"agent": answers()}) as agents:
        exchange.apply(marketplace(uris(agents), accept="answer"))
        async with calling(ani=CALIFORNIA, plan=TALK) as who:
            await exchange.connected()
            await asyncio.sleep(0.3)  # as long as it would take to begin
            await who.hang_up()
            record = await exchange.record()
    assert record.recording is None
    assert not [step for step in told(record) if "record" in step]
    assert not any(path.exists() for path in paths(folder, record.id))


async def test_in_california_the_caller_is_told_before_a_phone_rings_and_in_new_york_not(exchange, calling):
    async with phones({"agent": answers()}) as agents:
        exchange.apply(recorded(agents, accept="answer"))
        steps = {}
        for ani in (CALIFORNIA, NEW_YORK):
            async with calling(ani=ani, plan=TALK) as who:
                await under_way(exchange, "recording started")
                await who.hang_up()
                record = await exchange.record()
                steps[ani] = told(record)
                assert record.recording is not None
    assert steps[CALIFORNIA].index("recording announced") < steps[CALIFORNIA].index("offered")
    assert "recording announced" not in steps[NEW_YORK]
    assert "recording not announced" in steps[NEW_YORK]


async def test_a_caller_who_leaves_during_the_announcement_is_neither_offered_nor_recorded(
    exchange, calling, folder
):
    long_prompt = {
        "recording": {"consent": {"prompt": "tts:" + 9 * "This call may be recorded. ", "everywhere": True}}
    }
    async with phones({"agent": answers()}) as agents:
        exchange.apply(marketplace(uris(agents), campaign=long_prompt, accept="answer"))
        async with calling(plan=TALK) as who:
            await who.wait_for("established")
            async with asyncio.timeout(5):
                while who.call.audio.sound_ms() < 200:
                    await asyncio.sleep(0.02)
            await who.hang_up()
            record = await exchange.record()
    assert (record.disposition, record.legs, record.recording) == ("abandoned_ivr", [], None)
    assert not any(path.exists() for path in paths(folder, record.id))


async def test_an_announcement_that_can_not_be_played_leaves_the_call_unrecorded(exchange, calling, folder):
    silent = {"recording": {"consent": {"prompt": "sound:there-is-no-such-sound", "everywhere": True}}}
    async with phones({"agent": answers()}) as agents:
        exchange.apply(marketplace(uris(agents), campaign=silent, accept="answer"))
        async with calling(plan=TALK) as who:
            await exchange.connected()
            await who.hang_up()
            record = await exchange.record()
    assert (record.disposition, record.recording) == ("connected", None)
    assert "not recorded" in told(record)
    assert not any(path.exists() for path in paths(folder, record.id))


async def test_nothing_is_recorded_before_the_award(exchange, calling, folder):
    async with phones({"voicemail": answers_silently(), "person": accepts(after_ms=1500)}) as agents:
        exchange.apply(recorded(agents, accept_prompt="sound:beep"))
        async with calling(plan=TALK) as who:
            await agents["voicemail"].wait_for("established")
            call_id = exchange.switch.live()[0]["id"]
            await asyncio.sleep(0.5)
            assert not any(path.exists() for path in paths(folder, call_id))
            await exchange.connected()
            await asyncio.sleep(0.5)
            await who.hang_up()
            record = await exchange.record()
    caller, _ = await tracks(folder, record.id)
    assert caller.length_ms < record.durations_ms.connected + 100


async def test_a_call_that_is_offered_again_is_recorded_on_but_not_while_the_caller_waits(
    exchange, calling, agent, folder
):
    first = await agent(hangs_up(after_ms=800), tone_hz=AGENT_HZ)
    second = await agent(accepts(after_ms=1500), tone_hz=SECOND_HZ)
    waves = [{"destinations": ["first"]}, {"destinations": ["second"]}]
    exchange.apply(recorded({"first": first, "second": second}, waves=waves, accept_prompt="sound:beep"))
    async with calling(plan=TALK) as who:
        await second.wait_for("pressed")
        await exchange.connected()
        await asyncio.sleep(1)
        await who.hang_up()
        record = await exchange.record()
    assert [leg.outcome for leg in record.legs] == ["won", "won"]
    assert told(record).count("recording started") == 2
    caller, both = await tracks(folder, record.id)
    assert both.heard_ms(AGENT_HZ) > 400 and both.heard_ms(SECOND_HZ) > 600
    assert caller.length_ms < record.durations_ms.total - 1500


async def test_a_full_disk_costs_the_recording_and_not_the_call(exchange, calling, folder):
    async with phones({"agent": answers(ring_ms=500)}) as agents:
        exchange.apply(recorded(agents, accept="answer"))
        async with calling(plan=TALK) as who:
            call_id = await under_way(exchange, "ringing")
            for path in paths(folder, call_id):
                path.symlink_to("/dev/full")
            await exchange.connected()
            async with asyncio.timeout(5):
                while min(who.call.heard_ms(AGENT_HZ), agents["agent"].call.heard_ms(CALLER_HZ)) < 1000:
                    await asyncio.sleep(0.05)
            await who.hang_up()
            record = await exchange.record()
    assert (record.disposition, record.end_source) == ("connected", "caller")
    assert not recordings.is_there(folder, record.id)


async def test_without_ami_a_call_is_served_unrecorded_and_says_so(exchange, calling, lab, folder):
    nowhere = replace(Settings.from_env(lab.environment), ami_port=free_tcp_ports(1)[0])
    exchange.switch.shared.recorder = Recorder(nowhere)
    async with phones({"agent": answers()}) as agents:
        exchange.apply(recorded(agents, accept="answer"))
        async with calling(plan=TALK) as who:
            await exchange.connected()
            await who.hang_up()
            record = await exchange.record()
    assert (record.disposition, record.recording) == ("connected", None)
    (event,) = [event for event in record.events if event.what == "not recorded"]
    assert "AMI does not answer" in event.detail


async def test_a_recording_goes_on_while_no_switch_runs(lab, tmp_path, calling, folder, nothing_left):
    async with switch_process(lab, tmp_path) as switch, phones({"agent": answers()}) as agents:
        switch.apply(recorded(agents, accept="answer"))
        await switch.start()
        async with calling(plan=TALK) as who:
            await switch.written(lambda call: call.record.recording is not None)
            switch.kill()
            await asyncio.sleep(1)
            await switch.start()
            await switch.live("recording went on")
            await asyncio.sleep(0.5)
            await who.hang_up()
            record = await switch.record()
        await nothing_left()
    caller, agent = await tracks(folder, record.id)
    assert abs(caller.length_ms - record.durations_ms.connected) < 500
    assert agent.heard_ms(AGENT_HZ) > 1500


async def test_what_a_killed_switch_had_no_time_to_write_down_is_taken_to_be_recorded(
    lab, tmp_path, calling, folder, nothing_left
):
    async with switch_process(lab, tmp_path) as switch, phones({"agent": answers()}) as agents:
        switch.apply(recorded(agents, accept="answer"))
        await switch.start()
        async with calling(plan=TALK) as who:
            left = await switch.written(lambda call: call.record.recording is not None)
            switch.kill()
            switch.rewrite_journal(left.stage, left.agent, recording=None)
            await switch.start()
            await switch.live("recording assumed")
            await who.hang_up()
            record = await switch.record()
        await nothing_left()
    assert record.recording is not None
    await tracks(folder, record.id)


async def test_who_waits_and_leaves_is_not_recorded(exchange, calling, folder):
    async with phones({"agent": rings_forever()}) as agents:
        exchange.apply(recorded(agents))
        async with calling(plan=TALK) as who:
            await agents["agent"].wait_for("invited")
            await who.hang_up()
            record = await exchange.record()
    assert (record.disposition, record.recording) == ("abandoned_queue", None)
    assert not any(path.exists() for path in paths(folder, record.id))
