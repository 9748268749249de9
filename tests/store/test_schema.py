"""The migrations make exactly the tables that the code speaks of, and refuse what they must."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, delete, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from ari_app.domain.ledger.balances import Balance
from ari_app.domain.ledger.transfers import Transfer, deposit
from ari_app.store.calls import calls
from ari_app.store.db import revision, schema
from ari_app.store.db.engine import open_engine, reading, writing
from ari_app.store.db.errors import BadDatabaseUrl, DatabaseNotMigrated, DatabaseUnavailable
from ari_app.store.db.tables import metadata, transfers
from ari_app.store.ledger import ledger
from ari_app.store.market import pauses
from ari_app.store.market.pauses import Pause


def test_migrations_and_tables_agree(engine: Engine) -> None:
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_an_upgraded_database_is_at_the_head(empty: Engine) -> None:
    assert schema.current(empty) is None
    schema.upgrade(empty)
    assert schema.current(empty) == schema.head()
    schema.require(empty)


def test_a_second_upgrade_changes_nothing(engine: Engine) -> None:
    ledger.post(engine, deposit("1", "acme", 100, "USD", at=1))
    schema.upgrade(engine)
    assert len(list(ledger.all_transfers(engine))) == 1


def test_a_failed_migration_leaves_nothing_behind(empty: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade = command.upgrade

    def fail(config: Config, revision: str) -> None:
        upgrade(config, revision)
        raise RuntimeError("the machine stops here")

    monkeypatch.setattr(command, "upgrade", fail)
    with pytest.raises(RuntimeError):
        schema.upgrade(empty)
    assert schema.current(empty) is None


def test_the_balances_of_an_older_ledger_are_kept_at_hand_after_an_upgrade(
    empty: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade = command.upgrade
    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", lambda config, revision: upgrade(config, "0001"))
        schema.upgrade(empty)
    hold = Transfer("hold", "hold", "advertiser:acme", "exchange", 30, "USD", at=1)
    with writing(empty) as connection:
        ledger.add_of_calls(connection, [deposit("1", "acme", 100, "USD", at=1), hold])
    schema.upgrade(empty)
    ledger.post(empty, deposit("2", "acme", 50, "USD", at=1))
    assert ledger.kept_balances(empty) == ledger.balances(empty)
    assert ledger.kept_balances(empty)["advertiser:acme", "USD"] == Balance(150, -30)


def test_a_database_without_tables_is_named(empty: Engine) -> None:
    with pytest.raises(DatabaseNotMigrated, match=r"has no tables, \d+ is needed$"):
        schema.require(empty)


def test_a_query_without_tables_says_the_same(empty: Engine) -> None:
    with pytest.raises(DatabaseNotMigrated, match="is not as this version needs it"):
        calls.latest(empty)


def test_a_database_of_another_version_is_refused(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseNotMigrated, match=f"is at revision 9999, {schema.head()} is needed"):
        schema.require(engine)


@pytest.mark.parametrize("change", [update(transfers).values(amount=1), delete(transfers)])
def test_a_transfer_can_be_neither_changed_nor_deleted(engine: Engine, change: object) -> None:
    ledger.post(engine, deposit("1", "acme", 100, "USD", at=1))
    with pytest.raises(DBAPIError, match="never changed"), writing(engine) as connection:
        connection.execute(change)  # type: ignore[call-overload]
    assert [transfer.amount for transfer in ledger.all_transfers(engine)] == [100]


def test_a_reference_to_nothing_is_refused(engine: Engine) -> None:
    row = {"call_id": "nobody", "n": 0, "destination": "a", "wave": 1, "offered_at": 1}
    with pytest.raises(IntegrityError), writing(engine) as connection:
        connection.execute(metadata.tables["legs"].insert(), row)


def test_a_reading_sees_one_state_whatever_is_written_meanwhile(engine: Engine) -> None:
    with reading(engine) as connection:
        before = revision.read_in(connection)
        pauses.pause(engine, Pause("agent-1", 1, "lunch", "operator"))
        assert pauses.paused_in(connection) == []
        assert revision.read_in(connection) == before
    assert revision.read(engine) == before + 1


def test_a_write_is_all_or_nothing(engine: Engine) -> None:
    with pytest.raises(RuntimeError), writing(engine) as connection:
        connection.execute(transfers.insert(), ledger.transfer_row(deposit("1", "acme", 5, "USD", at=1)))
        raise RuntimeError("before the commit")
    assert list(ledger.all_transfers(engine)) == []


@pytest.mark.parametrize("url", ["", "mysql://root@localhost/x", "sqlite://", "sqlite:///:memory:", "no url"])
def test_a_url_that_cannot_be_used_is_refused_with_the_remedy(url: str) -> None:
    with pytest.raises(BadDatabaseUrl, match="set CALLRACE_DATABASE_URL to"):
        open_engine(url)


def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(DatabaseUnavailable, match=r"the database postgresql") as caught:
        open_engine("postgresql://callrace:hunter2@127.0.0.1:1/callrace")
    assert "hunter2" not in str(caught.value)
    assert "check that it runs" in str(caught.value)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("this is not a database, " * 100)
    with pytest.raises(DatabaseUnavailable, match=r"notes\.db"):
        open_engine(f"sqlite:///{path}")
