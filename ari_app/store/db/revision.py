"""A counter that rises with everything a running switch has to notice: an apply, a pause, a resume."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, select, update

from ari_app.store.db.engine import reading
from ari_app.store.db.tables import revision


def read(engine: Engine) -> int:
    """The counter now. One cheap query: when it differs from `Loaded.revision`, load again."""
    with reading(engine) as connection:
        return read_in(connection)


def read_in(connection: Connection) -> int:
    """The counter as this transaction sees it."""
    counter: int = connection.execute(select(revision.c.counter)).scalar_one()
    return counter


def lock(connection: Connection) -> None:
    """Locks the marketplace against other changes until this transaction ends."""
    connection.execute(select(revision.c.counter).with_for_update())


def rise(connection: Connection) -> None:
    """Counts one change, visible with the rest of the transaction."""
    connection.execute(update(revision).values(counter=revision.c.counter + 1))
