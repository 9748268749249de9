"""What the database cannot do now is waited for; only what the data itself forbids is refused for good."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from ari_app.domain.routing.recovery import UnderWay
from ari_app.store.calls import calls, writer
from ari_app.store.calls.calls import Settlement
from ari_app.store.calls.journal import Journal
from ari_app.store.calls.spool import Spool
from ari_app.store.calls.writer import Writer
from ari_app.store.db import failures, schema
from ari_app.store.db.engine import open_engine, writing
from ari_app.store.db.errors import DatabaseNotMigrated
from tests.samples import make_call, settlement
from tests.store.postgres import cluster
from tests.store.test_writer import running, wait_until

PATIENCE_S = 20
Run = Callable[[str], None]


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(writer, "PATIENCE_S", 0.05)
    monkeypatch.setattr(writer, "GATHER_S", 0.01)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of a PostgreSQL of our own with our tables: what is done to it here is done to all of it."""
    with cluster() as made:
        engine = open_engine(made.url)
        schema.upgrade(engine)
        run(
            engine,
            "CREATE ROLE clerk LOGIN",
            "GRANT ALL ON ALL TABLES IN SCHEMA public TO clerk",
            "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO clerk",
        )
        engine.dispose()
        yield made.url


def run(engine: Engine, *statements: str) -> None:
    with writing(engine) as connection:
        connection.execute(text("SET LOCAL transaction_read_only = off"))
        for statement in statements:
            connection.execute(text(statement))


FAULTS = {
    "read-only": (
        "ALTER DATABASE postgres SET default_transaction_read_only = on",
        "ALTER DATABASE postgres RESET default_transaction_read_only",
    ),
    "without rights": ("REVOKE INSERT ON calls FROM clerk", "GRANT INSERT ON calls TO clerk"),
    "another version's": (
        "ALTER TABLE calls RENAME COLUMN source TO origin",
        "ALTER TABLE calls RENAME COLUMN origin TO source",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_calls_wait_while_postgresql_cannot_take_them_and_are_saved_when_it_can(
    server: str, fault: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    breaks, mends = FAULTS[fault]
    admin = open_engine(server)
    ids = [make_call(100 * (1 + list(FAULTS).index(fault)) + n).id for n in range(3)]
    run(admin, breaks)
    engine = open_engine(str(make_url(server).set(username="clerk").render_as_string()))
    with running(engine, tmp_path) as subject:
        for call_id in ids:
            subject.submit(settlement(make_call(int(call_id[13:], 16))))
        wait_until(lambda: Spool(tmp_path).ids() == set(ids) and subject.problem() != "")
        assert subject.refused() == 0
        run(admin, mends)
        engine.dispose()  # what a connection was told of the database when it began, it keeps
        assert subject.flush(PATIENCE_S)
        assert (subject.problem(), subject.refused(), Spool(tmp_path).kept()) == ("", 0, [])
    assert calls.saved(engine, ids) == set(ids)
    told = [record for record in caplog.records if "wait to be saved" in record.message]
    assert [record.levelno for record in told if record.levelno > logging.INFO] == [logging.ERROR]
    engine.dispose()
    admin.dispose()


def test_a_missing_column_is_told_as_what_it_is(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("ALTER TABLE calls RENAME COLUMN source TO origin"))
    with pytest.raises(DatabaseNotMigrated, match="is not as this version needs it"):
        calls.save(engine, [settlement(make_call())])
    with writing(engine) as connection:
        connection.execute(text("ALTER TABLE calls RENAME COLUMN origin TO source"))


@pytest.mark.parametrize(
    ("sqlstate", "is_of_the_data"),
    [
        ("22003", True),  # a number out of range
        ("22021", True),  # text that no encoding has
        ("23505", True),  # a key that is there
        ("23514", True),  # a constraint
        ("42804", True),  # a value of another type
        ("P0001", True),  # a trigger of ours
        ("25006", False),  # read-only
        ("42501", False),  # no rights
        ("42703", False),  # no such column
        ("57P03", False),  # starting up, recovering
        ("53100", False),  # disk full
        ("53300", False),  # too many connections
        ("40001", False),  # serialization
        ("40P01", False),  # deadlock
        ("57014", False),  # a statement that took too long
        ("25P03", False),  # idle in a transaction
        ("XX000", False),  # a defect of the server
    ],
)
def test_only_what_is_of_the_data_is_refused(sqlstate: str, is_of_the_data: bool) -> None:
    error = DBAPIError("INSERT", {}, SimpleNamespace(pgcode=sqlstate))  # type: ignore[arg-type]
    assert failures.is_of_the_data(error) == is_of_the_data


def test_a_value_that_the_driver_cannot_write_down_is_refused(engine: Engine, tmp_path: Path) -> None:
    with running(engine, tmp_path) as subject:
        subject.submit(settlement(make_call(1, source={1, 2})))
        subject.submit(settlement(make_call(2)))
        assert subject.flush(PATIENCE_S)
        assert subject.refused() == 1
    assert calls.saved(engine, [make_call(1).id, make_call(2).id]) == {make_call(2).id}


def test_a_call_that_another_process_saves_at_this_moment_is_saved_not_refused(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls.save(engine, [settlement(make_call(1))])
    real, wanted = calls.save, [settlement(make_call(1)), settlement(make_call(2))]

    def too_late(engine: Engine, batch: list[Settlement], *, of_others: bool) -> None:
        """Does not see what the other has not committed yet."""
        if any(one.record.id == make_call(1).id for one in batch):
            with writing(engine) as connection:
                calls._insert(connection, [one.record for one in batch])
        real(engine, batch, of_others=of_others)

    monkeypatch.setattr(calls, "save", too_late)
    saved, bad = writer.save_or_tell(engine, wanted)
    assert ([one.record.id for one in saved], bad) == ([one.record.id for one in wanted], [])


def test_the_journal_forgets_what_is_saved_spooled_or_refused(engine: Engine, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.start()
    bad, good = make_call(1, did=None), make_call(2)
    for record in (bad, good):
        journal.keep(UnderWay(record, {"caller": f"channel-{record.id}"}, 1))
    subject = Writer(engine, Spool(tmp_path / "spool"), on_safe=journal.settled)
    for record in (bad, good):
        subject.submit(settlement(record))
    assert subject.flush(PATIENCE_S)
    assert subject.refused() == 1
    subject.close(PATIENCE_S)
    journal.close()
    assert Journal(tmp_path / "journal").left() == []
