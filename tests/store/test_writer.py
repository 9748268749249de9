"""The writer saves calls off their path, and loses none, whatever the database does."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ari_app.store.calls import calls, writer
from ari_app.store.calls import spool as spool_module
from ari_app.store.calls.calls import Settlement
from ari_app.store.calls.spool import Spool
from ari_app.store.calls.writer import Writer
from ari_app.store.db.errors import DatabaseUnavailable, QueueFull, SpoolUnusable, WriterStopped
from ari_app.store.ledger import ledger
from tests.samples import make_call, settlement

PATIENCE_S = 20
GATHER_S = 0.01


class Doorkeeper:
    """Stands in front of `calls.save`: lets batches in, holds them, or says the database is away."""

    def __init__(self, save: Callable[..., None]) -> None:
        self._save = save
        self.sizes: list[int] = []
        self.away = threading.Event()
        self.came = threading.Semaphore(0)
        self.open = threading.Event()
        self.open.set()

    def __call__(self, engine: Engine, batch: Sequence[Settlement], *, of_others: bool) -> None:
        self.came.release()
        assert self.open.wait(PATIENCE_S)
        if self.away.is_set():
            raise DatabaseUnavailable("the database is away")
        self.sizes.append(len(batch))
        self._save(engine, batch, of_others=of_others)


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Doorkeeper:
    door = Doorkeeper(calls.save)
    monkeypatch.setattr(calls, "save", door)
    monkeypatch.setattr(writer, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(writer, "PATIENCE_S", 0.02)
    return door


@contextmanager
def running(engine: Engine, spool: Path, **options: object) -> Iterator[Writer]:
    running = Writer(engine, Spool(spool), **{"gather_s": GATHER_S} | options)  # type: ignore[arg-type]
    try:
        yield running
    finally:
        running.close(0)


def saved_ids(engine: Engine) -> set[str]:
    return {call.id for call in calls.latest(engine, limit=1000)}


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.005)  # a folder tells nobody that it has changed


def test_what_is_submitted_is_saved(engine: Engine, tmp_path: Path) -> None:
    with running(engine, tmp_path) as subject:
        subject.submit(settlement(make_call()))
        assert subject.flush(PATIENCE_S)
    assert saved_ids(engine) == {make_call().id}


def test_what_waits_is_saved_in_batches_of_fifty(
    engine: Engine, tmp_path: Path, door: Doorkeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "PATIENCE_S", PATIENCE_S)  # a slow save would spool what is not gathered yet
    with running(engine, tmp_path, gather_s=PATIENCE_S) as subject:
        for n in range(1, 121):
            subject.submit(settlement(make_call(n)))
        assert subject.flush(PATIENCE_S)
    assert door.sizes == [50, 50, 20]
    assert len(saved_ids(engine)) == 120


def test_closing_saves_what_waits(engine: Engine, tmp_path: Path) -> None:
    subject = Writer(engine, Spool(tmp_path), gather_s=GATHER_S)
    for n in range(1, 61):
        subject.submit(settlement(make_call(n)))
    assert subject.close(PATIENCE_S) == 0
    assert len(saved_ids(engine)) == 60


def test_a_closed_writer_takes_nothing(engine: Engine, tmp_path: Path) -> None:
    subject = Writer(engine, Spool(tmp_path), gather_s=GATHER_S)
    subject.close(PATIENCE_S)
    with pytest.raises(WriterStopped):
        subject.submit(settlement(make_call()))


def test_calls_wait_while_the_database_is_away(engine: Engine, tmp_path: Path, door: Doorkeeper) -> None:
    door.away.set()
    with running(engine, tmp_path) as subject:
        subject.submit(settlement(make_call()))
        for _ in range(3):
            assert door.came.acquire(timeout=PATIENCE_S)
        assert subject.backlog() == 1
        door.away.clear()
        assert subject.flush(PATIENCE_S)
    assert saved_ids(engine) == {make_call().id}


def test_a_call_that_the_database_does_not_take_is_soon_safe_from_a_crash(
    engine: Engine, tmp_path: Path, door: Doorkeeper
) -> None:
    door.away.set()
    with running(engine, tmp_path) as subject:
        subject.submit(settlement(make_call()))
        wait_until(lambda: Spool(tmp_path).ids() == {make_call().id})
        door.away.clear()
        assert subject.flush(PATIENCE_S)
    assert Spool(tmp_path).ids() == set()


def test_a_database_that_does_not_answer_is_not_waited_for(
    engine: Engine, tmp_path: Path, door: Doorkeeper
) -> None:
    door.open.clear()
    with running(engine, tmp_path) as subject:
        subject.submit(settlement(make_call(1)))
        assert door.came.acquire(timeout=PATIENCE_S)
        subject.submit(settlement(make_call(2)))
        wait_until(lambda: Spool(tmp_path).ids() == {make_call(1).id, make_call(2).id})
        door.open.set()
        assert subject.flush(PATIENCE_S)
    assert saved_ids(engine) == {make_call(1).id, make_call(2).id}


def test_while_the_database_is_there_the_spool_is_not_touched(engine: Engine, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    with running(engine, spool) as subject:
        subject.submit(settlement(make_call()))
        assert subject.flush(PATIENCE_S)
    assert not spool.exists()


def test_what_a_crashed_switch_had_spooled_is_saved_first_and_in_order(
    engine: Engine, tmp_path: Path
) -> None:
    Spool(tmp_path).put([settlement(make_call(n)) for n in (3, 1, 2)])
    told: list[str] = []
    with running(engine, tmp_path, on_saved=lambda saved: told.extend(s.record.id for s in saved)) as subject:
        subject.submit(settlement(make_call(4)))
        assert subject.flush(PATIENCE_S)
    assert told == [make_call(n).id for n in (1, 2, 3, 4)]
    assert Spool(tmp_path).ids() == set()


def test_a_call_that_is_in_the_database_and_in_the_spool_is_there_once(
    engine: Engine, tmp_path: Path
) -> None:
    calls.save(engine, [settlement(make_call())])
    Spool(tmp_path).put([settlement(make_call())])
    with running(engine, tmp_path) as subject:
        assert subject.flush(PATIENCE_S)
    assert len(list(ledger.all_transfers(engine))) == len(settlement(make_call()).transfers)


def test_without_database_and_spool_calls_stay_in_memory_as_long_as_there_is_room(
    engine: Engine, tmp_path: Path, door: Doorkeeper, caplog: pytest.LogCaptureFixture
) -> None:
    door.away.set()
    spool = tmp_path / "spool"
    spool.write_text("no folder")  # as full a disk as root can have
    with running(engine, spool, capacity=2) as subject:
        subject.submit(settlement(make_call(1)))
        for _ in range(2):
            assert door.came.acquire(timeout=PATIENCE_S)
        assert subject.room() == 2
        subject.submit(settlement(make_call(2)))
        subject.submit(settlement(make_call(3)))
        assert subject.room() == 0
        with pytest.raises(QueueFull, match="2 calls wait"):
            subject.submit(settlement(make_call(4)))
        spool.unlink()
        door.away.clear()
        assert subject.flush(PATIENCE_S)
    assert saved_ids(engine) == {make_call(n).id for n in (1, 2, 3)}
    assert "lost if the switch ends" in caplog.text


def test_a_full_spool_takes_nothing_more(tmp_path: Path) -> None:
    spool = Spool(tmp_path, limit=1)
    spool.put([settlement(make_call(1))])
    with pytest.raises(SpoolUnusable, match="1 calls, 1 at most"):
        spool.put([settlement(make_call(2))])
    assert spool.ids() == {make_call(1).id}


@pytest.mark.parametrize("content", [b"", b"{", b'{"version": 2}', b'{"version": 1, "record": {"id": 7}}'])
def test_a_file_of_the_spool_that_is_no_call_is_put_aside_and_the_others_are_saved(
    engine: Engine, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "0000000000001-broken.json").write_bytes(content)
    Spool(tmp_path).put([settlement(make_call())])
    with running(engine, tmp_path) as subject:
        assert subject.flush(PATIENCE_S)
    assert saved_ids(engine) == {make_call().id}
    (aside,) = Spool(tmp_path).kept()
    assert aside.path.read_bytes() == content


@pytest.mark.parametrize("bad", [{"did": None}, {"started_at": 2**70}, {"answers": {"zip": {1, 2}}}])
def test_a_bad_call_is_put_aside_and_the_others_are_saved(
    engine: Engine, tmp_path: Path, door: Doorkeeper, bad: dict[str, object]
) -> None:
    door.open.clear()
    with running(engine, tmp_path) as subject:
        for n in range(1, 5):
            subject.submit(settlement(make_call(n, **(bad if n == 2 else {}))))
        door.open.set()
        assert subject.flush(PATIENCE_S)
    assert saved_ids(engine) == {make_call(n).id for n in (1, 3, 4)}
    (aside,) = Spool(tmp_path).kept()
    content = json.loads(aside.path.read_text())
    assert content["record"]["ani"] == make_call(2).ani
    assert len(content["transfers"]) == 3
    assert aside.reason


def test_what_cannot_be_saved_before_the_close_is_in_the_spool(
    engine: Engine, tmp_path: Path, door: Doorkeeper
) -> None:
    door.away.set()
    subject = Writer(engine, Spool(tmp_path), gather_s=GATHER_S)
    subject.submit(settlement(make_call(1)))
    assert door.came.acquire(timeout=PATIENCE_S)
    subject.submit(settlement(make_call(2)))
    assert subject.flush(0.01) is False
    assert subject.close(PATIENCE_S) == 2
    assert Spool(tmp_path).ids() == {make_call(1).id, make_call(2).id}


def test_a_file_of_the_spool_that_cannot_be_read_holds_nobody_up(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "0000000000001-unreadable.json").mkdir()
    Spool(tmp_path).put([settlement(make_call())])
    with running(engine, tmp_path):
        wait_until(lambda: saved_ids(engine) == {make_call().id})
    assert "unreadable.json cannot be read" in caplog.text


def test_an_operator_empties_the_spool_and_tries_again_what_was_refused(
    engine: Engine, tmp_path: Path
) -> None:
    spool = Spool(tmp_path)
    spool.put([settlement(make_call(1))])
    spool.refuse(settlement(make_call(2)), "a table was missing")
    spool.refuse(settlement(make_call(3, did=None)), "no number")
    assert writer.empty(engine, spool) == 2
    assert saved_ids(engine) == {make_call(1).id, make_call(2).id}
    (left,) = spool.kept()
    assert left.call_id == make_call(3).id
    assert left.reason is not None and "did" in left.reason


def test_whoever_wants_to_know_is_told_what_was_saved(engine: Engine, tmp_path: Path) -> None:
    told: list[str] = []

    def note(batch: Sequence[Settlement]) -> None:
        told.extend(saved.record.id for saved in batch)

    with running(engine, tmp_path, on_saved=note) as subject:
        subject.submit(settlement(make_call(1)))
        subject.submit(settlement(make_call(2)))
        assert subject.flush(PATIENCE_S)
    assert told == [make_call(1).id, make_call(2).id]


def test_two_writers_with_the_same_calls_save_each_once(engine: Engine, tmp_path: Path) -> None:
    with running(engine, tmp_path) as one, running(engine, tmp_path) as other:
        for n in range(1, 101):
            one.submit(settlement(make_call(n)))
            other.submit(settlement(make_call(n)))
        assert one.flush(PATIENCE_S)
        assert other.flush(PATIENCE_S)
    assert saved_ids(engine) == {make_call(n).id for n in range(1, 101)}
    assert list(tmp_path.glob("*.json")) == []


def test_emptying_the_spool_lists_it_once_for_all_that_are_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Spool(tmp_path).put([settlement(make_call(n)) for n in range(1, 301)])
    spool, listings = Spool(tmp_path), []
    names = spool_module.names
    monkeypatch.setattr(spool_module, "names", lambda folder: listings.append(folder) or names(folder))
    found: list[str] = []
    while batch := spool.oldest(10):
        found += [one.record.id for one in batch]
        spool.remove(batch)
    assert found == [make_call(n).id for n in range(1, 301)]
    assert (len(spool), len(listings)) == (0, 1)


def test_calls_that_end_while_a_long_spool_is_emptied_do_not_fill_memory(
    engine: Engine, tmp_path: Path, door: Doorkeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "PATIENCE_S", PATIENCE_S)  # a slow save is no reason to spool them here
    Spool(tmp_path).put([settlement(make_call(n)) for n in range(1, 2 * writer.BACKLOG_BATCH + 1)])
    door.open.clear()
    with running(engine, tmp_path, capacity=100) as subject:
        assert door.came.acquire(timeout=PATIENCE_S)  # the first batch of the spool is on its way
        for n in range(1000, 1000 + writer.BATCH):
            subject.submit(settlement(make_call(n)))
        door.open.set()
        wait_until(lambda: subject.room() == 100)
        assert subject.flush(PATIENCE_S)
    assert make_call(1000).id in saved_ids(engine)
