"""The writer saves calls off their path, and loses none, whatever the database does."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ari_app.store import calls, writer
from ari_app.store.calls import Settlement
from ari_app.store.errors import DatabaseUnavailable, QueueFull, WriterStopped
from ari_app.store.writer import Writer
from tests.samples import make_call, settlement

PATIENCE_S = 20


class Doorkeeper:
    """Stands in front of `calls.save`: lets batches in, holds them, or says the database is away."""

    def __init__(self, save: Callable[[Engine, Sequence[Settlement]], None]) -> None:
        self._save = save
        self.sizes: list[int] = []
        self.away = threading.Event()
        self.came = threading.Semaphore(0)
        self.open = threading.Event()
        self.open.set()

    def __call__(self, engine: Engine, batch: Sequence[Settlement]) -> None:
        self.came.release()
        assert self.open.wait(PATIENCE_S)
        if self.away.is_set():
            raise DatabaseUnavailable("the database is away")
        self.sizes.append(len(batch))
        self._save(engine, batch)


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Doorkeeper:
    door = Doorkeeper(calls.save)
    monkeypatch.setattr(calls, "save", door)
    monkeypatch.setattr(writer, "FIRST_PAUSE_S", 0.01)
    return door


@contextmanager
def running(engine: Engine, unsaved: Path, **options: object) -> Iterator[Writer]:
    running = Writer(engine, unsaved, **options)  # type: ignore[arg-type]
    try:
        yield running
    finally:
        running.close(0)


def saved_ids(engine: Engine) -> set[str]:
    return {call.id for call in calls.latest(engine, limit=1000)}


def test_what_is_submitted_is_saved(engine: Engine, tmp_path: Path) -> None:
    with running(engine, tmp_path) as subject:
        subject.submit(settlement(make_call()))
        assert subject.flush(PATIENCE_S)
    assert saved_ids(engine) == {make_call().id}


def test_what_waits_is_saved_in_batches_of_fifty(
    engine: Engine, tmp_path: Path, door: Doorkeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "GATHER_S", PATIENCE_S)
    with running(engine, tmp_path) as subject:
        for n in range(1, 121):
            subject.submit(settlement(make_call(n)))
        assert subject.flush(PATIENCE_S)
    assert door.sizes == [50, 50, 20]
    assert len(saved_ids(engine)) == 120


def test_closing_saves_what_waits(engine: Engine, tmp_path: Path) -> None:
    subject = Writer(engine, tmp_path)
    for n in range(1, 61):
        subject.submit(settlement(make_call(n)))
    assert subject.close(PATIENCE_S) == 0
    assert len(saved_ids(engine)) == 60


def test_a_closed_writer_takes_nothing(engine: Engine, tmp_path: Path) -> None:
    subject = Writer(engine, tmp_path)
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


def test_a_full_queue_refuses_the_newest_and_keeps_the_rest(
    engine: Engine, tmp_path: Path, door: Doorkeeper
) -> None:
    door.away.set()
    with running(engine, tmp_path, capacity=2) as subject:
        subject.submit(settlement(make_call(1)))
        assert door.came.acquire(timeout=PATIENCE_S)
        subject.submit(settlement(make_call(2)))
        subject.submit(settlement(make_call(3)))
        with pytest.raises(QueueFull, match="2 calls wait"):
            subject.submit(settlement(make_call(4)))
        door.away.clear()
        assert subject.flush(PATIENCE_S)
    assert saved_ids(engine) == {make_call(n).id for n in (1, 2, 3)}


@pytest.mark.parametrize("bad", [{"did": None}, {"started_at": 2**70}, {"answers": {"zip": {1, 2}}}])
def test_a_bad_call_is_put_aside_and_the_others_are_saved(
    engine: Engine, tmp_path: Path, door: Doorkeeper, bad: dict[str, object]
) -> None:
    door.open.clear()
    with running(engine, tmp_path / "unsaved") as subject:
        for n in range(1, 5):
            subject.submit(settlement(make_call(n, **(bad if n == 2 else {}))))
        door.open.set()
        assert subject.flush(PATIENCE_S)
    assert saved_ids(engine) == {make_call(n).id for n in (1, 3, 4)}
    aside = json.loads((tmp_path / "unsaved" / f"{make_call(2).id}.json").read_text())
    assert aside["record"]["ani"] == make_call(2).ani
    assert len(aside["transfers"]) == 3
    assert aside["reason"]


def test_what_cannot_be_saved_before_the_close_is_put_aside(
    engine: Engine, tmp_path: Path, door: Doorkeeper
) -> None:
    door.away.set()
    subject = Writer(engine, tmp_path)
    subject.submit(settlement(make_call(1)))
    assert door.came.acquire(timeout=PATIENCE_S)
    subject.submit(settlement(make_call(2)))
    assert subject.flush(0.01) is False
    assert subject.close(0.01) == 2
    assert {path.stem for path in tmp_path.glob("*.json")} == {make_call(1).id, make_call(2).id}


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
