"""A database that is migrated: the migrations run once a process, and every test gets a copy.

Statements, too, are compiled once a process: SQLAlchemy keeps what it compiled by engine, and every test has
engines of its own. And nobody waits for the disk: what a test wrote has no crash of the machine to outlive.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from ari_app.store.db import schema
from ari_app.store.db.engine import open_engine


class OneSqlite(SQLiteDialect_pysqlite):
    """SQLite, in which what one engine compiled serves every other one, and no commit waits for the disk."""

    supports_statement_cache = True
    compiled: dict[Any, Any] = {}

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        engine.update_execution_options(compiled_cache=cls.compiled)
        event.listen(engine, "engine_connect", _do_not_wait_for_the_disk)


def _do_not_wait_for_the_disk(connection: Connection) -> None:
    connection.connection.cursor().execute("PRAGMA synchronous = OFF")


registry.register("sqlite", __name__, OneSqlite.__name__)


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
