"""The outbox: what others are to hear of, a line each, written in the transaction that saves it.

So others hear of everything that was saved, and of nothing that was undone, whenever a process dies. A sender reads
lines, and deletes them when they are delivered. PostgreSQL gives out numbers before transactions end, so a line may
become visible after one with a higher number. So no reader may ask only for lines newer than the last it saw.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, Engine, delete, insert, select

from ari_app.store.db.engine import reading, retried, writing
from ari_app.store.db.tables import outbox

Happening = Literal["call.ended", "call.decided", "marketplace.applied", "money.moved"]
"""A call was saved, as it ended; a saved call's verdict was completed, by a conversion or for want of one; a version of
the marketplace came in force; a transfer was made that is none of a call's end: a deposit, a correction, a payout."""


@dataclass(frozen=True, slots=True)
class OutboxLine:
    """What happened, at `at` (ms), to what: a call's id, a version of the marketplace, a transfer's key."""

    id: int
    at: int
    what: Happening
    subject: str


def add(connection: Connection, what: Happening, happened: Iterable[tuple[str, int]]) -> None:
    """Adds a line for each (subject, moment in ms), in their order."""
    rows = [{"at": at, "what": what, "subject": subject} for subject, at in happened]
    if rows:
        connection.execute(insert(outbox).inline(), rows)


def oldest(engine: Engine, limit: int) -> list[OutboxLine]:
    """The oldest lines that are there, at most `limit`."""
    table = outbox.c
    query = select(table.id, table.at, table.what, table.subject).order_by(table.id).limit(limit)
    with reading(engine) as connection:
        return [OutboxLine(*row) for row in connection.execute(query)]


@retried
def forget(engine: Engine, before: int) -> int:
    """Deletes lines older than that moment (ms), delivered or not, so that the outbox is bounded; returns how many."""
    with writing(engine) as connection:
        return connection.execute(delete(outbox).where(outbox.c.at < before)).rowcount
