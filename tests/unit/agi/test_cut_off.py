"""Calls that Asterisk ended with, or that a switch may have: the beginning is told, and no end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Engine

from agi.outcomes import Outcomes
from agi.unfinished import GONE_LOOKS
from ari_app.domain.calls.dialplan_call import CUT_OFF
from ari_app.domain.document.reading import parse
from ari_app.domain.routing.recovery import UnderWay
from ari_app.store.calls import calls
from ari_app.store.calls.journal import Journal, has_calls
from ari_app.store.calls.spool import Spool
from ari_app.store.db.errors import DatabaseUnavailable
from ari_app.store.ledger import ledger
from ari_app.store.market import marketplaces
from tests.samples import make_call, settlement
from tests.unit.agi.lines import BEGAN, INVITE, begun, line, looked, looking, no_channels, saved
from tests.unit.agi.test_services import ON_ANSWER
from tests.unit.cli.conftest import GEOGRAPHY


def test_of_a_call_that_ended_with_asterisk_the_invite_is_read_too(
    outcomes: Outcomes, engine: Engine
) -> None:
    fields = line()
    outcomes._files[0].write_text(",".join([*fields[:2], *[""] * 9, INVITE]) + "\n")
    asyncio.run(looked(outcomes, 8))
    (record,) = calls.every(engine)
    assert (record.did, record.ani, record.disposition) == ("+18005550101", "+12125550142", "failed")


async def test_a_call_that_asterisk_ended_with_is_closed_for_that_reason_and_moves_no_money(
    outcomes: Outcomes, engine: Engine, tmp_path: Path
) -> None:
    begun(tmp_path / "fallback.csv")
    await looked(outcomes, GONE_LOOKS)
    assert list(calls.every(engine)) == []  # it has been read for one look less
    await looked(outcomes, 1)
    (record,) = calls.every(engine)
    assert (record.disposition, record.end_source, record.campaign) == ("failed", "system", "plumbing")
    assert CUT_OFF in [event.detail for event in record.events]
    assert list(ledger.all_transfers(engine)) == []
    assert not (tmp_path / "fallback.open").exists()


async def test_a_call_that_is_in_asterisk_is_left_alone_and_counts_when_it_ends(
    engine: Engine, tmp_path: Path
) -> None:
    unique_id = begun(tmp_path / "fallback.csv")
    outcomes = looking(engine, tmp_path, unique_id)
    await looked(outcomes, GONE_LOOKS + 2)
    outcomes.tell(line())
    await looked(outcomes, 2)
    (record,) = calls.every(engine)
    assert record.disposition == "connected"
    assert not (tmp_path / "fallback.open").exists()


async def test_a_call_is_not_taken_for_cut_off_while_its_end_cannot_be_read(
    outcomes: Outcomes, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(tmp_path / "fallback.csv")
    await looked(outcomes, 2)
    outcomes.tell(line())
    monkeypatch.setattr("agi.outcomes.LOOK_EVERY_S", 0.0)
    tries = 0

    def away(*_: object, **__: object) -> None:
        nonlocal tries
        tries += 1
        raise DatabaseUnavailable("it is away")

    with monkeypatch.context() as while_away:
        while_away.setattr("agi.outcomes.calls.save", away)
        reading = asyncio.create_task(outcomes.keep_reading())
        while tries < GONE_LOOKS + 2:
            await asyncio.sleep(0)
    async with asyncio.timeout(5):
        while not (records := list(calls.every(engine))):
            await asyncio.sleep(0.01)  # a database tells nobody
    reading.cancel()
    assert [record.disposition for record in records] == ["connected"]


async def test_a_call_that_has_begun_is_remembered_over_a_restart(
    outcomes: Outcomes, engine: Engine, tmp_path: Path
) -> None:
    begun(tmp_path / "fallback.csv")
    await looked(outcomes, 2)
    await looked(looking(engine, tmp_path), GONE_LOOKS)
    assert [record.disposition for record in calls.every(engine)] == ["failed"]


def test_a_line_of_calls_under_way_that_is_none_keeps_nobody_from_starting(
    engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "fallback.open").write_bytes(
        b"nonsense\n\xff\n" + ",".join(line()[:4]).encode() + b",,,,,,,\n"
    )
    assert len(looking(engine, tmp_path)._begun) == 1


def test_the_dialplans_calls_wait_for_those_of_the_switch_that_ended_before_but_not_for_ever(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repeat caller is told by them; and where no switch runs, nobody empties the spool."""
    spool = Spool(tmp_path / "spool")
    outcomes = Outcomes(engine, GEOGRAPHY, [tmp_path / "fallback.csv"], no_channels, spool=spool.folder)
    before = settlement(make_call(1))
    spool.put([before])
    outcomes.tell(line())
    assert saved(outcomes, engine) == []
    spool.remove([before])
    assert len(saved(outcomes, engine)) == 1
    spool.refuse(before, "it does not fit")  # that waits for nobody
    outcomes.tell(line(1))
    assert len(saved(outcomes, engine)) == 2
    spool.put([before])
    outcomes.tell(line(2))
    assert len(saved(outcomes, engine)) == 2
    monkeypatch.setattr("agi.outcomes.WAIT_S", 0.0)
    assert len(saved(outcomes, engine)) == 3


async def test_a_call_whose_end_is_not_read_yet_as_the_spool_comes_first_is_not_taken_for_cut_off(
    engine: Engine, tmp_path: Path
) -> None:
    spool = Spool(tmp_path / "spool")
    outcomes = Outcomes(engine, GEOGRAPHY, [tmp_path / "fallback.csv"], no_channels, spool=spool.folder)
    begun(tmp_path / "fallback.csv")
    await looked(outcomes, 2)
    spool.put([settlement(make_call(1))])
    outcomes.tell(line())
    await looked(outcomes, GONE_LOOKS + 2)
    assert list(calls.every(engine)) == []
    spool.remove([settlement(make_call(1))])
    await looked(outcomes, 2)
    assert [record.disposition for record in calls.every(engine)] == ["connected"]


def test_who_calls_again_while_no_switch_has_taken_up_their_first_call_is_a_repeat_caller(
    engine: Engine, tmp_path: Path
) -> None:
    clause = "      - {connected_at_least: 90s}\n"
    once = ON_ANSWER.replace(clause, clause + "      - {no_repeat_within: 1d}\n", 1)
    marketplaces.apply(engine, parse(once, "test.yaml"), BEGAN)
    first = make_call(1, started_at=BEGAN + 1, connected_at=BEGAN + 2, ani=line()[3], campaign="plumbing")
    journal = Journal(tmp_path / "journal")
    journal.keep(UnderWay(first, {"caller": "caller-1"}, 1))
    journal.start()
    journal.close()
    outcomes = Outcomes(
        engine,
        GEOGRAPHY,
        [tmp_path / "fallback.csv"],
        no_channels,
        has_left_calls=lambda: has_calls(tmp_path / "journal"),
    )
    outcomes.tell(line(1))
    assert saved(outcomes, engine) == []
    calls.save(engine, [settlement(first)])  # as the next switch does
    taken_up = Journal(tmp_path / "journal")
    taken_up.forget([first.id])
    taken_up.start()
    taken_up.close()
    _, again = saved(outcomes, engine)
    assert again.money is not None and again.money.charged == 0
