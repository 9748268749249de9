"""The database's tables: where their migrations are, and bringing a database up to date."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from ari_app.store.db.engine import reading, writing
from ari_app.store.db.errors import DatabaseNotMigrated

MIGRATIONS = Path(__file__).resolve().parents[3] / "migrations"
_UPGRADE_LOCK = 0x43414C4C  # "CALL": PostgreSQL's advisory lock of two upgrades at once


def upgrade(engine: Engine) -> None:
    """Brings the database to this version's tables, in one transaction. Does nothing when it is."""
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _UPGRADE_LOCK})
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def current(engine: Engine) -> str | None:
    """The revision that the database is at; None when it has no tables."""
    with reading(engine) as connection:
        return MigrationContext.configure(connection).get_current_revision()


@cache
def head() -> str:
    """The revision that this version of Callrace needs."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None, f"no migrations in {MIGRATIONS}"
    return revision


def require(engine: Engine) -> None:
    """Raises DatabaseNotMigrated unless the database is at `head`."""
    found, needed = current(engine), head()
    if found != needed:
        where = engine.url.render_as_string(hide_password=True)
        state = f"is at revision {found}" if found else "has no tables"
        raise DatabaseNotMigrated(
            f"the database {where} {state}, {needed} is needed; run `callrace db upgrade`"
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
