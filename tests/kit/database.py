"""A database that is migrated: the migrations run once a process, and every test gets a copy."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine

from ari_app.store.db import schema
from ari_app.store.db.engine import open_engine


def migrated(file: Path) -> Engine:
    """A new SQLite database in this file, with every table and no row."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_template())
    return open_engine(f"sqlite:///{file}")


@cache
def _template() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "callrace.db"
        engine = open_engine(f"sqlite:///{file}")
        schema.upgrade(engine)
        engine.dispose()  # the last connection moves the log into the file
        return file.read_bytes()
