"""A switch is drained: it finishes its calls, takes no new ones, and ends."""

import asyncio

import pytest

from ari_app.lab.sipp import answers, talk_ms
from tests.live.exchange import marketplace, phones, uris
from tests.live.process import switch_process

pytestmark = pytest.mark.live

TALK = [talk_ms(60_000)]


def told_by_the_dialplan(switch) -> str:
    """What it wrote down of the calls that it served by itself."""
    return switch.settings.fallback_files[0].read_text()


async def test_a_draining_switch_finishes_its_call_hands_back_the_next_and_ends(
    lab, tmp_path, calling, nothing_left
):
    async with switch_process(lab, tmp_path) as switch, phones({"agent": answers()}) as agents:
        switch.apply(marketplace(uris(agents), accept="answer"))
        await switch.start()
        async with calling(ani="+12125550001", plan=TALK) as who:
            await switch.live("connected")
            draining = asyncio.create_task(switch.callrace("switch", "drain"))
            async with asyncio.timeout(10):
                while not switch.ask("/status")["draining"]:
                    await asyncio.sleep(0.05)
            too_short = await switch.callrace("switch", "drain", "--timeout", "1ms")
            assert too_short.returncode == 1
            assert "calls are still under way after 0.001 s" in too_short.stderr
            status = (await switch.callrace("lab", "status")).stdout
            assert "1 call under way, draining: takes no new calls\n" in status
            async with calling(ani="+12125550002", plan=TALK) as late:
                assert (await late.outcome()).status == 503  # no AGI is there either: the ladder's last rung
            assert "%2B12125550002" in told_by_the_dialplan(switch)
            await who.hang_up()
            assert (await draining).stdout == "drained: 1 call finished, the switch has ended\n"
            record = await switch.record()
        assert await switch.ended() == 0
        assert (record.ani, record.disposition) == ("+12125550001", "connected")
        await nothing_left()
