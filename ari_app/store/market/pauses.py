"""Paused destinations: they are offered no calls until they are resumed."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, Engine, delete, insert, select

from ari_app.domain.basics.audit import Entry
from ari_app.store.db import auditlog, revision
from ari_app.store.db.engine import reading, retried, writing
from ari_app.store.db.tables import destination_pauses


@dataclass(frozen=True, slots=True)
class Pause:
    """Why a destination is offered no calls, since when (ms), and by whom."""

    destination: str
    since: int
    reason: str
    by: str


@retried
def pause(engine: Engine, pause: Pause) -> bool:
    """Pauses a destination, and notes it in the audit log. False: it was already paused, and nothing changes."""
    table = destination_pauses
    with writing(engine) as connection:
        revision.lock(connection)
        if connection.execute(select(table).where(table.c.destination == pause.destination)).first():
            return False
        connection.execute(insert(table), asdict(pause))
        done = Entry(pause.since, pause.by, "agents.pause", pause.destination, {"reason": pause.reason})
        auditlog.note(connection, done)
        revision.rise(connection)
        return True


@retried
def resume(engine: Engine, destination: str, entry: Entry | None = None) -> bool:
    """Resumes a destination: it is offered calls again. False: it was not paused. `entry` goes into the audit log."""
    table = destination_pauses
    with writing(engine) as connection:
        gone = connection.execute(delete(table).where(table.c.destination == destination))
        if gone.rowcount:
            revision.rise(connection)
            if entry is not None:
                auditlog.note(connection, entry)
        return bool(gone.rowcount)


def paused(engine: Engine) -> list[Pause]:
    """Every pause, by destination."""
    with reading(engine) as connection:
        return paused_in(connection)


def paused_in(connection: Connection) -> list[Pause]:
    """Every pause as this transaction sees it, by destination."""
    table = destination_pauses
    columns = (table.c.destination, table.c.since, table.c.reason, table.c.by)
    return [Pause(*row) for row in connection.execute(select(*columns).order_by(table.c.destination))]
