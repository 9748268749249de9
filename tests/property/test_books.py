"""Reports, bills and payouts equal the ledger, to the cent, whatever became of the calls and in which order."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from sqlalchemy import Engine, event

from tests.kit.books import live_through
from tests.kit.database import migrated


def test_the_books_agree_after_any_history(tmp_path: Path) -> None:
    numbers = count()

    def new_engine() -> Engine:
        engine = migrated(tmp_path / f"{next(numbers)}.db")
        event.listen(engine, "connect", _do_not_wait_for_the_disk)
        engine.dispose()
        return engine

    live_through(new_engine, histories=15, steps=25)


def _do_not_wait_for_the_disk(connection: object, _record: object) -> None:
    connection.execute("PRAGMA synchronous = OFF")  # type: ignore[attr-defined]
