"""A real call as those see it who watch: in the log, in the metrics, on the board."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ari_app.lab.sipp import Agent, accepts, answers_silently, rings_forever, talk_ms
from ari_app.logs import Logfmt
from ari_app.settings import Settings
from ari_app.switch import sweeper
from ari_app.watch import supervision as ops_supervision
from tests.live.exchange import DID, marketplace, phones, uris
from tests.live.test_destinations import register

pytestmark = pytest.mark.live

ANI = "+12125550142"
AGENTS_NUMBER = "+13105550177"
TALK = [talk_ms(60_000)]
BEEP = "sound:beep"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, DEBUG included, as the switch writes it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(Logfmt())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(before)


async def test_the_log_of_a_call_has_its_id_on_every_line_and_no_whole_number_and_no_secret(
    exchange, calling, lab, log
):
    by_trunk = {"pstn": {"phone": AGENTS_NUMBER, "trunk": "main"}}
    exchange.apply(marketplace(by_trunk, ring_timeout="1s", fallback={"play": BEEP}))
    async with calling(ani=ANI, plan=TALK):
        record = await exchange.record()
    exchange.switch.tell()
    text = log.getvalue()
    about = [line for line in text.splitlines() if " call " in line]
    assert [re.sub(r".* call=(\S+) (call \w+) .*", r"\1 \2", line) for line in about] == [
        f"{record.id} call ended",
    ]
    for number in (ANI, DID, AGENTS_NUMBER):
        assert number[1:] not in text
    for secret in ("ari", "ami"):
        assert (lab.home / "secrets" / secret).read_text().strip() not in text


async def test_a_race_is_seen_as_its_legs_ring_and_answer_and_is_counted_when_it_is_over(exchange, calling):
    behaviours = {
        "ringing": rings_forever(),
        "voicemail": answers_silently(),
        "person": accepts(after_ms=1500),
    }
    async with phones(behaviours) as agents:
        exchange.apply(marketplace(uris(agents)))
        async with calling(plan=TALK) as who:
            await legs_are(exchange, {"ringing": "ringing", "voicemail": "answered", "person": "answered"})
            assert exchange.switch.status()["calls_by_phase"]["race"] == 1
            await exchange.connected()
            assert exchange.switch.status()["calls_by_phase"]["connected"] == 1
            await who.hang_up()
            await exchange.record()
    exchange.switch.tell()
    told = exchange.switch.metrics.registry.get_sample_value
    assert told("callrace_calls_total", {"disposition": "connected"}) == 1
    assert told("callrace_legs_total", {"outcome": "lost"}) == 2
    assert told("callrace_charged_minor_units_total", {"currency": "USD"}) == 4200
    assert 1.5 < told("callrace_race_seconds_sum") < 10
    assert 0 < told("callrace_bridge_seconds_sum") < 2


@pytest.fixture
async def supervised(exchange, lab, monkeypatch):
    """The exchange, watched by AMI many times a second."""
    monkeypatch.setattr(ops_supervision, "LOOK_EVERY_S", 0.1)
    watching = ops_supervision.supervision(
        Settings.from_env(lab.environment),
        lambda: {"carrier", "main"},
        lambda seen: exchange.switch.supervised(seen.json(), seen.loose),
        exchange.switch.phone_changed,
    )
    async with watching:
        await until(lambda: exchange.switch.status()["supervision"]["ami"] == "connected")
        yield exchange


async def test_asterisk_gives_back_what_a_crowd_of_calls_took(lab):
    """By its allocator: `make soak` sees what that comes to."""
    assert "libjemalloc" in Path(f"/proc/{lab.pid}/maps").read_text()


async def test_what_asterisk_has_in_memory_is_known(supervised):
    assert supervised.switch.status()["supervision"]["memory_bytes"] > 20_000_000


@contextlib.asynccontextmanager
async def another_call(lab, phone, switch):
    """Somebody else's call rings a registered phone, and the switch knows."""
    other = {"endpoint": f"PJSIP/{phone}", "context": "ari-client", "extension": "next"}
    channel = await lab.ask("POST", "channels", **other)
    try:
        await until(lambda: switch.status()["agents"][0]["on_another_call"])
        yield
    finally:
        await switch.client.channels.hangup(channel["id"])


async def test_a_registered_phone_on_another_call_is_rung_when_that_is_over(
    supervised, lab, calling, tmp_path
):
    password = (lab.home / "secrets" / "phones" / "agent-102").read_text()
    async with Agent("agent-102", rings_forever()) as agent:
        assert await register(lab, tmp_path, agent.port, password) == 0
        supervised.apply(marketplace({"desk": {"extension": "agent-102"}}))
        async with contextlib.AsyncExitStack() as over:
            async with another_call(lab, "agent-102", supervised.switch):
                who = await over.enter_async_context(calling(plan=TALK))
                await until(
                    lambda: [call["stage"] for call in supervised.switch.live()] == ["on another call"]
                )
                assert len(agent.of("invited")) == 1
            await agent.wait_for("invited", nth=2)
            await who.hang_up()
            record = await supervised.record()
        assert [leg.outcome for leg in record.legs] == ["cancelled"]


async def test_a_call_whose_only_agent_stays_on_another_call_says_so(supervised, lab, calling, tmp_path):
    password = (lab.home / "secrets" / "phones" / "agent-102").read_text()
    async with Agent("agent-102", rings_forever()) as agent:
        assert await register(lab, tmp_path, agent.port, password) == 0
        supervised.apply(
            marketplace({"desk": {"extension": "agent-102"}}, ring_timeout="1s", fallback={"play": BEEP})
        )
        async with another_call(lab, "agent-102", supervised.switch), calling(plan=TALK):
            record = await supervised.record()
        assert record.disposition == "no_answer"
        assert [(e.destination, e.reason) for e in record.excluded] == [("desk", "on another call")]


async def test_a_leg_that_lost_its_call_is_hung_up(supervised, lab, monkeypatch, log):
    monkeypatch.setattr(sweeper, "STALE_S", 0.3)
    leg = "019aa8c1d2e00aabbccddee-leg-0"
    nobodys = {"endpoint": "Local/ring@ari-client", "context": "ari-client", "extension": "next"}
    await lab.ask("POST", "channels", channelId=leg, **nobodys)
    assert leg in [channel["id"] for channel in await lab.ask("GET", "channels")]
    await until(lambda: f"leg {leg} is hung up: its call is over" in log.getvalue())
    assert supervised.switch.metrics.registry.get_sample_value("callrace_swept_legs_total") == 1
    await supervised.nothing_left()


async def test_a_leg_of_a_call_under_way_is_not_swept(supervised, calling, monkeypatch):
    monkeypatch.setattr(sweeper, "STALE_S", 0.3)
    async with phones({"slow": accepts(after_ms=2000)}) as agents:
        supervised.apply(marketplace(uris(agents)))
        async with calling(plan=TALK) as who:
            await supervised.connected()
            await who.hang_up()
            record = await supervised.record()
    assert record.winner == "slow"
    assert supervised.switch.metrics.registry.get_sample_value("callrace_swept_legs_total") == 0


async def until(is_so, timeout_s=10.0):
    """Waits until something that operators see is so: it is looked up, not announced."""
    async with asyncio.timeout(timeout_s):
        while not is_so():
            await asyncio.sleep(0.01)


async def legs_are(exchange, phases):
    """Waits until the legs of the one call are in these phases."""

    def seen():
        return [{leg["destination"]: leg["phase"] for leg in call["legs"]} for call in exchange.switch.live()]

    await until(lambda: seen() == [phases])
