"""Conversions, recordings, erasures and what is due daily: who did them is written down, and never whom they name."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from ari_app.access.actor import CALLRACE, Actor
from ari_app.desk import conversions, daily, database, doctor, live, privacy, qualify, recordings, spool
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.desk.spool import Retried
from ari_app.domain.basics.errors import DocumentError
from ari_app.domain.calls.record import Tracks
from ari_app.serving.running import SwitchNotRunning
from ari_app.settings import Settings
from ari_app.store.calls import calls
from ari_app.store.calls.spool import Spool
from ari_app.store.db import auditlog
from tests.samples import BEGAN, make_call, settlement
from tests.unit.cli.conftest import GEOGRAPHY, MARKETPLACE

CALL = make_call(1)
ENDED = CALL.ended_at or 0
PARTNER = Actor("program", "crm")


def noted(site: Site) -> list[tuple[str, str, str]]:
    """Who did what to what, the newest first."""
    return [(one.actor, one.use_case, one.subject) for one in auditlog.newest(site.engine, 9)]


def refusal(caught: pytest.ExceptionInfo[Refused]) -> tuple[Code, object]:
    return caught.value.code, caught.value.facts.get("field")


def test_a_conversion_is_noted_once_with_who_told_it(site: Site) -> None:
    assert conversions.post(site, PARTNER, CALL.id, ref="order-4711").became == "noted"
    assert conversions.post(site, PARTNER, CALL.id, ref="order-4711").became == "known"
    assert noted(site) == [("program:crm", "conversions.tell", CALL.id)]
    assert "order-4711" not in repr(auditlog.newest(site.engine, 9))  # it may name the caller
    [found] = conversions.latest(site, 20)
    assert (found.record.conversion and found.record.conversion.ref) == "order-4711"
    assert conversions.latest(site, 20, is_pending=True) == []


def test_conversions_of_a_text_are_taken_whole_or_not(site: Site) -> None:
    with pytest.raises(DocumentError):
        conversions.import_(site, PARTNER, f"call,at,ref\n{CALL.id},noon,\n", "sales.csv")
    [outcome] = conversions.import_(site, PARTNER, f"call,at,ref\n{CALL.id},2025-11-23T12:15,\n", "sales.csv")
    assert outcome.became == "noted"


def test_a_conversion_is_of_a_call_that_there_is_and_of_no_later_time(site: Site) -> None:
    with pytest.raises(Refused) as caught:
        conversions.post(site, PARTNER, "ffff")
    assert caught.value.code == Code.CALLS_NOT_THERE
    with pytest.raises(Refused) as caught:
        conversions.post(site, PARTNER, CALL.id, at=site.now() + 10**6)
    assert caught.value.code == Code.CANNOT_CONVERT


def test_a_sales_name_is_text_that_people_can_read(site: Site) -> None:
    with pytest.raises(Refused) as caught:
        conversions.post(site, PARTNER, CALL.id, ref="two\nlines")
    assert refusal(caught) == (Code.INVALID, "ref")


@pytest.fixture
def recorded(site: Site) -> str:
    """A call with a recording whose files are there."""
    record = make_call(2)
    record.recording = Tracks(record.started_at, record.started_at + 1000)
    calls.save(site.engine, [settlement(record)])
    site.settings.recordings.mkdir()
    for listed in recordings.latest(site, 1):
        for file in listed.files:
            file.write_bytes(b"\0" * 1000)
    return record.id


def test_a_recording_is_listed_and_deleted_once(site: Site, ada: Actor, recorded: str) -> None:
    assert [one.state for one in recordings.latest(site, 20)] == ["kept"]
    assert recordings.delete(site, ada, recorded[:-4], "asked for") == recorded
    [listed] = recordings.latest(site, 20)
    assert (listed.state, [file.exists() for file in listed.files]) == ("deleted", [False, False])
    assert noted(site) == [("ada", "recordings.delete", recorded)]
    with pytest.raises(Refused) as caught:
        recordings.delete(site, ada, recorded, "asked for")
    assert caught.value.code == Code.NO_RECORDING


def test_a_recording_that_nobody_has_is_missing(site: Site, recorded: str) -> None:
    for file in recordings.latest(site, 1)[0].files:
        file.unlink()
    assert [one.state for one in recordings.latest(site, 20)] == ["missing"]


def test_an_erasure_says_who_did_it_and_not_to_whom(site: Site, ada: Actor) -> None:
    assert CALL.ani is not None
    erased = privacy.erase(site, ada, CALL.ani)
    assert (erased.calls, erased.left, erased.under_way) == (1, [], [])
    assert noted(site) == [("ada", "privacy.erase", CALL.id)]
    assert CALL.ani not in repr(auditlog.newest(site.engine, 9))
    assert privacy.erase(site, ada, CALL.ani).calls == 0
    assert len(noted(site)) == 1


def test_an_erasure_is_of_a_phone_number(site: Site, ada: Actor) -> None:
    with pytest.raises(Refused) as caught:
        privacy.erase(site, ada, "5550101")
    assert refusal(caught) == (Code.INVALID, "number")


def test_old_calls_lose_their_callers(site: Site) -> None:
    assert privacy.expire(site, CALLRACE, age_ms=10**9).calls == 0
    assert privacy.expire(site, CALLRACE, age_ms=0).calls == 1
    assert noted(site) == [("program:callrace", "privacy.expire", CALL.id)]


def test_what_is_due_daily_says_to_how_many_it_was_done_by_whom(site: Site, recorded: str) -> None:
    done = daily.do(replace(site, now=lambda: ENDED + 10**6), CALLRACE)
    assert done.counts == {
        "conversions expire": 0,
        "outbox forget": 0,
        "recordings expire": 1,
        "requests forget": 0,
    }
    assert done.failed == {}
    assert noted(site) == [("program:callrace", "recordings.expire", recorded)]


def test_a_spool_is_saved_once(site: Site) -> None:
    waiting = Spool(site.settings.spool)
    waiting.put([settlement(make_call(3))])
    assert [one.call_id for one in spool.kept(site.settings)] == [make_call(3).id]
    assert spool.retry(site, PARTNER) == Retried(saved=1, left=0)
    assert spool.retry(site, PARTNER) == Retried(saved=0, left=0)
    assert noted(site) == [("program:crm", "spool.retry", "")]


def test_the_tables_are_of_this_version(settings: Settings, empty: Engine) -> None:
    now = database.status(settings)
    assert now.is_migrated and now.where.endswith("callrace.db")
    assert database.upgrade(settings) == now


def test_a_database_without_tables_gets_them(settings: Settings) -> None:
    before = database.upgrade(settings)
    assert (before.revision, before.is_migrated) == (None, False)
    assert database.status(settings).is_migrated


def test_without_a_switch_nothing_is_live_and_the_day_has_its_sums(site: Site) -> None:
    with pytest.raises(SwitchNotRunning):
        live.view(site, None)
    [sums] = live.sums_since(site, BEGAN) or []
    assert (sums.calls, sums.charged, sums.paid) == (1, 4200, 3000)


def test_what_calls_need_is_looked_at_and_nothing_is_changed(settings: Settings) -> None:
    found = {finding.name: finding.ok for finding in doctor.examine(settings)}
    assert {"disk": True, "spool": True, "database": False, "switch": False}.items() <= found.items()
    assert not database.status(settings).is_migrated


@pytest.fixture
def little_geography(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ari_app.store.geography.load", lambda home: GEOGRAPHY)


@pytest.mark.usefixtures("little_geography")
def test_calls_are_judged_again_under_other_terms(site: Site) -> None:
    dearer = MARKETPLACE.replace('price: "42.00"', 'price: "50.00"')
    terms = qualify.other_terms(site.settings, dearer, "draft.yaml", site.now(), "plumbing")
    found = qualify.judge_again(site, terms, since=BEGAN)
    [call] = found.calls
    assert (call.was.charged, call.would_be.charged, found.currencies["plumbing"]) == (4200, 5000, "USD")


@pytest.mark.usefixtures("little_geography")
def test_money_of_two_currencies_is_not_compared(site: Site) -> None:
    yen = MARKETPLACE.replace("currency: USD", "currency: EUR")
    terms = qualify.other_terms(site.settings, yen, "draft.yaml", site.now())
    with pytest.raises(Refused) as caught:
        qualify.judge_again(site, terms, since=BEGAN)
    assert caught.value.code == Code.OTHER_CURRENCY
    with pytest.raises(Refused) as caught:
        qualify.other_terms(site.settings, yen, "draft.yaml", site.now(), "roofing")
    assert caught.value.code == Code.NOT_IN_TERMS
