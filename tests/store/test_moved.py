"""SQLite's file is moved, deleted or put back from a backup under a running program."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ari_app.store.calls import calls
from ari_app.store.db import sqlite
from ari_app.store.db.engine import open_engine, open_hasty
from ari_app.store.db.errors import DatabaseNotMigrated
from tests.kit.database import migrated
from tests.samples import make_call, settlement

FILE = "callrace.db"


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = migrated(tmp_path / FILE)
    calls.save(engine, [settlement(make_call(1))])
    return engine


def put_back(engine: Engine, folder: Path) -> None:
    """A backup, as of now, takes the place of the database."""
    sqlite.empty_log(engine)
    shutil.copy(folder / FILE, folder / "backup")
    for path in folder.glob(f"{FILE}-*"):  # its log is not the backup's
        path.unlink()
    (folder / "backup").rename(folder / FILE)


def test_calls_are_saved_in_the_file_that_is_there_and_not_in_one_that_is_gone(
    engine: Engine, tmp_path: Path
) -> None:
    hasty = open_hasty(engine, 50)
    assert calls.saved(hasty, [make_call(1).id])
    put_back(engine, tmp_path)
    calls.save(engine, [settlement(make_call(2))])
    for reader in (open_engine(str(engine.url)), hasty):
        assert calls.saved(reader, [make_call(1).id, make_call(2).id]) == {make_call(1).id, make_call(2).id}


def test_while_no_file_is_there_calls_wait(engine: Engine, tmp_path: Path) -> None:
    for path in tmp_path.glob(f"{FILE}*"):
        path.unlink()
    with pytest.raises(DatabaseNotMigrated):
        calls.save(engine, [settlement(make_call(2))])
