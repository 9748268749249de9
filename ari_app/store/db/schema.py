"""The database's tables: where their migrations are, and bringing a database up to date.

Alembic is imported where tables are made: it takes longer to import than most commands take, and each asks for the
revision.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, Engine, MetaData, String, Table, inspect, select, text

from ari_app.store.db.engine import open_engine, reading, writing
from ari_app.store.db.errors import DatabaseNotMigrated

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).resolve().parents[3] / "migrations"
_VERSION = Table("alembic_version", MetaData(), Column("version_num", String(32)))
_UPGRADE_LOCK = 0x43414C4C  # "CALL": PostgreSQL's advisory lock of two upgrades at once


def upgrade(engine: Engine) -> None:
    """Brings the database to this version's tables, in one transaction. Does nothing when it is."""
    from alembic import command

    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _UPGRADE_LOCK})
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def current(engine: Engine) -> str | None:
    """The revision that the database is at; None when it has no tables."""
    with reading(engine) as connection:
        if not inspect(connection).has_table(_VERSION.name):
            return None
        return connection.execute(select(_VERSION.c.version_num)).scalar_one_or_none()


@cache
def head() -> str:
    """The revision that this version of Callrace needs: the last migration's, whose file begins with it."""
    return max(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def opened(url: str, *, is_serving: bool = False, answer_s: float | None = None) -> Engine:
    """The database of a URL, at the version that this Callrace needs. Raises StoreError.

    `is_serving`, `answer_s`: for a program that serves, see `open_engine`.
    """
    engine = open_engine(url, is_serving=is_serving, answer_s=answer_s)
    require(engine)
    return engine


def require(engine: Engine) -> None:
    """Raises DatabaseNotMigrated unless the database is at `head`."""
    found, needed = current(engine), head()
    if found != needed:
        where = engine.url.render_as_string(hide_password=True)
        state = f"is at revision {found}" if found else "has no tables"
        raise DatabaseNotMigrated(f"the database {where} {state}, {needed} is needed")


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
