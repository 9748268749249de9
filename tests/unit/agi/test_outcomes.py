"""Outcomes on their way from a file into the records and the ledger."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

import agi.outcomes
from agi.outcomes import Outcomes
from agi.unfinished import GONE_LOOKS
from ari_app.domain.calls.dialplan_call import id_of_begun
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.document.reading import parse
from ari_app.domain.ledger.verification import verify
from ari_app.domain.routing.snapshot import Pin
from ari_app.store.calls import calls
from ari_app.store.ledger import ledger
from ari_app.store.market import marketplaces
from tests.unit.agi.lines import BEGAN, INVITE, ROOFING, begun, line, looked, looking, saved
from tests.unit.agi.test_services import ON_ANSWER


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


def test_a_line_with_an_invite_is_the_call_of_the_numbers_in_it(outcomes: Outcomes, engine: Engine) -> None:
    fields = line()
    fields[2] = fields[3] = ""
    outcomes.tell([*fields, *[""] * (11 - len(fields)), INVITE])
    (record,) = saved(outcomes, engine)
    assert (record.did, record.ani, record.diversion) == ("+18005550101", "+12125550142", ["x"])
    assert (record.campaign, record.disposition) == ("plumbing", "connected")
    assert record.money is not None and record.money.charged == 4200


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


def test_a_call_of_the_dialplan_is_placed_by_the_marketplaces_own_area_codes(
    engine: Engine, outcomes: Outcomes
) -> None:
    own = parse(ON_ANSWER + 'geography: {area_codes: {"621": TX}}\n', "test.yaml")
    marketplaces.apply(engine, own, BEGAN)
    fields = line()
    outcomes.tell([*fields[:3], "+16215550142", *fields[4:]])
    (record,) = saved(outcomes, engine)
    assert (record.place.state, record.place.from_) == ("TX", "ani")
