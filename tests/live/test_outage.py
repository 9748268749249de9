"""PostgreSQL goes away under a running switch: calls go on, and are charged once when it is back."""

import asyncio

import pytest

from ari_app.lab.sipp import answers, talk_ms
from ari_app.store.calls import calls
from ari_app.store.calls.spool import Spool
from tests.live.exchange import marketplace, phones, uris
from tests.live.process import switch_process
from tests.store.postgres import cluster

pytestmark = pytest.mark.live

TALK = [talk_ms(60_000)]


async def test_calls_are_served_from_memory_while_the_database_is_down(lab, tmp_path, calling, nothing_left):
    with cluster() as postgres:
        async with (
            switch_process(lab, tmp_path, postgres.url) as switch,
            phones({"agent": answers()}) as agents,
        ):
            switch.apply(marketplace(uris(agents), accept="answer"))
            await switch.start()
            await asyncio.to_thread(postgres.stop)
            for ani in ("+12125550001", "+12125550002"):
                async with calling(ani=ani, plan=TALK) as who:
                    await switch.live("connected")
                    await who.hang_up()
                await nothing_left()
            async with asyncio.timeout(10):
                while len(Spool(switch.settings.spool)) < 2:
                    await asyncio.sleep(0.05)  # a folder tells nobody that it has changed
            await asyncio.to_thread(postgres.start)
            async with asyncio.timeout(10):
                while switch.ask("/status")["unsaved_calls"]:
                    await asyncio.sleep(0.05)
            records = calls.latest(switch.engine)
            assert [(record.ani, record.money.charged) for record in records] == [
                ("+12125550002", 4200),
                ("+12125550001", 4200),
            ]
            assert switch.ledger_findings() == []
            assert len(Spool(switch.settings.spool)) == 0
            await switch.nothing_written()
