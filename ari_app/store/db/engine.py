"""Connections to a database: SQLite in one file, or PostgreSQL, by URL.

Every query of this package runs inside `reading` or `writing`. So a database that is not available,
or has no tables, is always the same clear error.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from random import uniform
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, Table, create_engine, event, func
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from ari_app.store.db import failures
from ari_app.store.db.errors import BadDatabaseUrl, DatabaseBusy, DatabaseNotMigrated, DatabaseUnavailable

_P = ParamSpec("_P")
_T = TypeVar("_T")

BUSY_TIMEOUT_S = 10
TRIES = 5
"""How often a transaction is tried if the database undoes it because of other transactions."""
_PAUSE_S = 0.1  # at most, before the second try; before each later try as much longer
ANSWER_S = 3.0
"""How long a program that serves calls waits for a silent database, before it connects again."""
HASTY_ANSWER_S = 1.0


def open_engine(url: str, *, is_serving: bool = False, answer_s: float | None = None) -> Engine:
    """An engine for `sqlite:///FILE` or `postgresql://...`, after one try to reach it.

    `is_serving`: for a program that serves; it gives a connection up after `answer_s` without an answer (unless said,
    ANSWER_S). Raises BadDatabaseUrl, or DatabaseUnavailable when it cannot be reached. Use
    `ari_app.store.db.schema.require` to check whether it is migrated.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise BadDatabaseUrl(f"cannot read the database URL: {error}; {_URL_HELP}") from error
    engine = (
        _sqlite(parsed)
        if parsed.get_backend_name() == "sqlite"
        else _postgresql(parsed, (answer_s or ANSWER_S) if is_serving else None)
    )
    with reading(engine):
        return engine


_URL_HELP = "set CALLRACE_DATABASE_URL to sqlite:///FILE or postgresql://USER@HOST/NAME"


def open_hasty(engine: Engine, patience_ms: int) -> Engine:
    """A separate engine on the same database, for queries that a caller waits for.

    A statement that takes longer than `patience_ms` raises DatabaseUnavailable. A commit does not wait for the disk:
    a crash of the machine could only undo reservations of calls that the crash ended, too.
    """
    if engine.dialect.name == "sqlite":
        hasty = _sqlite(engine.url, patience_ms / 1000)
        event.listen(hasty, "connect", _write_without_syncing)
        return hasty
    from ari_app.store.db.postgresql import open_hasty_postgresql

    return open_hasty_postgresql(engine.url, patience_ms, HASTY_ANSWER_S)


def _write_without_syncing(connection: Any, _record: object) -> None:
    for pragma in ("synchronous = NORMAL", "wal_autocheckpoint = 0"):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite(url: URL, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Engine:
    if not url.database or url.database == ":memory:":
        # Every thread would see a database of its own.
        raise BadDatabaseUrl(f"the database URL {url} names no file; {_URL_HELP}")
    folder = Path(url.database).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnavailable(f"cannot make {folder} for the database: {error.strerror}") from error
    engine = create_engine(url, connect_args={"timeout": busy_timeout_s})
    event.listen(engine, "connect", _prepare_sqlite)
    _notice_other_file(engine, Path(url.database))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _notice_other_file(engine: Engine, file: Path) -> None:
    """Opens a new connection if the file was moved or deleted: the old one would go on writing to the old file."""

    def now() -> tuple[int, int] | None:
        try:
            found = file.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def note(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["file"] = now()

    def look(_connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        if record.info["file"] != now():
            raise DisconnectionError(f"{file} is another file now")

    event.listen(engine, "connect", note)
    event.listen(engine, "checkout", look)


def _begin_sqlite(connection: Connection) -> None:
    # A write takes its lock at once: a reader that becomes a writer half-way may fail.
    is_write = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")


def _postgresql(url: URL, answer_s: float | None) -> Engine:
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise BadDatabaseUrl(f"the database URL names {url.get_backend_name()}; {_URL_HELP}")
    from ari_app.store.db.postgresql import (  # users of SQLite do not need this driver
        open_postgresql,
        open_serving,
    )

    return open_postgresql(url) if answer_s is None else open_serving(url, answer_s)


@contextmanager
def reading(engine: Engine, *, is_much: bool = False) -> Iterator[Connection]:
    """A transaction that reads one consistent state. Raises DatabaseUnavailable, DatabaseNotMigrated.

    `is_much`: the database may take a minute, even for a program that serves calls.
    """
    with _translating(engine), engine.connect() as connection:
        if is_much and engine.dialect.name == "postgresql":
            from ari_app.store.db.postgresql import be_patient

            be_patient(connection)
        with connection.begin():
            yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that is committed at the end, or rolled back by an exception. Raises as `reading`."""
    with (
        _translating(engine),
        engine.connect() as connection,
        connection.execution_options(writes=True).begin(),
    ):
        yield connection


def retried(use_case: Callable[_P, _T]) -> Callable[_P, _T]:
    """Repeats a use case, TRIES times in all, if the database undoes it because others change the same rows.

    Only for a function that is one transaction of `writing` and has no other effect. Raises DatabaseBusy if every
    try was undone.
    """

    @wraps(use_case)
    def tried(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        for tries in range(1, TRIES):
            try:
                return use_case(*args, **kwargs)
            except DatabaseBusy:
                time.sleep(uniform(0, tries * _PAUSE_S))  # so that two that met do not meet again
        return use_case(*args, **kwargs)

    return tried


@contextmanager
def at_once(engine: Engine) -> Iterator[Connection]:
    """A connection on which each statement is its own transaction, without messages to begin and to end it.

    Raises as `reading`.
    """
    with _translating(engine), engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT", writes=True)


def lock_table(connection: Connection, table: Table) -> None:
    """Locks the table against other writers until this transaction of `writing` ends.

    Not needed in SQLite: a write transaction locks the whole database.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE")


def unindexed(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column, for a condition that must not use its index, which would return all calls of a campaign."""
    return func.coalesce(column, "")


@contextmanager
def _translating(engine: Engine) -> Iterator[None]:
    where = engine.url.render_as_string(hide_password=True)
    try:
        yield
    except DBAPIError as error:
        if failures.is_of_the_data(error):
            raise
        reason = " ".join(str(error.orig).split())
        if failures.is_of_the_moment(error):
            what = reason.partition(" DETAIL")[0]
            message = f"others changed the same calls or accounts in {where} at this moment ({what})"
            raise DatabaseBusy(f"{message}; nothing was done: do it again") from error
        if failures.is_of_the_tables(error):
            message = f"the database {where} is not as this version needs it ({reason})"
            raise DatabaseNotMigrated(message) from error
        message = f"the database {where} cannot be used now: {reason}; check that it runs and is writable"
        raise DatabaseUnavailable(message) from error
    except (PoolTimeout, PendingRollbackError) as error:
        raise DatabaseUnavailable(f"the database {where} cannot be used now: {error}") from error
