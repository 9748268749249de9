"""A database of before is brought to this version with all that it says, and back."""

from __future__ import annotations

import json

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, insert, select, text

from ari_app.domain.document.reading import to_document
from ari_app.store.db import schema
from ari_app.store.db.engine import reading, writing
from ari_app.store.db.tables import counters
from ari_app.store.market import marketplaces
from tests.store.markets import BEFORE, DID, NOW


def take_back(engine: Engine, revision: str) -> None:
    """Brings the database back to before a revision."""
    config = schema._config()
    before = ScriptDirectory.from_config(config).get_revision(revision).down_revision
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, before)


def stored_document(engine: Engine) -> dict[str, object]:
    """What the newest version says."""
    with reading(engine) as connection:
        found: str = connection.execute(text("SELECT document_json FROM marketplace_versions")).scalar_one()
    document: dict[str, object] = json.loads(found)
    return document


def test_numbers_leave_the_versions_and_come_back(engine: Engine) -> None:
    marketplaces.apply(engine, BEFORE, NOW)
    take_back(engine, "0006")
    assert stored_document(engine)["numbers"] == to_document(BEFORE)["numbers"]
    schema.upgrade(engine)
    assert "numbers" not in stored_document(engine)
    loaded = marketplaces.load(engine)
    assert loaded is not None
    assert loaded.marketplace.numbers == {DID: BEFORE.numbers[DID]}
    assert marketplaces.plan(engine, BEFORE, NOW).changes == []


def test_counters_of_money_are_named_by_the_marketplaces_currency_and_back(engine: Engine) -> None:
    marketplaces.apply(engine, BEFORE, NOW)
    take_back(engine, "0009")
    old = {
        "campaign:plumbing:amount:day": "campaign:plumbing:amount:day:USD",
        "destination:amount:qualified:day": "destination:amount:qualified:day",
    }
    with writing(engine) as connection:
        rows = [{"key": key, "period_start": 0, "used": 4200, "reserved": 0} for key in old]
        connection.execute(insert(counters), rows)
    schema.upgrade(engine)
    assert counted(engine) == set(old.values())
    take_back(engine, "0009")
    assert counted(engine) == set(old)
    schema.upgrade(engine)


def counted(engine: Engine) -> set[str]:
    """The counters' names."""
    with reading(engine) as connection:
        return set(connection.execute(select(counters.c.key)).scalars())
