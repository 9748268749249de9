"""Every test of the store runs against SQLite and against PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from ari_app.store.db import schema
from ari_app.store.db.engine import open_engine, writing
from ari_app.store.money import audit
from tests.samples import BEGAN
from tests.store.postgres import running_cluster


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL cluster of our own."""
    with running_cluster() as url:
        yield url


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of a migrated PostgreSQL cluster that one module's tests have for themselves."""
    with running_cluster() as url:
        engine = open_engine(url)
        schema.upgrade(engine)
        engine.dispose()
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/callrace.db"
    url: str = request.getfixturevalue("postgres")
    engine = open_engine(url)
    with writing(engine) as connection:  # a new database takes ten times as long
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return url


@pytest.fixture
def empty(empty_url: str) -> Iterator[Engine]:
    """A new database without tables."""
    engine = open_engine(empty_url)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(request: pytest.FixtureRequest, empty: Engine) -> Iterator[Engine]:
    """A new, migrated database. Its ledger is in order at the end, unless a test breaks it on purpose."""
    schema.upgrade(empty)
    yield empty
    if "breaks_the_ledger" not in request.keywords:
        assert audit.prove(empty, BEGAN).findings == []
