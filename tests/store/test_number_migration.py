"""A database of before is brought to this version with all that it says, and back."""

from __future__ import annotations

import json

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from ari_app.domain.document import to_document
from ari_app.store import marketplaces, schema
from ari_app.store.engine import reading, writing
from tests.store.test_marketplaces import BEFORE, DID, NOW


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
    assert marketplaces.plan(engine, BEFORE).changes == []
