"""A real call as those see it who watch: in the log, in the metrics, on the board."""

from __future__ import annotations

import asyncio
import io
import logging
import re
from collections.abc import Iterator

import pytest

from ari_app.logs import Logfmt
from ari_app.ops.sipp import accepts, answers_silently, rings_forever, talk_ms
from tests.live.exchange import DID, marketplace, phones, uris

pytestmark = pytest.mark.live

ANI = "+12125550142"
AGENTS_NUMBER = "+13105550177"
TALK = [talk_ms(60_000)]


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
    exchange.apply(marketplace(by_trunk, ring_timeout="1s", fallback={"play": "sound:beep"}))
    async with calling(ani=ANI, plan=TALK):
        record = await exchange.record()
    text = log.getvalue()
    about = [line for line in text.splitlines() if " call " in line]
    assert [re.sub(r".* call=(\S+) (call \w+) .*", r"\1 \2", line) for line in about] == [
        f"{record.id} call received",
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
    told = exchange.switch.metrics.registry.get_sample_value
    assert told("callrace_calls_total", {"disposition": "connected"}) == 1
    assert told("callrace_legs_total", {"outcome": "lost"}) == 2
    assert told("callrace_charged_minor_units_total", {"currency": "USD"}) == 4200
    assert 1.5 < told("callrace_race_seconds_sum") < 10
    assert 0 < told("callrace_bridge_seconds_sum") < 2


async def legs_are(exchange, phases, timeout_s=10.0):
    """Waits until the legs of the one call are in these phases."""
    async with asyncio.timeout(timeout_s):
        while [
            {leg["destination"]: leg["phase"] for leg in call["legs"]} for call in exchange.switch.live()
        ] != [phases]:
            await asyncio.sleep(0.01)  # what operators see is looked up, not announced
