"""The journal: calls under way are on the disk, and gone from it when they are settled."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from ari_app.domain.routing.recovery import UnderWay
from ari_app.store.calls import journal as journal_module
from ari_app.store.calls.journal import Journal
from tests.samples import make_call, settlement

PATIENCE_S = 10


def under_way(n: int = 1) -> UnderWay:
    return UnderWay(make_call(n, ended_at=None), {"caller": f"channel-{n}"}, marketplace_version=3)


@contextmanager
def running(folder: Path) -> Iterator[Journal]:
    journal = Journal(folder)
    journal.start()
    try:
        yield journal
    finally:
        journal.close()


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.005)  # a folder tells nobody that it has changed


def text(folder: Path) -> str:
    """What is written. The file may give way to the next one at any moment."""
    with suppress(FileNotFoundError):
        return "".join(path.read_text() for path in folder.glob("*.jsonl"))
    return ""


def test_what_was_kept_is_found_by_the_next_switch_in_the_order_in_which_it_began(tmp_path: Path) -> None:
    with running(tmp_path) as journal:
        for n in (2, 1):
            journal.keep(under_way(n))
    assert Journal(tmp_path).left() == [under_way(1), under_way(2)]


def test_of_each_call_the_newest_state_counts(tmp_path: Path) -> None:
    call = under_way()
    with running(tmp_path) as journal:
        journal.keep(call)
        call.parties["agent"] = "agent"
        journal.keep(call)
    assert Journal(tmp_path).left() == [
        replace(under_way(), parties={"caller": "channel-1", "agent": "agent"})
    ]


def test_a_line_that_was_cut_off_leaves_the_one_before_it(tmp_path: Path) -> None:
    with running(tmp_path) as journal:
        journal.keep(under_way())
    (file,) = tmp_path.glob("*.jsonl")
    with file.open("ab") as written:
        written.write(b'{"call": {"rec')
    assert Journal(tmp_path).left() == [under_way()]


def test_a_settled_call_is_forgotten_even_if_it_was_never_written(tmp_path: Path) -> None:
    with running(tmp_path) as journal:
        journal.keep(under_way(1))
        wait_until(lambda: str(under_way(1).record.ani) in text(tmp_path))
        journal.keep(under_way(2))
        journal.settled([settlement(make_call(1)), settlement(make_call(2))])
    assert Journal(tmp_path).left() == []


def test_it_is_known_when_the_switch_last_lived(tmp_path: Path) -> None:
    assert Journal(tmp_path).last_seen is None
    with running(tmp_path):
        pass
    last_seen = Journal(tmp_path).last_seen
    assert last_seen is not None and abs(last_seen - time.time() * 1000) < PATIENCE_S * 1000


def test_a_line_that_is_no_call_is_kept_aside_and_harms_no_other(tmp_path: Path) -> None:
    with running(tmp_path) as journal:
        journal.keep(under_way())
    (file,) = tmp_path.glob("*.jsonl")
    broken = b"{\n" + file.read_bytes()
    file.write_bytes(broken)
    assert Journal(tmp_path).left() == [under_way()]
    assert file.with_name(f"{file.name}.unreadable").read_bytes() == broken


def test_a_file_that_has_grown_long_gives_way_to_one_with_the_calls_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ari_app.store.calls.journal.FILE_LIMIT", 0)
    with running(tmp_path) as journal:
        wait_until((tmp_path / "1.jsonl").exists)
        journal.keep(under_way(1))
        wait_until((tmp_path / "2.jsonl").exists)
        journal.keep(under_way(2))
    (file,) = tmp_path.glob("*.jsonl")
    assert file.read_bytes().count(b"\n") == 2
    assert Journal(tmp_path).left() == [under_way(1), under_way(2)]


def test_calls_that_a_switch_left_stay_until_they_are_forgotten(tmp_path: Path) -> None:
    with running(tmp_path) as journal:
        for n in (1, 2):
            journal.keep(under_way(n))
    with running(tmp_path) as journal:
        journal.forget([under_way(1).record.id])
    assert Journal(tmp_path).left() == [under_way(2)]


def test_a_disk_that_takes_nothing_is_said_once_and_harms_no_call(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "journal"
    with running(folder) as journal:
        wait_until((folder / "alive").exists)
        shutil.rmtree(folder)  # as full a disk as root can have
        journal.keep(under_way(1))
        wait_until(lambda: "a crash now would lose them" in caplog.text)
        journal.keep(under_way(2))
        folder.mkdir()
        wait_until(lambda: text(folder).count("\n") == 2)
    assert caplog.text.count("a crash now would lose them") == 1


def test_of_a_call_that_is_over_nothing_is_kept_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who called is personal: the spool and the database have it, and forget it when they are told to."""
    monkeypatch.setattr(journal_module, "KEPT_FOR_S", 0.0)
    monkeypatch.setattr(journal_module, "ALIVE_EVERY_S", 0.02)

    over, going_on = under_way(1), under_way(2)
    with running(tmp_path) as journal:
        journal.keep(over)
        journal.keep(going_on)
        wait_until(lambda: str(over.record.ani) in text(tmp_path))
        journal.settled([settlement(make_call(1))])
        wait_until(lambda: str(over.record.ani) not in text(tmp_path))
        wait_until(lambda: str(going_on.record.ani) in text(tmp_path))
    assert Journal(tmp_path).left() == [going_on]


def test_a_file_that_somebody_put_beside_the_journal_keeps_no_switch_from_starting(tmp_path: Path) -> None:
    with running(tmp_path) as journal:
        journal.keep(under_way())
    (tmp_path / "1 (copy).jsonl").write_text("anything\n")
    assert len(Journal(tmp_path).left()) == 1


def test_however_many_calls_are_under_way_a_line_costs_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file begins anew with all of them: when it has grown by as much, not with each line."""
    monkeypatch.setattr(journal_module, "FILE_LIMIT", 1_000)
    journal = Journal(tmp_path)  # its thread is not started: we take its steps ourselves
    for n in range(1, 301):
        journal.keep(under_way(n))
        journal._write(journal._take())
    (file,) = tmp_path.glob("*.jsonl")
    assert int(file.stem) < 10
    assert len(Journal(tmp_path).left()) == 300


def test_what_was_never_kept_or_is_forgotten_already_costs_no_line(tmp_path: Path) -> None:
    with running(tmp_path) as journal:
        journal.keep(under_way(1))
        for _ in range(3):
            journal.settled([settlement(make_call(1)), settlement(make_call(2))])
    assert text(tmp_path).count(make_call(2).id) == 0
    assert text(tmp_path).count(make_call(1).id) <= 2
