"""Outcomes on their way from a file into the records and the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

import agi.outcomes
from agi.outcomes import BATCH, Outcomes
from agi.unfinished import GONE_LOOKS
from ari_app.domain.calls.dialplan_call import CUT_OFF, id_of_begun
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.document.reading import parse
from ari_app.domain.ledger.verification import verify
from ari_app.domain.routing.recovery import UnderWay
from ari_app.domain.routing.snapshot import Pin
from ari_app.store.calls import calls
from ari_app.store.calls.calls import Settlement
from ari_app.store.calls.journal import Journal, has_calls
from ari_app.store.calls.spool import Spool
from ari_app.store.db.errors import DatabaseUnavailable
from ari_app.store.ledger import ledger
from ari_app.store.market import marketplaces
from tests.kit.database import migrated
from tests.samples import make_call, settlement
from tests.unit.agi.test_services import ON_ANSWER
from tests.unit.cli.conftest import GEOGRAPHY

BEGAN = 1_763_992_800_000  # 2025-11-24T14:00:00Z, a Monday morning in New York


def line(n: int = 0, status: str = "ANSWER", talked_ms: int = 95_000, did: str = "+18005550101") -> list[str]:
    """The fields of the n-th call, all from one caller."""
    began = BEGAN + n * 1_000_000
    peer = "agents/sip:agent-1@127.0.0.1:5071" if status == "ANSWER" else ""
    fields = [
        began,
        f"{began}.{n}",
        did,
        "+12125550142",
        "",
        "agent-1&agent-2" if status else "",
        status,
        peer,
    ]
    return [*map(str, fields), str(talked_ms), str(began + 100_000)]


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = migrated(tmp_path / "callrace.db")
    marketplaces.apply(engine, parse(ON_ANSWER, "test.yaml"), BEGAN - 1)
    return engine


@pytest.fixture
def outcomes(engine: Engine, tmp_path: Path) -> Outcomes:
    return looking(engine, tmp_path)


async def no_channels() -> set[str]:
    return set()


def looking(engine: Engine, folder: Path, *there: str) -> Outcomes:
    """Reads the folder's file, beside an Asterisk in which these channels are."""

    async def channels() -> set[str]:
        return set(there)

    return Outcomes(engine, GEOGRAPHY, [folder / "fallback.csv"], channels)


def saved(outcomes: Outcomes, engine: Engine) -> list[CallRecord]:
    """The records after two looks: one puts the file aside, the next reads it."""
    for _ in range(2):
        for file in outcomes._files:
            outcomes._save_aside(file)
    return list(calls.every(engine))


def test_a_call_that_was_rung_natively_is_recorded_judged_charged_and_paid(
    outcomes: Outcomes, engine: Engine
) -> None:
    outcomes.tell(line())
    (record,) = saved(outcomes, engine)
    assert (record.campaign, record.publisher, record.source) == ("plumbing", "homefix", "sidebar")
    assert (record.disposition, record.winner) == ("connected", "agent-1")
    assert record.qualification is not None and record.qualification.qualified
    assert record.money is not None and (record.money.charged, record.money.paid) == (4200, 3000)
    assert verify(list(ledger.all_transfers(engine)), calls.every(engine), BEGAN) == []


INVITE = "request=8005550101&channel=PJSIP%2Fcarrier-1&From=(((%3Csip%3A212-555-0142%40h%3E&Diversion=(((x"


def test_a_line_with_an_invite_is_the_call_of_the_numbers_in_it(outcomes: Outcomes, engine: Engine) -> None:
    fields = line()
    fields[2] = fields[3] = ""
    outcomes.tell([*fields, *[""] * (11 - len(fields)), INVITE])
    (record,) = saved(outcomes, engine)
    assert (record.did, record.ani, record.diversion) == ("+18005550101", "+12125550142", ["x"])
    assert (record.campaign, record.disposition) == ("plumbing", "connected")
    assert record.money is not None and record.money.charged == 4200


def test_of_a_call_that_ended_with_asterisk_the_invite_is_read_too(
    outcomes: Outcomes, engine: Engine
) -> None:
    fields = line()
    outcomes._files[0].write_text(",".join([*fields[:2], *[""] * 9, INVITE]) + "\n")
    asyncio.run(looked(outcomes, 8))
    (record,) = calls.every(engine)
    assert (record.did, record.ani, record.disposition) == ("+18005550101", "+12125550142", "failed")


def begun(file: Path, n: int = 0) -> str:
    """The dialplan tells that the n-th call has begun; its unique id."""
    fields = line(n)
    with file.open("a") as lines:
        lines.write(",".join([*fields[:4], "", "", "", "", "", "", ""]) + "\n")
    return fields[1]


async def looked(outcomes: Outcomes, times: int) -> None:
    for _ in range(times):
        outcomes._save_aside(outcomes._files[0])
        await outcomes._close_cut_off()


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


def test_a_call_that_is_told_twice_counts_once(outcomes: Outcomes, engine: Engine) -> None:
    outcomes.tell(line())
    outcomes.tell(line())
    assert len(saved(outcomes, engine)) == 1
    outcomes.tell(line())
    assert len(saved(outcomes, engine)) == 1


async def test_of_a_call_that_a_switch_came_back_for_the_switch_makes_the_record(
    outcomes: Outcomes, engine: Engine, tmp_path: Path
) -> None:
    begun(tmp_path / "fallback.csv")
    outcomes.tell(line(status="PASSED", talked_ms=0))
    await looked(outcomes, GONE_LOOKS + 2)
    assert list(calls.every(engine)) == []
    assert not (tmp_path / "fallback.open").exists()


def test_a_caller_who_left_before_a_switch_was_back_has_abandoned_the_call(
    outcomes: Outcomes, engine: Engine
) -> None:
    outcomes.tell(line(status="LEFT", talked_ms=0))
    (record,) = saved(outcomes, engine)
    assert (record.disposition, record.end_source, record.publisher) == ("abandoned_ivr", "caller", "homefix")
    assert record.legs == []
    assert list(ledger.all_transfers(engine)) == []


def test_the_marketplace_is_that_of_the_call_and_not_that_of_now(outcomes: Outcomes, engine: Engine) -> None:
    outcomes.tell(line())
    dearer = ON_ANSWER.replace('price: "42.00"', 'price: "99.00"')
    assert dearer != ON_ANSWER
    marketplaces.apply(engine, parse(dearer, "test.yaml"), BEGAN + 50_000)
    (record,) = saved(outcomes, engine)
    assert record.money is not None and record.money.price == 4200
    assert record.terms_version == 1


def test_a_number_of_nobodys_and_an_apology_are_recorded_too(outcomes: Outcomes, engine: Engine) -> None:
    outcomes.tell(line(0, status="", talked_ms=0, did="+18005559999"))
    outcomes.tell(line(1, status="", talked_ms=0))
    assert [record.disposition for record in saved(outcomes, engine)] == ["unknown_number", "failed"]


def test_a_line_that_makes_no_sense_is_kept_and_holds_up_no_other(
    outcomes: Outcomes, engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "fallback.csv").write_text("half a li\n" + ",".join(line()) + "\n")
    assert len(saved(outcomes, engine)) == 1
    assert (tmp_path / "fallback.refused").read_text() == "half a li\n"


def test_what_makes_no_sense_is_not_taken(outcomes: Outcomes, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected 12 fields"):
        outcomes.tell(["1", "2"])
    assert not (tmp_path / "fallback.csv").exists()


def test_a_line_that_comes_while_the_file_is_put_aside_is_read_at_the_next_look(
    outcomes: Outcomes, engine: Engine
) -> None:
    outcomes.tell(line(0))
    outcomes._save_aside(outcomes._files[0])
    outcomes.tell(line(1))
    assert len(saved(outcomes, engine)) == 2
    assert len(saved(outcomes, engine)) == 2


def routed(outcomes: Outcomes, campaign: str = "plumbing", version: int = 1) -> str:
    """The dialplan has asked whom to ring; the call's id."""
    fields = line()
    call_id = id_of_begun(fields[0], fields[1])
    outcomes.pin(call_id, Pin(version, campaign, "homefix", "sidebar", 1))
    return call_id


ROOFING = ON_ANSWER.replace("plumbing", "roofing").replace('"42.00"', '"9.00"').replace("42.00", "9.00")


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_call_is_charged_by_the_campaign_whose_phones_were_rung_whatever_was_applied_since(
    outcomes: Outcomes, engine: Engine, tmp_path: Path, is_restarted: bool
) -> None:
    """As of its beginning, too: what is applied in the moment that it comes may not be in the server's memory yet."""
    routed(outcomes)
    marketplaces.apply(engine, parse(ROOFING, "test.yaml"), BEGAN - 1)
    after = looking(engine, tmp_path) if is_restarted else outcomes
    after.tell(line())
    (record,) = saved(after, engine)
    assert (record.campaign, record.terms_version, record.winner) == ("plumbing", 1, "agent-1")
    assert record.money is not None and record.money.charged == 4200


def test_a_call_that_nobody_asked_about_is_whose_its_number_was_when_it_began(
    outcomes: Outcomes, engine: Engine
) -> None:
    marketplaces.apply(engine, parse(ROOFING, "test.yaml"), BEGAN + 50)
    outcomes.tell(line())
    (record,) = saved(outcomes, engine)
    assert record.campaign == "plumbing"


def test_one_line_that_cannot_be_settled_is_put_aside_and_the_others_go_on(
    outcomes: Outcomes, engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    call_id = routed(outcomes, version=99)
    outcomes.tell(line(0))
    outcomes.tell(line(1))
    (record,) = saved(outcomes, engine)
    assert record.started_at == BEGAN + 1_000_000
    assert (tmp_path / "fallback.refused").read_text() == ",".join(line(0)) + "\n"
    assert "there is no marketplace 99" in caplog.text
    outcomes.pin(call_id, Pin(1, "plumbing", "homefix", "sidebar", 1))  # put right, it is told again
    outcomes.tell(line(0))
    assert len(saved(outcomes, engine)) == 2


def test_a_defect_over_one_line_is_logged_with_its_traceback_and_holds_up_no_other(
    outcomes: Outcomes, engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    judge = agi.outcomes.conclude

    def broken(record: CallRecord, *given: Any) -> Any:
        if record.started_at == BEGAN:
            raise KeyError("a defect")
        return judge(record, *given)

    monkeypatch.setattr(agi.outcomes, "conclude", broken)
    outcomes.tell(line(0))
    outcomes.tell(line(1))
    assert [record.started_at for record in saved(outcomes, engine)] == [BEGAN + 1_000_000]
    assert any(entry.exc_info for entry in caplog.records)


def by_others(n: int) -> list[str]:
    """The fields of the n-th call, each of somebody else."""
    fields = line(n)
    return [*fields[:3], f"+1212555{n:04d}", *fields[4:]]


def written(file: Path, lines: Iterable[Sequence[str]]) -> None:
    """What the dialplan has told."""
    file.write_text("".join(",".join(fields) + "\n" for fields in lines))


@pytest.fixture
def transactions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many calls each transaction saved."""
    counts: list[int] = []
    save = calls.save

    def counted(engine: Engine, batch: Sequence[Settlement], **how: Any) -> None:
        save(engine, batch, **how)
        counts.append(len(batch))

    monkeypatch.setattr(calls, "save", counted)
    return counts


def test_the_lines_of_an_outage_are_saved_many_in_one_transaction(
    outcomes: Outcomes, engine: Engine, tmp_path: Path, transactions: list[int]
) -> None:
    written(tmp_path / "fallback.csv", map(by_others, range(2 * BATCH + 1)))
    assert len(saved(outcomes, engine)) == 2 * BATCH + 1
    assert transactions == [BATCH, BATCH, 1]
    assert verify(list(ledger.all_transfers(engine)), calls.every(engine), BEGAN) == []


def test_whose_the_calls_of_an_outage_were_is_asked_once_for_those_that_lie_together(
    outcomes: Outcomes, engine: Engine, tmp_path: Path
) -> None:
    asked: list[str] = []

    def read(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "FROM number_assignments" in statement or "FROM marketplace_versions" in statement:
            asked.append(statement)

    event.listen(engine, "before_cursor_execute", read)
    written(tmp_path / "fallback.csv", map(by_others, range(2 * BATCH)))
    assert len(saved(outcomes, engine)) == 2 * BATCH
    assert 0 < len(asked) < 10


def test_calls_of_one_outage_are_each_judged_by_what_was_in_force_when_they_began(
    outcomes: Outcomes, engine: Engine, tmp_path: Path
) -> None:
    for n, price in enumerate(("50.00", "60.00"), start=1):
        dearer = ON_ANSWER.replace('price: "42.00"', f'price: "{price}"')
        marketplaces.apply(engine, parse(dearer, "test.yaml"), BEGAN + n * 1_000_000)
    marketplaces.apply(engine, parse(ROOFING, "test.yaml"), BEGAN + 3_000_000)
    written(tmp_path / "fallback.csv", [by_others(n) for n in (3, 0, 2, 1)])
    found = [(record.campaign, record.money and record.money.charged) for record in saved(outcomes, engine)]
    assert found == [("plumbing", 4200), ("plumbing", 5000), ("plumbing", 6000), ("roofing", 900)]


def test_who_calls_twice_in_an_outage_is_a_repeat_caller_all_the_same(
    outcomes: Outcomes, engine: Engine, tmp_path: Path
) -> None:
    clause = "      - {connected_at_least: 90s}\n"
    once = ON_ANSWER.replace(clause, clause + "      - {no_repeat_within: 1d}\n", 1)
    marketplaces.apply(engine, parse(once, "test.yaml"), BEGAN - 1)
    written(tmp_path / "fallback.csv", map(line, range(3)))
    charged = [record.money.charged for record in saved(outcomes, engine) if record.money is not None]
    assert charged == [4200, 0, 0]


def test_of_many_lines_the_one_that_cannot_be_saved_is_put_aside_alone(
    outcomes: Outcomes, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = calls.save

    def broken(engine: Engine, batch: Sequence[Settlement], **how: Any) -> None:
        if any(settlement.record.started_at == BEGAN + 5_000_000 for settlement in batch):
            raise KeyError("a defect")
        save(engine, batch, **how)

    monkeypatch.setattr(calls, "save", broken)
    written(tmp_path / "fallback.csv", map(by_others, range(20)))
    assert len(saved(outcomes, engine)) == 19
    assert (tmp_path / "fallback.refused").read_text() == ",".join(by_others(5)) + "\n"


class Killed(BaseException):
    """As by kill -9: nothing of ours sees to anything any more."""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_between_two_batches_the_next_server_saves_the_rest_and_nothing_twice(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    written(tmp_path / "fallback.csv", [["nonsense"], *map(by_others, range(3 * BATCH))])
    save, so_far = calls.save, 0

    def dying(engine: Engine, batch: Sequence[Settlement], **how: Any) -> None:
        nonlocal so_far
        so_far += 1
        if so_far == 2 and moment == "before":
            raise Killed
        save(engine, batch, **how)
        if so_far == 2:
            raise Killed

    with monkeypatch.context() as killed:
        killed.setattr(calls, "save", dying)
        with pytest.raises(Killed):
            saved(looking(engine, tmp_path), engine)
    judge, judged = agi.outcomes.conclude, 0

    def counted(*given: Any) -> Any:
        nonlocal judged
        judged += 1
        return judge(*given)

    monkeypatch.setattr(agi.outcomes, "conclude", counted)
    assert len(saved(looking(engine, tmp_path), engine)) == 3 * BATCH
    assert judged == (2 if moment == "before" else 1) * BATCH  # what is saved is not judged again
    charged = [record.money.charged for record in calls.every(engine) if record.money is not None]
    assert charged == 3 * BATCH * [4200]
    assert verify(list(ledger.all_transfers(engine)), calls.every(engine), BEGAN) == []
    assert (tmp_path / "fallback.refused").read_text() == "nonsense\n"


def test_killed_after_a_line_was_put_aside_it_is_there_once(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "fallback.csv", [["nonsense"], line()])

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr("agi.unfinished.Begun.keep", killed)
        with pytest.raises(Killed):
            saved(looking(engine, tmp_path), engine)
    assert len(saved(looking(engine, tmp_path), engine)) == 1
    assert (tmp_path / "fallback.refused").read_text() == "nonsense\n"


def test_a_refused_line_is_kept_once_however_often_the_database_is_away_meanwhile(
    outcomes: Outcomes, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fallback.csv").write_text("nonsense\n" + ",".join(line()) + "\n")
    outcomes._save_aside(tmp_path / "fallback.csv")
    save = calls.save

    def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(calls, "save", away)
    for _ in range(3):
        with pytest.raises(DatabaseUnavailable):
            outcomes._save_aside(tmp_path / "fallback.csv")
    monkeypatch.setattr(calls, "save", save)
    assert len(saved(outcomes, engine)) == 1
    assert (tmp_path / "fallback.refused").read_text() == "nonsense\n"


def test_a_line_of_calls_under_way_that_is_none_keeps_nobody_from_starting(
    engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "fallback.open").write_bytes(
        b"nonsense\n\xff\n" + ",".join(line()[:4]).encode() + b",,,,,,,\n"
    )
    assert len(looking(engine, tmp_path)._begun) == 1


async def test_no_error_ends_the_reading(outcomes: Outcomes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agi.outcomes.LOOK_EVERY_S", 0.001)
    looks = asyncio.Semaphore(0)
    loop = asyncio.get_running_loop()

    def broken(file: Path) -> None:
        loop.call_soon_threadsafe(looks.release)
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(outcomes, "_save_aside", broken)
    reading = asyncio.create_task(outcomes.keep_reading())
    async with asyncio.timeout(5):
        for _ in range(3):
            await looks.acquire()
    assert not reading.done()
    reading.cancel()


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


def test_a_call_of_the_dialplan_is_placed_by_the_marketplaces_own_area_codes(
    engine: Engine, outcomes: Outcomes
) -> None:
    own = parse(ON_ANSWER + 'geography: {area_codes: {"621": TX}}\n', "test.yaml")
    marketplaces.apply(engine, own, BEGAN)
    fields = line()
    outcomes.tell([*fields[:3], "+16215550142", *fields[4:]])
    (record,) = saved(outcomes, engine)
    assert (record.place.state, record.place.from_) == ("TX", "ani")
