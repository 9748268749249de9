"""A caller is erased beside a running switch: no file of its home has the number afterwards."""

import re
from pathlib import Path

import pytest

from ari_app.lab.sipp import answers, talk_ms
from tests.live.exchange import marketplace, phones, uris

pytestmark = pytest.mark.live

ANI = "+12125550142"
TALK = [talk_ms(60_000)]


def having(switch):
    """The files of its home, and its database, that have the number."""
    places = (switch.settings.home, Path(switch.engine.url.database).parent)
    files = (path for place in places for path in place.rglob("*") if path.is_file())
    return [str(path) for path in files if re.search(rb"2125550142", path.read_bytes())]


async def test_beside_a_running_switch_no_file_keeps_the_number(switch, calling):
    async with phones({"agent": answers()}) as agents:
        switch.apply(marketplace(uris(agents), accept="answer"))
        await switch.start()
        async with calling(ani=ANI, plan=TALK) as who:
            await switch.live("connected")
            await switch.written(lambda call: call.record.winner is not None)
            refused = await switch.callrace("privacy", "erase", ANI)
            assert refused.returncode == 1 and "is under way: run this again" in refused.stderr
            await who.hang_up()
            record = await switch.record()
        assert having(switch) != []
        erased = await switch.callrace("privacy", "erase", ANI)
        assert (erased.returncode, erased.stdout) == (0, "erased from 1 call\n"), erased.stderr
        assert having(switch) == []
        assert (await switch.record()).id == record.id
