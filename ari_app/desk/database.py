"""The database's tables: which version they are of, and bringing them to this one."""

from __future__ import annotations

from dataclasses import dataclass

from ari_app.settings import Settings
from ari_app.store.db import schema
from ari_app.store.db.engine import open_engine


@dataclass(frozen=True, slots=True)
class Tables:
    """Where the database is, without its password; its revision (None: it has no tables), and the one needed."""

    where: str
    revision: str | None
    needed: str

    @property
    def is_migrated(self) -> bool:
        """Whether it is as this version needs it."""
        return self.revision == self.needed


def status(settings: Settings) -> Tables:
    """How the tables are. Raises StoreError."""
    engine = open_engine(settings.database_url)
    where = engine.url.render_as_string(hide_password=True)
    return Tables(where, schema.current(engine), schema.head())


def upgrade(settings: Settings) -> Tables:
    """Brings the tables to this version; says how they were before. Does nothing when they are. Raises StoreError."""
    before = status(settings)
    schema.upgrade(open_engine(settings.database_url))
    return before
