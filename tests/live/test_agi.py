"""The dialplan's ladder while no switch is connected: AGI and native ringing, and then the apology."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.ledger.transfers import deposit
from ari_app.lab.sipp import Agent, Caller, answers, busy, hang_up, rings_forever, talk_ms
from ari_app.serving.clock import CallClock
from ari_app.settings import Settings
from ari_app.store.calls import calls as stored
from ari_app.store.db.engine import reading
from ari_app.store.db.tables import reservations
from ari_app.store.ledger import ledger
from tests.live.exchange import DID, Exchange, marketplace, phones, uris
from tests.live.lab import Lab, private
from tests.live.process import AgiProcess

pytestmark = pytest.mark.live

TALK = [talk_ms(60_000)]


@pytest.fixture
async def in_force(lab: Lab, tmp_path: Path) -> AsyncIterator[Exchange]:
    """A marketplace can be put in force; the switch is never started."""
    exchange = Exchange(Settings.from_env(lab.environment), tmp_path)
    yield exchange
    await exchange.stop()


@pytest.fixture
async def agi(lab: Lab, tmp_path: Path) -> AsyncIterator[AgiProcess]:
    """The AGI server on the test's database, to be started; it has ended when the test has."""
    made = AgiProcess(
        lab.environment | {"CALLRACE_DATABASE_URL": f"sqlite:///{tmp_path}/callrace.db"}, tmp_path
    )
    yield made
    assert await made.stop() in (None, 0, -signal.SIGKILL)


async def test_without_a_switch_a_call_reaches_an_agent_by_the_agi_route(
    in_force: Exchange, agi: AgiProcess, calling, nothing_left
) -> None:
    async with phones({"agent": answers()}) as agents:
        in_force.put_in_force(marketplace(uris(agents), accept="answer"))
        await agi.start()
        async with calling(plan=TALK) as who:
            await agents["agent"].wait_for("established")
            async with asyncio.timeout(10):
                while not (agents["agent"].call.heard_ms(who.tone_hz) > 500
                           and who.call.heard_ms(agents["agent"].tone_hz) > 500):  # fmt: skip
                    await asyncio.sleep(0.05)  # audio has no events
            await who.hang_up()
            assert (await who.outcome()).answered
    await nothing_left()


async def recorded(exchange: Exchange, ani: str, timeout_s: float = 10.0) -> CallRecord:
    """The record of the caller's call, awaited: another process makes it of what the dialplan wrote."""
    async with asyncio.timeout(timeout_s):
        while not (found := stored.latest(exchange.engine, ani=ani)):
            await asyncio.sleep(0.1)
    return found[0]


async def test_a_call_that_was_rung_without_a_switch_is_recorded_charged_and_paid(
    in_force: Exchange, agi: AgiProcess, calling, nothing_left
) -> None:
    ani = "+12125550171"
    async with phones({"agent": answers(), "slow": rings_forever()}) as agents:
        terms = [{"connected_at_least": "500ms"}, {"no_repeat_within": "30d"}]
        in_force.put_in_force(marketplace(uris(agents), accept="answer", qualify=terms))
        await agi.start()
        async with calling(ani=ani, plan=[talk_ms(1500), hang_up]) as who:
            await who.outcome()
        record = await recorded(in_force, ani)
    assert (record.disposition, record.winner, record.publisher) == ("connected", "agent", "homefix")
    assert 1_000 < record.durations_ms.connected < 2_500
    assert {leg.destination: leg.outcome for leg in record.legs} == {"agent": "won", "slow": "lost"}
    assert record.money is not None and (record.money.charged, record.money.paid) == (4200, 3000)
    assert in_force.ledger_findings() == []
    await nothing_left()


async def test_without_a_switch_a_cap_is_kept_too(
    in_force: Exchange, agi: AgiProcess, calling, nothing_left
) -> None:
    first, second = "+12125550175", "+12125550176"
    async with phones({"agent": answers()}) as agents:
        capped = {"caps": [{"max": 1, "per": "day"}]}
        in_force.put_in_force(marketplace(uris(agents), accept="answer", qualify=[], campaign=capped))
        await agi.start()
        async with calling(ani=first, plan=[talk_ms(500), hang_up]) as who:
            assert (await who.outcome()).answered
        served = await recorded(in_force, first)
        await sorry(calling, second)
        left_out = await recorded(in_force, second)
    assert served.money is not None and served.money.charged == 4200
    assert (left_out.disposition, left_out.legs) == ("no_route", [])
    assert reserved(in_force) == 0
    assert in_force.ledger_findings() == []
    await nothing_left()


@pytest.mark.parametrize("did", [DID, "piece"])
async def test_without_a_switch_nobody_talks_for_longer_than_was_reserved_for(
    in_force: Exchange, agi: AgiProcess, calling, nothing_left, did: str
) -> None:
    ani = {DID: "+12125550177", "piece": "+12125550178"}[did]
    async with phones({"agent": answers()}) as agents:
        campaign = {"price": {"per_minute": "60.00", "increment": "1s"}, "payout": "0"}
        document = marketplace(uris(agents), accept="answer", max_duration="2s", campaign=campaign)
        document["advertisers"]["acme"]["billing"] = {"model": "prepaid"}
        in_force.put_in_force(document)
        ledger.post(in_force.engine, deposit("wire-1", "acme", 200, "USD", CallClock().now()))
        await agi.start()
        async with calling(did=did, ani=ani, plan=TALK) as who:
            assert (await who.outcome()).ended_by == "remote"
        record = await recorded(in_force, ani)
    assert 1_900 <= record.durations_ms.connected < 3_500
    assert record.money is not None and record.money.charged == 200
    assert ledger.balances(in_force.engine)["advertiser:acme", "USD"].posted == 0
    assert in_force.ledger_findings() == []
    await nothing_left()


def reserved(exchange: Exchange) -> int:
    """How many reservations there are."""
    with reading(exchange.engine) as connection:
        return connection.execute(select(func.count()).select_from(reservations)).scalar_one()


async def test_a_call_that_asterisk_ended_with_while_the_dialplan_served_it_is_recorded(
    lab: Lab, in_force: Exchange, agi: AgiProcess, calling, nothing_left
) -> None:
    ani = "+12125550170"
    async with phones({"agent": answers()}) as agents:
        capped = {"caps": [{"concurrent": 1}]}
        in_force.put_in_force(marketplace(uris(agents), accept="answer", campaign=capped))
        await agi.start()
        async with calling(ani=ani, plan=TALK) as who:
            await agents["agent"].wait_for("established")
            assert reserved(in_force) == 1
            lab.kill()
            await asyncio.to_thread(lab.run, "up")
            record = await recorded(in_force, ani, timeout_s=30)
            await who.hang_up()
    assert (record.disposition, record.end_source, record.publisher) == ("failed", "system", "homefix")
    assert "Asterisk ended while the dialplan served the call" in record.events[-2].detail
    assert reserved(in_force) == 0
    assert in_force.ledger_findings() == []
    await nothing_left()


async def test_a_call_that_heard_the_apology_is_recorded_when_somebody_is_there_to_do_it(
    in_force: Exchange, agi: AgiProcess, calling, nothing_left
) -> None:
    ani = "+12125550172"
    in_force.put_in_force(marketplace({"agent": "sip:agent@127.0.0.1:5999"}, accept="answer"))
    await sorry(calling, ani)
    await agi.start()
    record = await recorded(in_force, ani)
    assert (record.disposition, record.campaign, record.legs) == ("failed", "plumbing", [])
    await nothing_left()


async def test_the_first_agent_to_answer_has_the_call_and_the_other_logs_no_missed_call(
    in_force: Exchange, agi: AgiProcess, calling, nothing_left
) -> None:
    async with phones({"quick": answers(ring_ms=500), "slow": rings_forever()}) as agents:
        in_force.put_in_force(marketplace(uris(agents), accept="answer"))
        await agi.start()
        async with calling(plan=TALK) as who:
            await agents["quick"].wait_for("established")
            cancelled = await agents["slow"].wait_for("cancelled")
            assert cancelled.cause == 26
            await who.hang_up()
    await nothing_left()


async def test_a_marketplace_applied_later_is_answered_from_without_a_restart(
    in_force: Exchange, agi: AgiProcess, calling, nothing_left
) -> None:
    await agi.start()
    async with phones({"agent": answers()}) as agents:
        in_force.put_in_force(marketplace(uris(agents), accept="answer"))
        await asyncio.sleep(2.5)  # it looks each second, and says so only to its log
        async with calling(plan=TALK) as who:
            await agents["agent"].wait_for("established")
            await who.hang_up()
    await nothing_left()


async def test_where_nobody_answers_the_caller_is_told_and_the_call_ends(
    in_force: Exchange, agi: AgiProcess, calling, nothing_left
) -> None:
    async with phones({"agent": busy()}) as agents:
        in_force.put_in_force(marketplace(uris(agents), accept="answer"))
        await agi.start()
        async with calling(plan=TALK) as who:
            outcome = await who.outcome()
            assert (outcome.answered, outcome.ended_by) == (True, "remote")
            assert who.call.audio.sound_ms() > 500
    await nothing_left()


async def test_a_blocked_caller_rings_nobody(
    in_force: Exchange, agi: AgiProcess, calling, nothing_left
) -> None:
    async with phones({"agent": answers()}) as agents:
        in_force.put_in_force(
            marketplace(uris(agents), accept="answer", campaign={"screen": {"block": ["+1212*"]}})
        )
        await agi.start()
        async with calling(plan=TALK) as who:
            assert (await who.outcome()).status == 403
    await nothing_left()


async def test_an_unknown_number_is_not_found(
    in_force: Exchange, agi: AgiProcess, calling, nothing_left
) -> None:
    in_force.put_in_force(marketplace({"agent": "sip:agent@127.0.0.1:5999"}, accept="answer"))
    await agi.start()
    async with calling(did="+18005559999", plan=TALK) as who:
        assert (await who.outcome()).status == 404
    await nothing_left()


async def sorry(calling: Callable[..., Caller], ani: str = "+12125550142") -> None:
    """A call hears the apology, unanswered, and is refused with 503."""
    async with calling(ani=ani, plan=TALK) as who:
        outcome = await who.outcome()
        assert outcome.status == 503
        assert outcome.setup_ms > 1_000  # the apology's length and more


async def test_with_no_agi_server_either_the_caller_hears_an_apology_and_503(
    lab: Lab, calling, nothing_left
) -> None:
    await sorry(calling)
    await nothing_left()


async def test_an_agi_server_that_is_killed_is_like_none(
    in_force: Exchange, agi: AgiProcess, calling, nothing_left
) -> None:
    in_force.put_in_force(marketplace({"agent": "sip:agent@127.0.0.1:5999"}, accept="answer"))
    await agi.start()
    agi.kill()
    await sorry(calling)
    await nothing_left()


async def test_an_agi_server_that_hangs_keeps_no_caller(
    in_force: Exchange, agi: AgiProcess, calling, nothing_left
) -> None:
    in_force.put_in_force(marketplace({"agent": "sip:agent@127.0.0.1:5999"}, accept="answer"))
    await agi.start()
    os.kill(agi.pid, signal.SIGSTOP)
    await sorry(calling)
    await nothing_left()


async def test_an_answer_that_breaks_off_is_no_answer(lab: Lab, calling, nothing_left) -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\n\n")
        writer.write(b'EXEC MSet "CALLRACE_DIAL=PJSIP/agents/sip:agent@127.0.0.1:5999,CALLRACE_RESULT=')
        writer.close()

    port = int(lab.environment["CALLRACE_AGI_PORT"])
    async with await asyncio.start_server(half, "127.0.0.1", port):
        await sorry(calling)
    await nothing_left()


@pytest.fixture
def last_resort(lab: Lab, tmp_path: Path) -> Iterator[Lab]:
    """Another Asterisk, whose calls go to a number of last resort by the trunk."""
    ours = private(tmp_path / "home")
    ours.environment["CALLRACE_LAST_RESORT"] = "+12125550123"
    started = ours.run("up")
    assert started.returncode == 0, started.stderr
    yield ours
    ours.run("down")


async def test_where_a_number_of_last_resort_is_set_it_is_rung_instead_of_an_apology(
    last_resort: Lab,
) -> None:
    port = int(last_resort.environment["CALLRACE_TRUNK_MAIN"].rpartition(":")[2])
    async with (
        Agent("desk", answers(), port) as desk,
        Caller(DID, "+12125550173", TALK, to=last_resort.sip) as who,
    ):
        await desk.wait_for("established")
        assert "+12125550123" in desk.of("invited")[0].detail["to"]
        await who.hang_up()
    lines = (last_resort.home / "asterisk" / "spool" / "fallback.csv").read_text().splitlines()
    began, ended = lines[-2:]  # before, it waited for a switch
    assert [line.split(",")[6] for line in (began, ended)] == ["", "ANSWER"]


async def test_a_dialplan_of_ones_own_may_take_the_ringing_alone(
    in_force: Exchange, agi: AgiProcess, calling, nothing_left
) -> None:
    ani = "+12125550174"
    async with phones({"agent": answers()}) as agents:
        in_force.put_in_force(marketplace(uris(agents), accept="answer"))
        await agi.start()
        async with calling(did="piece", ani=ani, plan=TALK) as who:
            await agents["agent"].wait_for("established")
            await who.hang_up()
        record = await recorded(in_force, ani)
    assert (record.disposition, record.winner) == ("connected", "agent")
    await nothing_left()
