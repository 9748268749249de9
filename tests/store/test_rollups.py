"""Rollups count every call once, whatever way it came in, and find what the calls themselves say."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, delete, event, select

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.document.reading import parse
from ari_app.domain.reports import rollups as domain
from ari_app.domain.reports.forensics import Ending
from ari_app.domain.reports.rollups import HOUR_MS, Counts
from ari_app.store.calls import calls
from ari_app.store.calls.rebuild import days, rebuild_day
from ari_app.store.db.engine import reading, writing
from ari_app.store.market import marketplaces
from ari_app.store.reports import rollups
from tests.samples import BEGAN, make_call, settlement
from tests.unit.cli.conftest import MARKETPLACE
from tests.varied import varied_calls

SINCE = BEGAN - BEGAN % HOUR_MS
UNTIL = SINCE + 100 * HOUR_MS


def save(engine: Engine, records: list[CallRecord]) -> None:
    calls.save(engine, [settlement(record) for record in records])


def rebuild(engine: Engine) -> int:
    return sum(rebuild_day(engine, day_at) for day_at in days(engine))


def counters(engine: Engine) -> dict[str, list[Any]]:
    """All that the rollups hold."""
    with reading(engine) as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in rollups.TABLES
        }


@pytest.fixture
def priced(engine: Engine) -> Engine:
    """A database where the campaign `plumbing` has terms, version 1, that ask for 90 s."""
    marketplaces.apply(engine, parse(MARKETPLACE, "test.yaml"), now=1)
    return engine


def test_a_call_is_counted_with_its_times_and_its_money(engine: Engine) -> None:
    save(engine, [make_call()])
    [group] = rollups.calls_by(engine, "campaign", SINCE, UNTIL, {})
    assert (group.key, group.currency) == ("plumbing", "USD")
    assert +group.counts == Counter(
        incoming=1, answered=1, offered=1, connected=1, qualified=1,
        wait_ms=8_000, talk_ms=95_000, line_ms=114_990, revenue=4200, payout=3000,
    )  # fmt: skip


def test_a_call_that_is_saved_again_is_counted_once(engine: Engine) -> None:
    save(engine, [make_call(1)])
    once = counters(engine)
    save(engine, [make_call(1), make_call(1)])
    assert counters(engine) == once


def test_calls_of_one_hour_and_party_share_a_row(engine: Engine) -> None:
    save(engine, [make_call(1)])
    save(engine, [make_call(2), make_call(3)])
    with reading(engine) as connection:
        [row] = connection.execute(select(rollups.rollup_calls)).all()
    assert (row.incoming, row.revenue) == (3, 12_600)


def test_rebuilding_gives_what_counting_each_call_gave(priced: Engine) -> None:
    records = varied_calls(120)
    for start in range(0, len(records), 7):
        save(priced, records[start : start + 7])
    incremental = counters(priced)
    assert all(incremental.values())
    assert rebuild(priced) == 120
    assert counters(priced) == incremental


def test_rebuilding_mends_counters_of_calls_that_are_not_there(engine: Engine) -> None:
    save(engine, [make_call(1)])
    right = counters(engine)
    with writing(engine) as connection:
        rollups.add(connection, [make_call(1), make_call(2, started_at=BEGAN + 40 * HOUR_MS)])
    rebuild(engine)
    assert counters(engine) == right


def test_calls_of_which_only_the_money_is_counted_are_missing_still(engine: Engine) -> None:
    """As after an upgrade of a database from before there were rollups: the migration counts money alone."""
    call = settlement(make_call(1))
    calls.save(engine, [call])
    with writing(engine) as connection:
        for table in rollups.TABLES:
            connection.execute(delete(table))
        rollups.move(connection, list(call.transfers))
    assert rollups.first_uncounted(engine) == call.record.started_at
    rebuild(engine)
    assert rollups.first_uncounted(engine) is None


def test_rebuilding_nothing_counts_nothing(engine: Engine) -> None:
    assert rebuild(engine) == 0


def test_a_call_that_is_saved_in_the_middle_of_a_rebuild_is_counted_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(engine, [make_call(1)])
    saving = threading.Thread(target=save, args=(engine, [make_call(2, campaign="roofing")]))
    pages_between = calls.pages_between

    def while_another_saves(connection: Connection, since: int, until: int) -> Iterator[list[CallRecord]]:
        saving.start()
        saving.join(10)
        assert not saving.is_alive()  # it does not wait for the rebuild
        return pages_between(connection, since, until)

    monkeypatch.setattr(calls, "pages_between", while_another_saves)
    rebuild(engine)
    saving.join()
    groups = rollups.calls_by(engine, "campaign", SINCE, UNTIL, {})
    assert {group.key: group.counts["incoming"] for group in groups} == {"plumbing": 1, "roofing": 1}


def test_a_batch_of_fifty_calls_takes_few_statements_more(priced: Engine) -> None:
    statements = []
    event.listen(priced, "before_cursor_execute", lambda *args: statements.append(args[2]))
    save(priced, varied_calls(50))
    assert len([text for text in statements if "rollup_" in text]) <= 5


@pytest.mark.parametrize(
    "only",
    [{}, {"campaign": "roofing"}, {"source": ""}, {"state": "NY"}, {"state": "", "campaign": "plumbing"}],
)
def test_a_count_of_calls_is_the_number_of_calls_that_are_counted_so(
    engine: Engine, only: dict[str, str]
) -> None:
    save(engine, varied_calls(150))
    groups = rollups.calls_by(engine, "publisher", SINCE, UNTIL, only)
    assert groups
    for group in groups:
        wanted = {**only, "publisher": group.key, "since": SINCE, "until": UNTIL}
        listed = {
            name: calls.latest(engine, 1000, counted_as=name, **wanted) for name in domain.CALLS_COUNTED_AS
        }
        assert {
            name: sum(_currency(call) == group.currency for call in found) for name, found in listed.items()
        } == {name: group.counts[name] for name in domain.CALLS_COUNTED_AS}


def _currency(record: CallRecord) -> str:
    return record.money.currency if record.money else ""


def test_a_count_of_offers_is_the_number_of_calls_that_were_offered_so(engine: Engine) -> None:
    save(engine, varied_calls(150))
    groups = rollups.offers_by_destination(engine, SINCE, UNTIL, {"campaign": "plumbing"})
    assert len(groups) == 3
    for group in groups:
        for name in domain.OFFERS_COUNTED_AS:
            wanted = {"campaign": "plumbing", "destination": group.key, "counted_as": name}
            assert (name, len(calls.latest(engine, 1000, **wanted))) == (name, group.counts[name])


@pytest.mark.parametrize(("party", "name"), [("destination", "agent-1"), ("publisher", "homefix")])
def test_connections_are_counted_by_the_second_around_the_payable_one(
    priced: Engine, party: str, name: str
) -> None:
    lasted = {1: 89_999, 2: 90_000, 3: 90_999, 4: 10_000, 5: 600_000}
    for n, connected_ms in lasted.items():
        record = make_call(n)
        record.durations_ms.connected = connected_ms
        save(priced, [record])
    assert sorted(rollups.endings(priced, party, SINCE, UNTIL, {})) == [
        Ending(name, 90_000, -16, 1),
        Ending(name, 90_000, -1, 1),
        Ending(name, 90_000, 0, 2),
        Ending(name, 90_000, 15, 1),
    ]


def test_terms_without_a_duration_have_no_payable_second(engine: Engine) -> None:
    free = MARKETPLACE.replace("qualify:\n      - {connected_at_least: 90s}\n", "qualify: []\n")
    marketplaces.apply(engine, parse(free, "test.yaml"), now=1)
    save(engine, [make_call()])
    assert rollups.endings(engine, "destination", SINCE, UNTIL, {}) == []


def test_a_report_reads_the_smallest_table_it_can_do_with_and_all_of_them_agree(engine: Engine) -> None:
    save(engine, varied_calls(100))

    def total(column: str, **only: str) -> Counts:
        return sum((group.counts for group in rollups.calls_by(engine, column, SINCE, UNTIL, only)), Counts())

    assert total("campaign")["incoming"] == 100
    assert total("campaign") == total("state") == total("source")
    by_source = sum((total("state", source=source) for source in ("", "sidebar", "radio")), Counts())
    assert by_source == total("state")


def test_the_hours_asked_for_begin_with_the_first_and_end_before_the_last(engine: Engine) -> None:
    save(engine, [make_call(1, started_at=SINCE + hour * HOUR_MS, id=str(hour)) for hour in range(3)])
    groups = rollups.calls_by(engine, "hour_at", SINCE, SINCE + 2 * HOUR_MS, {})
    assert sorted(group.key for group in groups) == [SINCE, SINCE + HOUR_MS]
