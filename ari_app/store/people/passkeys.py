"""Passkeys: whose they are, and by which public key they are known."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Engine, delete, insert, select, update

from ari_app.domain.basics.audit import Entry
from ari_app.store.db import auditlog
from ari_app.store.db.engine import lock_table, reading, retried, writing
from ari_app.store.db.tables import passkeys

MOST_OF_ONE = 20


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey. `public_key` in hexadecimal; `uses` as it last said; `challenged_at`: of its last challenge (ms)."""

    id: str
    person_id: int
    name: str
    public_key: str
    uses: int
    created_at: int
    used_at: int | None = None
    challenged_at: int = 0


@retried
def add(engine: Engine, passkey: Passkey, entry: Entry) -> bool:
    """Adds a passkey. False: it is there already, or its person has as many as one may have."""
    table = passkeys.c
    with writing(engine) as connection:
        lock_table(connection, passkeys)
        theirs = connection.execute(select(table.id).where(table.person_id == passkey.person_id)).all()
        there = connection.execute(select(table.id).where(table.id == passkey.id)).first()
        if there is not None or len(theirs) >= MOST_OF_ONE:
            return False
        connection.execute(insert(passkeys).values(**asdict(passkey)))
        auditlog.note(connection, entry)
        return True


def get(engine: Engine, id: str) -> Passkey | None:
    """The passkey with this id."""
    with reading(engine) as connection:
        row = connection.execute(select(passkeys).where(passkeys.c.id == id)).one_or_none()
        return Passkey(*row) if row else None


def of_person(engine: Engine, person_id: int) -> list[Passkey]:
    """Somebody's passkeys, oldest first."""
    table = passkeys.c
    query = select(passkeys).where(table.person_id == person_id).order_by(table.created_at, table.id)
    with reading(engine) as connection:
        return [Passkey(*row) for row in connection.execute(query)]


@retried
def use(engine: Engine, id: str, uses: int, challenged_at: int, now: int) -> bool:
    """Marks a challenge as answered by this passkey. False: that one, or a later one, was answered by it already."""
    table = passkeys.c
    unused = table.id == id, table.challenged_at < challenged_at
    with writing(engine) as connection:
        done = update(passkeys).where(*unused).values(uses=uses, challenged_at=challenged_at, used_at=now)
        return connection.execute(done).rowcount == 1


@retried
def remove(engine: Engine, person_id: int, id: str, entry: Entry) -> bool:
    """Removes one of somebody's passkeys; whether it was one."""
    with writing(engine) as connection:
        gone = delete(passkeys).where(passkeys.c.person_id == person_id, passkeys.c.id == id)
        is_gone = connection.execute(gone).rowcount == 1
        auditlog.note(connection, entry if is_gone else None)
        return is_gone
