"""What SQLite keeps beside the rows: its log, and free space in its file. PostgreSQL has none of it in HOME."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from sqlalchemy import Engine

PATIENCE_S = 5.0
_TRY_S = 0.02  # calls under way wait for a reservation no longer than 50 ms
_PAUSE_S = 0.1


def file_of(engine: Engine) -> Path | None:
    """The database's file; None when it is no SQLite."""
    return Path(engine.url.database) if engine.dialect.name == "sqlite" and engine.url.database else None


def empty_log(engine: Engine) -> bool:
    """Moves the log into the database's file and leaves it empty; whether that was possible beside those at work.

    In many short tries: each keeps others from writing for no longer than it takes.
    """
    until = time.monotonic() + PATIENCE_S
    with closing(_connect(engine, _TRY_S)) as connection:
        while True:
            try:
                busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.OperationalError:  # somebody writes
                busy = 1
            if not busy:
                return True
            if time.monotonic() > until:
                return False
            time.sleep(_PAUSE_S)


def rewrite(engine: Engine) -> None:
    """Writes the whole file anew, without its free space. Nobody else can write meanwhile.

    Raises sqlite3.OperationalError when somebody else does.
    """
    with closing(_connect(engine, PATIENCE_S)) as connection:
        connection.execute("VACUUM")
    empty_log(engine)


def _connect(engine: Engine, timeout_s: float) -> sqlite3.Connection:
    return sqlite3.connect(str(file_of(engine)), timeout=timeout_s, isolation_level=None)
