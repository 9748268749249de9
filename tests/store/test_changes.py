"""Who reads calls in the order of their changes sees each change, and none twice, whatever is saved meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from ari_app.domain.calls.selection import Selection
from ari_app.domain.terms.conversions import Told
from ari_app.store.calls import calls, changes, privacy
from ari_app.store.calls.spool import Spool
from ari_app.store.db.engine import open_engine, writing
from ari_app.store.money import conversions, corrections, disputes
from tests.samples import BEGAN, make_call, settlement, waiting

ALL = Selection()
FAR = 10**13


def ids(page: changes.Page) -> list[str]:
    return [record.id for record in page.records]


def read_on(engine: Engine, place: int, limit: int = 2) -> tuple[list[str], int]:
    """All that changed after a place, page by page; and the last place."""
    found: list[str] = []
    while True:
        page = changes.after(engine, place, limit, ALL)
        found += ids(page)
        place = page.last
        if page.is_last:
            return found, place


def test_calls_come_in_pages_in_the_order_in_which_they_were_saved(engine: Engine) -> None:
    for n in (3, 1, 2):
        calls.save(engine, [settlement(make_call(n))])
        assert ids(changes.after(engine, 0, 10, ALL))[-1] == make_call(n).id
    first = changes.after(engine, 0, 2, ALL)
    assert (ids(first), first.is_last) == ([make_call(3).id, make_call(1).id], False)
    second = changes.after(engine, first.last, 2, ALL)
    assert (ids(second), second.is_last) == ([make_call(2).id], True)
    last = changes.after(engine, second.last, 2, ALL)
    assert (ids(last), last.last, last.is_last) == ([], second.last, True)


def convert(engine: Engine, call_id: str) -> None:
    conversions.tell(engine, [Told(call_id, BEGAN + 200_000, None)], BEGAN + 300_000, "ada")


def dispute(engine: Engine, call_id: str) -> None:
    disputes.open_(engine, call_id, None, FAR, BEGAN + 300_000, "ada", "a robot")


def accept(engine: Engine, call_id: str) -> None:
    disputes.accept(engine, disputes.of_call(engine, call_id)[0].id, None, None, BEGAN + 400_000, "ada", "")


def reject(engine: Engine, call_id: str) -> None:
    disputes.reject(engine, disputes.of_call(engine, call_id)[0].id, BEGAN + 400_000, "ada", "it was none")


def adjust(engine: Engine, call_id: str) -> None:
    corrections.adjust(engine, call_id, "case-1", 100, 0, BEGAN + 300_000, "goodwill")


@pytest.mark.parametrize("steps", [[convert], [dispute, accept], [dispute, reject], [adjust]])
def test_what_changes_a_call_brings_it_again_behind_all_others(
    engine: Engine, steps: list[Callable[[Engine, str], None]]
) -> None:
    call = waiting(1) if convert in steps else make_call(1)
    calls.save(engine, [settlement(call)])
    calls.save(engine, [settlement(make_call(2))])
    found, place = read_on(engine, 0)
    assert found == [call.id, make_call(2).id]
    for step in steps:
        step(engine, call.id)
        found, place = read_on(engine, place)
        assert found == [call.id]
    assert sorted(read_on(engine, 0)[0]) == [call.id, make_call(2).id], "once each, from the beginning"


def test_erasing_a_caller_brings_the_call_again(engine: Engine, tmp_path: Path) -> None:
    call = make_call(1)
    calls.save(engine, [settlement(call)])
    _, place = read_on(engine, 0)
    privacy.erase_caller(engine, Spool(tmp_path / "spool"), tmp_path, call.ani or "", BEGAN + 10**6)
    assert read_on(engine, place)[0] == [call.id]


def test_a_change_that_is_not_committed_is_seen_once_it_is(server: str) -> None:
    """On PostgreSQL: SQLite has one writer at a time, and nobody looks in between."""
    engine, other = open_engine(server), open_engine(server)
    calls.save(engine, [settlement(make_call(n)) for n in (1, 2)])
    _, place = read_on(engine, 0)
    with writing(engine) as connection:
        changes.note(connection, [make_call(1).id])
        with writing(other) as beside:
            changes.note(beside, [make_call(2).id])
        found, place = read_on(other, place)
        assert found == [make_call(2).id]
    assert read_on(other, place)[0] == [make_call(1).id]
    engine.dispose()
    other.dispose()


def test_a_call_of_an_older_program_has_its_place(engine: Engine) -> None:
    calls.save(engine, [settlement(make_call(1))])
    _, place = read_on(engine, 0)
    columns = "did, started_at, place_from, total_ms, ivr_ms, wait_ms, connected_ms"
    with writing(engine) as connection:
        connection.execute(
            text(
                f"INSERT INTO calls (id, answers_json, excluded_json, events_json, {columns})"
                " VALUES ('abc', '{}', '[]', '[]', '+18005550101', 1, 'did', 0, 0, 0, 0)"
            )
        )
    assert read_on(engine, place)[0] == ["abc"]


def test_a_page_looks_through_a_bounded_span(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "SPAN", 2)
    calls.save(engine, [settlement(make_call(n)) for n in range(1, 6)])
    wanted = Selection(campaign="roofing")
    page = changes.after(engine, 0, 10, wanted)
    assert (ids(page), page.last, page.is_last) == ([], 2, False)
    page = changes.after(engine, 4, 10, wanted)
    assert (ids(page), page.last, page.is_last) == ([], 5, True)


def test_readers_and_writers_at_once_lose_nothing(engine: Engine) -> None:
    """Four writers save and change calls, two read along: each has seen every call's last change in the end."""
    url = engine.url.render_as_string(hide_password=False)
    writers_are_done = threading.Event()
    each = range(25)

    def write(writer: int) -> None:
        own = open_engine(url)
        for n in each:
            call = make_call(1 + writer * len(each) + n)
            calls.save(own, [settlement(call)])
            if n % 3 == 0:
                adjust_one(own, call.id)
        own.dispose()

    def adjust_one(own: Engine, call_id: str) -> None:
        corrections.adjust(own, call_id, f"case-{call_id}", 100, 0, BEGAN + 300_000, "goodwill")

    def read(_: int) -> dict[str, int]:
        own, place, seen = open_engine(url), 0, dict[str, int]()
        while True:
            is_over = writers_are_done.is_set()
            page = changes.after(own, place, 7, ALL)
            assert page.last >= place
            for record in page.records:
                seen[record.id] = seen.get(record.id, 0) + 1
            place = page.last
            if is_over and page.is_last:
                own.dispose()
                return seen

    with ThreadPoolExecutor(6) as pool:
        reading = [pool.submit(read, n) for n in range(2)]
        for done in [pool.submit(write, n) for n in range(4)]:
            done.result()
        writers_are_done.set()
        for reader in reading:
            seen = reader.result()
            assert set(seen) == {make_call(1 + n).id for n in range(4 * len(each))}
            assert max(seen.values()) <= 2, "saved, and adjusted once"
