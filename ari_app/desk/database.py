"""The database's tables: their schema revision, and the upgrade to the revision of this program."""

from __future__ import annotations

from dataclasses import dataclass

from ari_app.settings import Settings
from ari_app.store.db import schema
from ari_app.store.db.engine import open_engine


@dataclass(frozen=True, slots=True)
class Tables:
    """The database's URL without its password; its schema revision (None: no tables), and the revision needed."""

    where: str
    revision: str | None
    needed: str

    @property
    def is_migrated(self) -> bool:
        """Whether the revision is the one that this program needs."""
        return self.revision == self.needed


def status(settings: Settings) -> Tables:
    """The present revision of the tables. Raises StoreError."""
    engine = open_engine(settings.database_url)
    where = engine.url.render_as_string(hide_password=True)
    return Tables(where, schema.current(engine), schema.head())


def upgrade(settings: Settings) -> Tables:
    """Upgrades the tables to the revision needed, if they are not there yet; returns their state before.

    Raises StoreError.
    """
    before = status(settings)
    schema.upgrade(open_engine(settings.database_url))
    return before
