"""Reports, bills and payouts equal the ledger, to the cent, whatever became of the calls and in which order."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from sqlalchemy import Engine

from tests.kit.books import live_through
from tests.kit.database import migrated


def test_the_books_agree_after_any_history(tmp_path: Path) -> None:
    numbers = count()

    def new_engine() -> Engine:
        return migrated(tmp_path / f"{next(numbers)}.db")

    live_through(new_engine, histories=15, steps=25)
