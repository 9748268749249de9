"""On PostgreSQL, too, the books agree after any history; tests/property has more of them on SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from sqlalchemy import Engine, NullPool, create_engine, make_url, text

from ari_app.store.db import schema
from ari_app.store.db.engine import open_engine
from tests.kit.books import live_through


@pytest.fixture
def template(postgres: str) -> Iterator[str]:
    """A database that is migrated, of which others are copies."""
    _run(postgres, "DROP DATABASE IF EXISTS books", "CREATE DATABASE books")
    engine = open_engine(_named(postgres, "books"))
    schema.upgrade(engine)
    engine.dispose()
    yield "books"
    _run(postgres, "DROP DATABASE books")


def test_the_books_agree_after_any_history(postgres: str, template: str) -> None:
    numbers = count()

    def new_engine() -> Engine:
        name = f"books_{next(numbers)}"
        _run(postgres, f"CREATE DATABASE {name} TEMPLATE {template}")
        return open_engine(_named(postgres, name))

    live_through(new_engine, histories=5, steps=20)


def _named(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


def _run(url: str, *statements: str) -> None:
    driver = make_url(url).set(drivername="postgresql+psycopg2")
    engine = create_engine(driver, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
